import CLinux
import FoundationEssentials
import Glibc
import PalProvider

/// One run under a supervisor: its pipes, its processes, and how far it is.
struct SupervisedRun: ~Copyable {
    private let files: InstanceFiles
    private let launch: LaunchFile
    private let identity: ProcessIdentity
    private let signals: CInt
    private var output: SupervisedPipe
    private var error: SupervisedPipe
    private var log: SupervisorLog
    private var oomKillsBefore = 0
    /// The program, and the group that it leads.
    private var child: pid_t = 0
    /// The status of the program from `waitpid`, when it has ended.
    private var status: CInt?
    private var wasRequested = false
    /// When to kill, in milliseconds of the monotonic clock.
    private var killAt: Int?

    init(
        files: InstanceFiles, launch: LaunchFile, identity: ProcessIdentity, signals: CInt,
        output: SupervisedPipe, error: SupervisedPipe
    ) {
        self.files = files
        self.launch = launch
        self.identity = identity
        self.signals = signals
        self.output = output
        self.error = error
        log = SupervisorLog(path: files.log, limit: launch.logLimit)
    }

    /// Starts the program, and records and reports what came of it.
    mutating func start() -> Bool {
        oomKillsBefore = launch.cgroup?.oomKills() ?? 0
        let failure = spawn()
        output.closeWriting()
        error.closeWriting()
        record(
            RunFile(
                run: launch.run, supervisor: identity,
                child: failure == nil ? ProcessIdentity(pid: child) : nil, startedAt: Date()),
            files.run)
        if let failure {
            log.write([Array("pal: \(failure)".utf8)[...]], .stderr)
            record(
                ExitFile(
                    run: launch.run, code: 127, isOutOfMemory: false, wasRequested: false,
                    at: Date(), message: failure),
                files.exit)
            launch.cgroup?.remove()
        }
        StartReport(message: failure).send()
        return failure == nil
    }

    /// Nil where it went well, else why not.
    private mutating func spawn() -> String? {
        let cgroups = launch.cgroup?.openForJoining() ?? []
        defer { cgroups.forEach { close($0) } }
        var (pid, stage) = spawn(in: cgroups)
        if pid < 0, stage == PAL_SPAWN_CGROUP.rawValue, launch.mayLeaveCgroup {
            (pid, stage) = spawn(in: [])
        }
        guard pid < 0 else {
            child = pid
            return nil
        }
        let reason = String(cString: strerror(-pid))
        switch stage {
        case PAL_SPAWN_CGROUP.rawValue: return "cannot apply the resource limits: \(reason)"
        case PAL_SPAWN_DIRECTORY.rawValue: return "cannot enter \(launch.directory): \(reason)"
        case PAL_SPAWN_EXEC.rawValue: return "cannot execute \(launch.executable): \(reason)"
        default: return "cannot start a process: \(reason)"
        }
    }

    private func spawn(in cgroups: [CInt]) -> (pid_t, stage: UInt32) {
        let environment = launch.environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        var stage: CInt = 0
        let pid = CStrings.with(launch.arguments) { arguments in
            CStrings.with(environment) { environment in
                launch.executable.withCString { path in
                    launch.directory.withCString { directory in
                        cgroups.withUnsafeBufferPointer { cgroups in
                            var request = pal_spawn_request(
                                path: path, argv: arguments, envp: environment,
                                directory: directory, output: output.writing,
                                error: error.writing, cgroups: cgroups.baseAddress,
                                cgroup_count: CInt(cgroups.count))
                            return pal_spawn(&request, &stage)
                        }
                    }
                }
            }
        }
        return (pid, UInt32(stage))
    }

    /// Waits for output, signals and the time to kill, until the program has ended.
    mutating func serve() {
        while status == nil {
            var entries = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output.reading, events: Int16(POLLIN), revents: 0),
                pollfd(fd: error.reading, events: Int16(POLLIN), revents: 0),
            ]
            let timeout = killAt.map { CInt(max(0, min($0 - Self.now(), 1 << 30))) } ?? -1
            poll(&entries, 3, timeout)
            if entries[1].revents != 0 { _ = output.pump(into: &log) }
            if entries[2].revents != 0 { _ = error.pump(into: &log) }
            while case let signal = pal_signals_next(signals), signal != 0 { handle(signal) }
            reap()
            if let killAt, status == nil, Self.now() >= killAt {
                kill(-child, SIGKILL)
                launch.cgroup?.killAll()
                self.killAt = nil
            }
        }
    }

    private mutating func handle(_ signal: CInt) {
        guard [SIGTERM, SIGINT, SIGQUIT].contains(signal) else { return }
        let stop = try? JSONFile.read(StopFile.self, at: files.stop)
        let isOurs = stop?.run == launch.run
        wasRequested = wasRequested || isOurs
        let grace = isOurs ? stop?.grace ?? launch.stopTimeout : launch.stopTimeout
        killAt = min(killAt ?? .max, Self.now() + max(0, grace))
        if grace > 0 { kill(-child, SIGTERM) }
    }

    /// Takes every child that has ended; orphans of the program are children too.
    private mutating func reap() {
        var code: CInt = 0
        while case let pid = waitpid(-1, &code, WNOHANG), pid > 0 {
            if pid == child { status = code }
        }
    }

    /// Ends what the program left behind, and records how it ended.
    mutating func finish() {
        kill(-child, SIGKILL)
        Descendants.killAll()
        while output.pump(into: &log) {}
        while error.pump(into: &log) {}
        output.finish(&log)
        error.finish(&log)
        let ended = status ?? 0
        let signal = ended & 0x7F
        let isOutOfMemory =
            (launch.cgroup?.oomKills() ?? 0) > oomKillsBefore && ended != 0 && !wasRequested
        record(
            ExitFile(
                run: launch.run, code: signal == 0 ? Int(ended >> 8 & 0xFF) : nil,
                signal: signal == 0 ? nil : Int(signal), isOutOfMemory: isOutOfMemory,
                wasRequested: wasRequested, at: Date()),
            files.exit)
        launch.cgroup?.remove()
    }

    /// A record that cannot be written shows as a supervisor that was killed: nothing better is
    /// left to do.
    private mutating func record(_ value: some Encodable, _ path: String) {
        do { try JSONFile.write(value, to: path) } catch {
            log.write([Array("pal: \(error)".utf8)[...]], .stderr)
        }
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

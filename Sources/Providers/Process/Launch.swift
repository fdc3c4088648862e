import CLinux
import FoundationEssentials
import Glibc
import PalFiles
import PalProvider

/// Starts a supervisor and hears whether the program runs. Blocks.
struct Launcher: Sendable {
    /// The executable and its arguments; the instance directory comes last.
    let supervisorCommand: [String]
    let environment: [String: String]

    /// What a Swift program itself may need; the program's environment is in `launch.json`.
    private static let passed: Set<String> = ["PATH", "LD_LIBRARY_PATH", "TMPDIR"]

    /// Forgets the last run, describes the next one, and starts it.
    ///
    /// The lock goes over to the supervisor: it is never free while something of the run lives. A
    /// crash in between leaves an instance that is stopped.
    func start(
        _ launch: LaunchFile, _ files: InstanceFiles, _ lock: consuming DescriptionLock
    ) throws(ProviderFailure) {
        // The run first: without it the others mean nothing.
        for path in [files.run, files.exit, files.stop] {
            if unlink(path) != 0 && errno != ENOENT {
                throw .system(SystemError("delete", path, code: errno))
            }
        }
        do { try JSONFile.write(launch, to: files.launch) } catch { throw .file(error) }
        let report = try spawn(files.directory, lock)
        guard let report else {
            throw .machine(
                "the supervisor of \(files.directory) ended before it had started anything; is "
                    + "\(supervisorCommand[0]) pal's own executable?")
        }
        if let message = report.message {
            throw .instance(.programMissing, message, isRetryable: true)
        }
    }

    /// The supervisor's report; nil where it died without one.
    private func spawn(
        _ directory: String, _ lock: DescriptionLock
    ) throws(ProviderFailure) -> StartReport? {
        var ends: [CInt] = [-1, -1]
        guard pal_pipe(&ends) == 0 else {
            throw .system(SystemError("open", "a pipe", code: errno))
        }
        defer { close(ends[0]) }
        // Out of the way of the numbers that they get in the supervisor.
        let writing = fcntl(ends[1], F_DUPFD_CLOEXEC, 16)
        let locked = fcntl(lock.descriptor, F_DUPFD_CLOEXEC, 16)
        close(ends[1])
        let code = writing < 0 || locked < 0 ? EMFILE : nil
        let outcome = code.map { ($0, pid_t(0)) } ?? spawn(directory, writing, locked)
        if writing >= 0 { close(writing) }
        if locked >= 0 { close(locked) }
        guard outcome.0 == 0 else {
            throw .system(SystemError("start", supervisorCommand[0], code: outcome.0))
        }
        guard let data = Self.readAll(ends[0]) else {
            throw .ambiguous(
                "the supervisor of \(directory) has not reported within \(Self.patience / 1000) s; "
                    + "it may still start the instance")
        }
        // It only made the process that is the supervisor, and is gone or about to be.
        var status: CInt = 0
        while waitpid(outcome.1, &status, 0) < 0 && errno == EINTR {}
        return try? JSONDecoder().decode(StartReport.self, from: data)
    }

    private func spawn(
        _ directory: String, _ writing: CInt, _ locked: CInt
    ) -> (CInt, pid_t) {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for descriptor in 0...CInt(2) {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, locked, Supervisor.lockDescriptor)
        posix_spawn_file_actions_adddup2(&actions, writing, Supervisor.reportDescriptor)
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let setSession: CInt = 0x80  // POSIX_SPAWN_SETSID, spawn.h: not for a terminal's signals.
        let flags = CInt(POSIX_SPAWN_SETSIGMASK) | CInt(POSIX_SPAWN_SETSIGDEF) | setSession
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let variables = environment.filter { Self.passed.contains($0.key) }
            .sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        var pid: pid_t = 0
        let code = CStrings.with(supervisorCommand + [directory]) { arguments in
            CStrings.with(variables) { variables in
                posix_spawn(
                    &pid, supervisorCommand[0], &actions, &attributes, arguments, variables)
            }
        }
        return (code, pid)
    }

    /// Milliseconds between two signs of life. A supervisor needs a few, unless the disk hangs.
    private static let patience: CInt = 60_000

    /// Nil where it took too long.
    private static func readAll(_ descriptor: CInt) -> Data? {
        var data = Data()
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&entry, 1, patience)
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return data }
            data.append(contentsOf: chunk[..<count])
        }
    }
}

import Foundation
import Glibc
import Synchronization

/// A process of a machine. One thread waits for its end, another reads what it says.
///
/// It leads a process group, which ends with it where it is a machine's main process.
final class Child: Sendable {
    /// How a process ended.
    struct Exit: Sendable, Hashable {
        var code: Int32
        /// Zero where no signal ended it.
        var signal: Int32

        /// As a shell says it.
        var status: Int { Int(signal == 0 ? code : 128 + signal) }
    }

    /// What is run, and where.
    struct Plan: Sendable {
        var arguments: [String]
        var environment: [String: String]
        var directory: String
        /// A file; nothing is read where it is `nil`.
        var input: String?
        /// Whether the rest of its group ends with it.
        var takesGroupAlong = true
    }

    /// One of the two outputs.
    enum Output: Sendable { case standard, error }

    private struct State {
        var exit: Exit?
        var reaped = false
        var waiting: [CheckedContinuation<Exit, Never>] = []
    }

    private let process: pid_t
    private let state = Mutex(State())

    /// Starts it. `nil` where its program is missing or cannot be run.
    init?(_ plan: Plan, onOutput: @escaping @Sendable (Output, [UInt8]) -> Void) {
        var pipes: [[Int32]] = []
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else {
                for end in pipes.joined() { close(end) }
                return nil
            }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            pipes.append(ends)
        }
        let spawned = Self.spawn(plan, output: pipes[0][1], error: pipes[1][1])
        close(pipes[0][1])
        close(pipes[1][1])
        guard let spawned else {
            for end in [pipes[0][0], pipes[1][0]] + pipes[2] { close(end) }
            return nil
        }
        process = spawned
        let (output, error, over) = (pipes[0][0], pipes[1][0], pipes[2])
        Thread.detachNewThread { [self] in
            waitForEnd(takesGroupAlong: plan.takesGroupAlong)
            // A byte, because the end alone is not seen while some other child has inherited it.
            _ = write(over[1], [1], 1)
            close(over[1])
        }
        Thread.detachNewThread { [self] in
            read(output, error, until: over[0], onOutput)
            for end in [output, error, over[0]] { close(end) }
            reap()
        }
    }

    /// Signals it; nothing happens once it has ended. What it cannot refuse concerns its whole
    /// group, as it would a whole machine.
    func send(_ signal: Int32) {
        let isForAll = [SIGKILL, SIGSTOP, SIGCONT].contains(signal)
        state.withLock { state in
            if !state.reaped { kill(isForAll ? -process : process, signal) }
        }
    }

    /// Waits for its end, all it said being delivered before.
    func exit() async -> Exit {
        await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.waiting.append(continuation) }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    private func waitForEnd(takesGroupAlong: Bool) {
        var info = siginfo_t()
        while waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        if takesGroupAlong { kill(-process, SIGKILL) }
    }

    private func reap() {
        var status: Int32 = 0
        let (exit, waiting) = state.withLock { state in
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            let exit = Exit(code: (status >> 8) & 0xFF, signal: signal)
            state.exit = exit
            state.reaped = true
            defer { state.waiting = [] }
            return (exit, state.waiting)
        }
        for continuation in waiting { continuation.resume(returning: exit) }
    }

    /// Reads both until they end. After the process itself has ended it reads only what is there,
    /// because somebody who lives on may hold them open.
    private func read(
        _ output: Int32, _ error: Int32, until over: Int32,
        _ onOutput: (Output, [UInt8]) -> Void
    ) {
        var polled = [output, error, over].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let ended = polled[2].fd < 0
            let count = poll(&polled, 3, ended ? 20 : -1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            for (index, name) in [Output.standard, .error].enumerated()
            where polled[index].revents != 0 {
                let size = Glibc.read(polled[index].fd, &buffer, buffer.count)
                if size > 0 {
                    onOutput(name, Array(buffer[..<size]))
                } else {
                    polled[index].fd = -1
                }
            }
            if polled[2].fd >= 0, polled[2].revents != 0 { polled[2].fd = -1 }
            if polled.allSatisfy({ $0.fd < 0 }) { return }
        }
    }

    private static func spawn(_ plan: Plan, output: Int32, error: Int32) -> pid_t? {
        guard let program = find(plan) else { return nil }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, plan.input ?? "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, error, 2)
        // The server's connections must not stay open in here. To close what is not open is right.
        for descriptor in Int32(3)..<1024 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let environment = plan.environment.map { "\($0)=\($1)" }
        var process: pid_t = 0
        let arguments = ["/usr/bin/env", "-C", plan.directory, program]
        let result = withCStrings(arguments + plan.arguments.dropFirst()) { arguments in
            withCStrings(environment) { environment in
                posix_spawn(&process, "/usr/bin/env", &actions, &attributes, arguments, environment)
            }
        }
        return result == 0 ? process : nil
    }

    /// Looks for the program as a shell does, in the PATH that the process itself will have.
    private static func find(_ plan: Plan) -> String? {
        guard let name = plan.arguments.first, !name.isEmpty else { return nil }
        var places = [name.hasPrefix("/") ? name : "\(plan.directory)/\(name)"]
        if !name.contains("/") {
            let path = plan.environment["PATH"] ?? "/usr/bin:/bin"
            places = path.split(separator: ":").map { "\($0)/\(name)" }
        }
        return places.first { access($0, X_OK) == 0 }
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// Ends what a machine left behind: its processes know the machine by their environment.
enum Remains {
    /// Returns when they are gone, for a signal only begins to end a process; at the latest after
    /// five seconds, because one may hang in the kernel.
    static func end(ofMachine id: String) {
        let mark = Data("FLY_MACHINE_ID=\(id)\0".utf8)
        for _ in 0..<500 {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            let processes = names.compactMap { pid_t($0) }.filter { $0 != getpid() }
            let left = processes.filter { isMarked($0, mark) || isBecomingAnother($0) }
            if left.isEmpty { return }
            for process in left where isMarked(process, mark) { kill(process, SIGKILL) }
            // Nobody says when a process that is not a child has ended.
            usleep(10_000)
        }
    }

    private static func isMarked(_ process: pid_t, _ mark: Data) -> Bool {
        content("environ", of: process)?.firstRange(of: mark) != nil
    }

    /// In the middle of `exec` a process has a program, but neither arguments nor environment yet.
    private static func isBecomingAnother(_ process: pid_t) -> Bool {
        let hasProgram = access("/proc/\(process)/exe", F_OK) == 0
        return hasProgram && content("cmdline", of: process)?.isEmpty == true
    }

    private static func content(_ name: String, of process: pid_t) -> Data? {
        try? Data(contentsOf: URL(filePath: "/proc/\(process)/\(name)"))
    }
}

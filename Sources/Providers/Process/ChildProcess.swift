import CLinux
import Dispatch
import Glibc
import PalFiles
import Synchronization

/// A process that pal started for a session. It is waited for in any case, so it never stays behind
/// as a dead entry of the process table.
final class ChildProcess: Sendable {
    let pid: pid_t
    /// A descriptor that can be read from when the process has ended.
    let handle: CInt
    private let end = Mutex<(code: Int?, waiters: [CheckedContinuation<Int, Never>])>((nil, []))

    /// Starts a program in a session of its own; a terminal of the channel's is its controlling
    /// one. Blocks for as long as the program takes to be loaded.
    static func start(
        _ program: String, _ arguments: [String], _ place: Execution.Place,
        _ channel: SessionChannel
    ) throws(SystemError) -> ChildProcess {
        let (code, pid) = channel.lend { ends in spawn(program, arguments, place, ends) }
        guard code == 0 else { throw SystemError("start", program, code: code) }
        // Not waited for yet, so the number still means it.
        let handle = pal_pidfd_open(pid)
        guard handle >= 0 else {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw SystemError("watch", program, code: -handle)
        }
        let child = ChildProcess(pid, handle)
        child.wait()
        return child
    }

    private init(_ pid: pid_t, _ handle: CInt) {
        self.pid = pid
        self.handle = handle
    }

    deinit { close(handle) }

    var hasEnded: Bool { end.withLock { $0.code != nil } }

    /// Waits for the end; 128 + n where signal n ended it.
    func exitCode() async -> Int {
        await withCheckedContinuation { continuation in
            let code = end.withLock { end in
                if end.code == nil { end.waiters.append(continuation) }
                return end.code
            }
            if let code { continuation.resume(returning: code) }
        }
    }

    private func wait() {
        DispatchQueue.global().async { [self] in
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            // As WIFSIGNALED and its like in <bits/waitstatus.h>, which are macros.
            let signal = status & 0x7f
            let code = signal == 0 ? Int(status >> 8 & 0xff) : 128 + Int(signal)
            let waiters = end.withLock { end in
                end.code = code
                defer { end.waiters = [] }
                return end.waiters
            }
            for waiter in waiters { waiter.resume(returning: code) }
        }
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ place: Execution.Place,
        _ ends: SessionChannel.CommandEnds
    ) -> (CInt, pid_t) {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        if let terminal = ends.terminal {
            // The first terminal that the leader of a new session opens is its controlling one.
            posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        } else {
            for (own, end) in [(CInt(0), ends.input), (1, ends.output), (2, ends.error)] {
                posix_spawn_file_actions_adddup2(&actions, end, own)
            }
        }
        let narrowed = pal_spawn_narrow(&actions, place.directory)
        guard narrowed == 0 else { return (-narrowed, 0) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let setSession: CInt = 0x80  // POSIX_SPAWN_SETSID, spawn.h.
        let flags = CInt(POSIX_SPAWN_SETSIGMASK) | CInt(POSIX_SPAWN_SETSIGDEF) | setSession
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let variables = place.environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        var pid: pid_t = 0
        let code = CStrings.with(arguments) { arguments in
            CStrings.with(variables) { variables in
                posix_spawn(&pid, program, &actions, &attributes, arguments, variables)
            }
        }
        return (code, pid)
    }
}

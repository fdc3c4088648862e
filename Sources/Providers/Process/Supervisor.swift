import CLinux
import FoundationEssentials
import Glibc
import PalProvider

/// The small process that stands between pal and what an instance runs.
///
/// It starts the program, keeps its output and its end, and goes. It needs no controller: that may
/// die, be killed or be replaced meanwhile. While it lives it holds the instance's lock, and
/// by that it is known. When it is itself killed, the kernel kills the program.
///
/// It has one thread and does nothing but wait, read and write. It uses no Swift concurrency.
public enum Supervisor {
    /// The descriptor that carries the instance's lock.
    static let lockDescriptor: CInt = 3
    /// The pipe that the start is reported to.
    static let reportDescriptor: CInt = 4

    /// The whole life of a supervisor: the body of the hidden subcommand `pal supervise DIRECTORY`.
    ///
    /// Call it first thing in the process, before anything starts a thread: it forks. The calling
    /// process gets 0 back at once and must end; the supervisor goes on as its child and never
    /// returns from here. Only pal's process provider can start it, since it hands over a lock.
    ///
    /// - Parameter directory: An instance directory with a `launch.json`.
    /// - Returns: The exit code: 0, or 64 where pal did not start it, 71 where the system cannot.
    public static func run(directory: String) -> Int32 {
        guard pal_lock(lockDescriptor) == 0, fcntl(reportDescriptor, F_GETFD) >= 0 else {
            let message = "pal supervise is started by pal itself: see 'pal start --help'\n"
            _ = message.withCString { write(2, $0, strlen($0)) }
            return 64
        }
        signal(SIGPIPE, SIG_IGN)
        let child = pal_fork()
        if child > 0 { return 0 }
        if child < 0 { return 71 }
        setsid()
        _ = chdir("/")
        // What the controller left open (a pipe of its caller's) must not stay open for days.
        _ = pal_close_from(UInt32(reportDescriptor) + 1)
        _ = fcntl(lockDescriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(reportDescriptor, F_SETFD, FD_CLOEXEC)
        _exit(supervise(InstanceFiles(directory: directory)))
    }

    private static func supervise(_ files: InstanceFiles) -> Int32 {
        let launch: LaunchFile
        do { launch = try JSONFile.read(LaunchFile.self, at: files.launch) } catch {
            StartReport(message: error.description).send()
            return 71
        }
        _ = pal_become_subreaper()
        let signals = pal_signals_open()
        guard signals >= 0, let output = SupervisedPipe(.stdout),
            let error = SupervisedPipe(.stderr), let identity = ProcessIdentity(pid: getpid())
        else {
            StartReport(message: "the supervisor has no descriptors left or no /proc").send()
            return 71
        }
        var run = SupervisedRun(
            files: files, launch: launch, identity: identity, signals: signals, output: output,
            error: error)
        guard run.start() else { return 0 }
        run.serve()
        run.finish()
        return 0
    }
}

/// What a supervisor tells about the start, once, through the pipe; a pipe that closes without it
/// means that the supervisor died.
struct StartReport: Codable, Sendable {
    /// Nil where the program runs.
    var message: String?

    func send() {
        let data = (try? JSONEncoder().encode(self)) ?? Data()
        data.withUnsafeBytes { _ = write(Supervisor.reportDescriptor, $0.baseAddress, $0.count) }
        close(Supervisor.reportDescriptor)
    }
}

import Foundation
import Glibc
import PalHTTP
public import Testing

/// An Engine of the test's own, which may be stopped: it runs no containers.
///
/// It has a network namespace of its own, because an Engine without a bridge removes `docker0`.
public final class OwnEngine {
    /// Where all that it keeps lies.
    public let directory: String
    private var process: Process?
    /// What it is started with besides.
    public var arguments: [String] = []
    /// A socket that listens already, for an Engine that answers outside its network namespace too.
    public var listener: Int32?
    private let client = HTTPClient()

    /// The Engine's program.
    public static let program = "/usr/sbin/dockerd"
    /// The program that gives it a network namespace.
    public static let unshare = "/usr/bin/unshare"

    /// Makes the directory; starts nothing.
    public init() throws {
        directory = "/tmp/pal-engine-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
    }

    /// Where the Engine answers while it runs.
    public var socket: String { directory + "/docker.sock" }

    /// Starts it and waits until it answers, for about half a minute.
    public func start() async throws {
        let process = Process()
        process.executableURL = URL(filePath: Self.unshare)
        let hands = "export LISTEN_PID=$$ LISTEN_FDS=1; exec 3<&0 0</dev/null; exec \"$@\""
        let front = listener == nil ? [Self.program] : ["sh", "-c", hands, "sh", Self.program]
        process.standardInput = listener.map { FileHandle(fileDescriptor: $0) }
        process.arguments =
            ["--net"] + front + (listener == nil ? [] : ["--host", "fd://"]) + [
                "--host", "unix://\(socket)", "--data-root", directory + "/data",
                "--exec-root",
                directory + "/exec", "--pidfile", directory + "/pid", "--bridge", "none",
                "--iptables=false", "--ip6tables=false",
            ] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        for _ in 0..<600 {
            let ping = HTTPRequest("GET", "/_ping", timeout: .seconds(5))
            if (try? await client.send(ping, to: .unixSocket(path: socket))) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("an Engine of its own did not start")
    }

    /// Ends it and waits for that; its data stay.
    public func stop() {
        process?.terminate()
        process?.waitUntilExit()
        process = nil
    }

    /// What kills it at once, as a machine that is out of memory does; from any thread.
    public var killer: @Sendable () -> Void {
        let id = process?.processIdentifier ?? 0
        return { if id > 0 { kill(id, SIGKILL) } }
    }

    /// Waits for the end of one that was killed, and of its containerd, which dies with it; its
    /// data and its containers stay.
    ///
    /// `waitUntilExit` waits for the containers too, which inherit what it listens to. Where nobody
    /// takes dead processes away at once, the files with their numbers look true: they go.
    public func bury() async throws {
        for file in ["/pid", "/exec/containerd/containerd.pid"] {
            guard let id = try? String(contentsOfFile: directory + file, encoding: .utf8) else {
                continue
            }
            while let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
                !stat.contains(") Z")
            {
                try await Task.sleep(for: .milliseconds(10))
            }
            unlink(directory + file)
        }
        process = nil
    }

    /// Ends it and deletes its data.
    public func remove() {
        stop()
        // One that was killed left what it had mounted, several times over where it was started
        // again. What lies below goes with it.
        let spaces = directory + "/exec/netns"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: spaces)) ?? []
        for mount in [directory + "/data"] + names.map({ spaces + "/" + $0 }) {
            while umount2(mount, CInt(MNT_DETACH)) == 0 {}
        }
        try? FileManager.default.removeItem(atPath: directory)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where nobody can start an Engine of the test's own.
    public static var needsOwnEngine: Self {
        .enabled(
            if: geteuid() == 0 && access(OwnEngine.program, X_OK) == 0
                && access(OwnEngine.unshare, X_OK) == 0,
            "only root can start an Engine, with \(OwnEngine.program) and unshare")
    }
}

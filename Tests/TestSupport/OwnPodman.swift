import Foundation
import Glibc
import PalHTTP
public import Testing

/// An Engine that a test may kill and start again.
public protocol KillableEngine: AnyObject {
    /// Where it answers while it runs.
    var socket: String { get }
    /// What kills it at once; from any thread.
    var killer: @Sendable () -> Void { get }
    /// Where the volumes are, each in a directory of its name.
    var volumes: String { get }
    /// Starts it, and waits until it answers.
    func start() async throws
    /// Waits for the end of one that was killed.
    func bury() async throws
    /// Ends it, and deletes what is its own.
    func remove()
}

extension KillableEngine {
    /// Waits until it answers, for about half a minute.
    func untilItAnswers() async throws {
        let client = HTTPClient()
        defer { client.shutdown() }
        for _ in 0..<600 {
            let ping = HTTPRequest("GET", "/_ping", timeout: .seconds(5))
            if (try? await client.send(ping, to: .unixSocket(path: socket))) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("nothing answers at \(socket)")
    }

    /// Waits until a process is gone, or dead and not taken away.
    func untilItIsGone(_ id: some CustomStringConvertible) async throws {
        while let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
            !stat.contains(") Z")
        {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

extension OwnEngine: KillableEngine {}

/// A service of Podman's beside the one of the tests, on the same storage: Podman itself has no
/// process that all hangs on.
public final class OwnPodman: KillableEngine {
    private static let program = "/usr/bin/podman"
    private let root = URL(filePath: Podman.socketPath).deletingLastPathComponent().path
    private var process: Process?
    /// Where it answers while it runs.
    public let socket = "/tmp/pal-podman-\(UInt64.random(in: 0 ... .max)).sock"

    /// Where the volumes are, each in a directory of its name.
    public var volumes: String { root + "/storage/volumes" }

    /// Starts nothing.
    public init() {}

    /// Starts it, and waits until it answers, for about half a minute.
    public func start() async throws {
        let process = Process()
        process.executableURL = URL(filePath: Self.program)
        process.arguments = [
            "--root", root + "/storage", "--runroot", root + "/run",
            "system", "service", "--time=0", "unix://\(socket)",
        ]
        process.environment = ProcessInfo.processInfo.environment.merging([
            "CONTAINERS_CONF": root + "/containers.conf",
            "CONTAINERS_REGISTRIES_CONF": root + "/registries.conf",
        ]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        try await untilItAnswers()
    }

    /// What kills it at once; from any thread.
    public var killer: @Sendable () -> Void {
        let id = process?.processIdentifier ?? 0
        return { if id > 0 { kill(id, SIGKILL) } }
    }

    /// Waits for the end of one that was killed; the containers go on.
    public func bury() async throws {
        guard let id = process?.processIdentifier else { return }
        try await untilItIsGone(id)
        process = nil
        unlink(socket)
    }

    /// Ends it; the storage stays.
    public func remove() {
        process?.terminate()
        process?.waitUntilExit()
        process = nil
        unlink(socket)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where nobody can start one that may be killed.
    public static var needsKillableEngine: Self {
        DockerEngine.isPodman ? .needsPodman : .needsOwnEngine
    }
}

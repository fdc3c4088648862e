import Foundation
import Glibc
import Logging
import PalHTTP
import PalModel
import PalProvider
import Testing

@testable import DockerProvider

/// An Engine of the test's own, which may be stopped: it runs no containers.
///
/// It has a network namespace of its own, because an Engine without a bridge removes `docker0`.
private final class OwnEngine {
    let directory: String
    private var process: Process?

    static let program = "/usr/sbin/dockerd"
    static let unshare = "/usr/bin/unshare"

    init() throws {
        directory = "/tmp/pal-engine-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
    }

    var socket: String { directory + "/docker.sock" }

    func start() async throws {
        let process = Process()
        process.executableURL = URL(filePath: Self.unshare)
        process.arguments = [
            "--net", Self.program, "--host", "unix://\(socket)", "--data-root", directory + "/data",
            "--exec-root",
            directory + "/exec", "--pidfile", directory + "/pid", "--bridge", "none",
            "--iptables=false", "--ip6tables=false",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        for _ in 0..<600 {
            let client = EngineClient(endpoint: .unixSocket(path: socket))
            defer { client.http.shutdown() }
            if (try? await client.negotiate()) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("an Engine of its own did not start")
    }

    func stop() {
        process?.terminate()
        process?.waitUntilExit()
        process = nil
    }

    func remove() {
        stop()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

@Suite(
    "An Engine that is stopped and started",
    .enabled(
        if: geteuid() == 0 && access(OwnEngine.program, X_OK) == 0
            && access(OwnEngine.unshare, X_OK) == 0,
        "only root can start an Engine, with \(OwnEngine.program) and unshare"),
    .timeLimit(.minutes(5)))
struct EngineRestartTests {
    @Test("ends what is under way, and nothing more: the next call works")
    func restart() async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        let provider = DockerProvider(
            try DockerSettings(
                ProviderSettings(
                    type: "docker", name: "docker", swarm: "restart", dataDirectory: "/nonexistent",
                    specific: ["socketPath": .string(engine.socket)])),
            logger: Logger(label: "test"))
        try await engine.start()
        try await provider.initialize()
        for _ in 1...2 {
            #expect(try await provider.listInstances(.all).isEmpty)
            let log = EventLog()
            let watching = Task { try await provider.watchEvents { log.append($0) } }
            try await log.wait { !$0.all.isEmpty }
            engine.stop()
            let end = await #expect(throws: ProviderFailure.self) { try await watching.value }
            #expect(end?.error?.kind == .connection)
            let down = try await failure { () throws(ProviderFailure) in
                try await provider.listInstances(.all)
            }
            #expect(down.error?.kind == .connection)
            #expect(down.error?.isRetryable == true)
            #expect(down.description.contains("start Docker"))
            try await engine.start()
        }
        #expect(try await provider.listInstances(.all).isEmpty)
        #expect(try await provider.listStorage().isEmpty)
        await provider.shutdown()
    }
}

import Foundation
import Glibc
import Logging
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite(
    "An Engine that is stopped and started",
    .enabled(
        if: geteuid() == 0 && access(OwnEngine.program, X_OK) == 0
            && access(OwnEngine.unshare, X_OK) == 0,
        "only root can start an Engine, with \(OwnEngine.program) and unshare"),
    .timeLimit(.minutes(10)))
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

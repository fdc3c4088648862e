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
    .needsOwnEngine, .timeLimit(.minutes(10)))
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

    @Test("leaves no event that is told twice, and none that a list does not make up for")
    func events() async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        let provider = DockerProvider(
            try dockerSettings(["socketPath": .string(engine.socket)], swarm: "restart"),
            logger: Logger(label: "test"))
        let raw = EngineClient(endpoint: .unixSocket(path: engine.socket))
        let log = EventLog()
        for (index, name) in ["one", "two", "three"].enumerated() {
            let watching = Task { try await provider.watchEvents { log.append($0) } }
            try await log.wait { $0.all.count { $0 == .connected } == index + 1 }
            // What was made while the Engine forgot is in the list that follows.
            let listed = try await provider.listInstances(.all).map(\.name)
            #expect(listed.count == index * 2)
            try await make(name, raw)
            try await log.wait { $0.all.contains { isAbout(name, $0) } }
            engine.stop()
            _ = try? await watching.value
            try await engine.start()
            try await make("silent-\(name)", raw)
            engine.stop()
            try await engine.start()
        }
        for name in ["one", "two", "three"] {
            #expect(log.all.count { isAbout(name, $0) } == 1)
        }
        await provider.shutdown()
        raw.http.shutdown()
    }

    @Test("that goes on tells what happened while nobody listened, once")
    func gap() async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        let provider = DockerProvider(
            try dockerSettings(["socketPath": .string(engine.socket)], swarm: "restart"),
            logger: Logger(label: "test"))
        let raw = EngineClient(endpoint: .unixSocket(path: engine.socket))
        let first = EventLog()
        let watching = Task { try await provider.watchEvents { first.append($0) } }
        try await first.wait { !$0.all.isEmpty }
        try await make("one", raw)
        try await first.wait { $0.all.contains { isAbout("one", $0) } }
        watching.cancel()
        _ = try? await watching.value

        try await make("two", raw)
        let second = EventLog()
        let again = Task { try await provider.watchEvents { second.append($0) } }
        try await second.wait { $0.all.contains { isAbout("two", $0) } }
        try await make("three", raw)
        try await second.wait { $0.all.contains { isAbout("three", $0) } }
        #expect(second.all.first == .connected)
        #expect(second.all.count { isAbout("two", $0) } == 1)
        #expect(!second.all.contains { isAbout("one", $0) })
        again.cancel()
        _ = try? await again.value
        await provider.shutdown()
        raw.http.shutdown()
    }

    /// Makes a container of the swarm that is never started.
    private func make(_ name: String, _ engine: EngineClient) async throws {
        let labels = Ownership(
            swarm: "restart", name: name, id: "id-\(name)", generation: 1,
            specHash: SpecHash(text: "v1:x")
        ).labels
        let answer = try await engine.send(
            EngineCall(
                "POST", "/containers/create", query: [("name", "pal_restart_\(name)")],
                body: .map([
                    "Image": .string(BusyboxImage.name), "Labels": .texts(labels),
                    "HostConfig": .map(["NetworkMode": .string("none")]),
                ])))
        #expect(answer.status == 201, "\(answer.message)")
    }

    private func isAbout(_ name: String, _ event: ProviderEvent) -> Bool {
        if case .changed(let own, _, _) = event { own == name } else { false }
    }
}

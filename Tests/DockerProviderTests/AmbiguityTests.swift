import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Answers of Docker that are lost", .needsDockerEngine, .timeLimit(.minutes(10)))
struct AmbiguityTests {
    private func isAmbiguous(_ failure: ProviderFailure) -> Bool {
        if case .ambiguous = failure { true } else { false }
    }

    @Test("a creation whose answer is lost is ambiguous, was sent once, and is found afterwards")
    func create() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            // An editor that gets no files: with some it would be made anew.
            let config = swarm.config("alice") { $0.editor = .custom }
            relay.treat { $0.path.hasPrefix("/containers/create") ? .loseAnswer : .pass }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(isAmbiguous(failure))
            #expect(relay.takeRequests().count { $0.path.hasPrefix("/containers/create") } == 1)
            relay.treat { _ in .pass }
            let found = try await swarm.provider.listInstances(.all)
            #expect(found.map(\.name) == ["alice"])
            try await swarm.provider.startInstance(found[0].reference)
            let again = try await DockerProviderTests.failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(swarm.config("alice")))
            }
            #expect(again.error?.code == .alreadyExists)
        }
    }

    @Test(
        "after the container was made, every lost answer is ambiguous",
        arguments: ["/start", "/json"])
    func afterwards(path: String) async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            relay.treat { seen in
                seen.path.hasPrefix("/containers/") && seen.path.hasSuffix(path)
                    ? .loseAnswer : .pass
            }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(swarm.config("alice")))
            }
            #expect(isAmbiguous(failure))
            relay.treat { _ in .pass }
            let found = try await swarm.provider.listInstances(.all)
            #expect(found.map(\.status) == [.running])
        }
    }

    @Test("a server's failure at a creation is ambiguous", arguments: [500, 502, 503, 504])
    func serverFailure(status: Int) async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            relay.treat { seen in
                seen.path.hasPrefix("/containers/create")
                    ? .answer(status: status, message: "context deadline exceeded") : .pass
            }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(swarm.config("alice")))
            }
            #expect(isAmbiguous(failure))
            #expect(failure.description.contains("context deadline exceeded"))
        }
    }

    @Test("a deletion whose answer is lost is ambiguous; a list is a connection error")
    func others() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let made = try await swarm.create("alice")
            relay.treat { $0.method == "DELETE" ? .loseAnswer : .pass }
            let deletion = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.deleteInstance(made.reference)
            }
            #expect(isAmbiguous(deletion))
            relay.treat { _ in .loseAnswer }
            let list = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.listInstances(.all)
            }
            #expect(list.error?.kind == .connection)
            #expect(list.error?.isRetryable == true)
            relay.treat { _ in .pass }
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    @Test("a server that speaks another version meanwhile is understood again")
    func otherVersion() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            _ = try await swarm.provider.listInstances(.all)
            let isFirst = Once()
            relay.treat { seen in
                guard seen.path.hasPrefix("/containers"), isFirst.take() else { return .pass }
                return .answer(
                    status: 400,
                    message: "client version 1.41 is too old. Minimum supported API version is 1.44"
                )
            }
            _ = relay.takeRequests()
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
            #expect(
                relay.takeRequests().map { String($0.path.prefix(11)) }
                    == ["/containers", "/_ping", "/containers"])
        }
    }

    @Test(
        "the network of an empty swarm goes, whichever answer over its last instance was lost",
        arguments: ["/containers/", "/networks/"])
    func networkOwed(path: String) async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            func networkIsThere() async throws -> Bool {
                let look = EngineCall("GET", "/networks/\(swarm.provider.networkName)")
                return try await swarm.engine.send(look).status == 200
            }
            let made = try await swarm.create("alice") { $0.specific = nil }
            relay.treat { seen in
                guard seen.method == "DELETE", seen.path.hasPrefix(path) else { return .pass }
                // The network's own removal never comes to be.
                return path == "/networks/" ? .answer(status: 503, message: "no") : .loseAnswer
            }
            _ = try? await swarm.provider.deleteInstance(made.reference)
            let look = InstanceFilter(names: ["alice"])
            if path == "/networks/" {
                #expect(try await swarm.provider.listInstances(look).isEmpty)
            }
            #expect(try await networkIsThere())
            relay.treat { _ in .pass }
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
            #expect(try await !networkIsThere())
        }
    }

    @Test("the network goes too where the controller was stopped after the last deletion")
    func networkLeftBehind() async throws {
        try await TestSwarm.run { swarm in
            let network = swarm.provider.networkName
            let made = try await swarm.create("alice") { $0.specific = nil }
            #expect(try await swarm.provider.deleteInstance(made.reference))
            let reader = swarm.another
            #expect(try await reader.listInstances(.all).isEmpty)
            #expect(try await reader.networkExists(network), "who only reads removes nothing")
            let next = swarm.another
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (connected, told) = AsyncStream.makeStream(of: Void.self)
                group.addTask {
                    defer { told.finish() }
                    try await next.watchEvents { _ in told.yield() }
                }
                for await _ in connected { break }
                let left = try await next.listInstances(.all)
                #expect(left.isEmpty)
                group.cancelAll()
            }
            #expect(try await !reader.networkExists(network))
            await reader.shutdown()
            await next.shutdown()
        }
    }

    @Test("an Engine that dies over the removal of the network is asked again")
    func networkRemovalCutOff() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let made = try await swarm.create("alice") { $0.specific = nil }
            #expect(try await swarm.provider.deleteInstance(made.reference))
            relay.treat { $0.path.hasPrefix("/networks/") ? .cut(after: 0) : .pass }
            let look = InstanceFilter(names: ["alice"])
            let lost = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.listInstances(look)
            }
            #expect(lost.error?.kind == .connection, "\(lost)")
            relay.treat { _ in .pass }
            #expect(try await swarm.provider.listInstances(look).isEmpty)
            #expect(try await !swarm.provider.networkExists(swarm.provider.networkName))
        }
    }

    /// Removing and making it again took half the time of a replacement.
    @Test("the network of the only instance stays while that is made anew")
    func networkStays() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let old = try await swarm.create("alice") { $0.specific = nil }
            _ = relay.takeRequests()
            #expect(try await swarm.provider.deleteInstance(old.reference))
            let new = try await swarm.create("alice") { $0.specific = nil }
            let look = InstanceFilter(names: ["alice"])
            #expect(try await swarm.provider.listInstances(look).count == 1)
            #expect(!relay.takeRequests().contains { $0.path.contains("/networks") })
            #expect(try await swarm.provider.deleteInstance(new.reference))
            #expect(try await swarm.provider.listInstances(look).isEmpty)
            let networks = relay.takeRequests().filter { $0.path.contains("/networks/") }
            #expect(networks.map(\.method) == ["DELETE"])
        }
    }

    @Test("a network that vanishes between the look and the start is made again")
    func networkVanishes() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let isFirst = Once()
            relay.treat { seen in
                guard seen.path.hasSuffix("/start"), isFirst.take() else { return .pass }
                return .answer(status: 404, message: "network pal_x not found")
            }
            let made = try await swarm.create("alice") { $0.specific = nil }
            #expect(made.status == .running)
        }
    }
}

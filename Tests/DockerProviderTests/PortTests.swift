import Glibc
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Ports on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct PortTests {
    @Test("a fixed port that is taken is an error that names it, and nothing is left behind")
    func fixedPortTaken() async throws {
        try await TestSwarm.run { swarm in
            let holder = try await swarm.create("holder")
            let port = try #require(holder.network.port)
            let config = swarm.config("wants") {
                $0.network.ports = [.init(internal: 8080, external: port)]
            }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(failure.error?.kind == .instance)
            #expect(failure.error?.code == .portTaken)
            #expect(failure.description.contains("port \(port)"))
            #expect(try await swarm.provider.listInstances(.all).map(\.name) == ["holder"])
        }
    }

    @Test("a fixed port is used, and a kept one is used again when it is free")
    func keptPort() async throws {
        try await TestSwarm.run { swarm in
            let first = try await swarm.create("alice")
            let port = try #require(first.network.port)
            _ = try await swarm.provider.deleteInstance(first.reference)
            let again = try await swarm.provider.createInstance(
                swarm.request(swarm.config("alice"), generation: 2, keptPorts: [8080: port]))
            #expect(again.network.port == port)
            let heard = ProgressLog()
            let other = try await swarm.provider.createInstance(
                swarm.request(
                    swarm.config("bob"), keptPorts: [8080: port], progress: heard.take))
            #expect(other.network.port != port)
            let moved = try #require(heard.all.first { $0.reason == "PortMoved" })
            #expect(
                moved.message
                    == "8080/tcp is published at \(other.network.port ?? 0) now, for \(port) is in "
                    + "use by something else")
            _ = try await swarm.provider.deleteInstance(again.reference)
            let fixed = try await swarm.create("carol") {
                $0.network.ports = [.init(internal: 8080, external: port)]
            }
            #expect(fixed.network.port == port)
        }
    }

    @Test("an address of another machine, whose socket was forwarded to here, has free ports")
    func elsewhere() throws {
        let settings = try dockerSettings(["bindAddress": .string("192.0.2.1")])
        #expect(settings.isLocal && settings.reachHost == "192.0.2.1")
        let wanted = WantedPort(inside: PortKey(8080), fixed: nil)
        let chosen = try PortChooser(settings).assign([wanted], kept: [8080: 23_456], taken: [])
        #expect(chosen.map(\.outside) == [23_456])
    }

    @Test("a number that is wanted for TCP and for UDP keeps both of its ports outside")
    func twoKinds() async throws {
        try await TestSwarm.run { swarm in
            func wish(_ config: inout InstanceConfig) {
                config.network.ports = [
                    .init(internal: 53), .init(internal: 53, protocol: "udp"),
                ]
            }
            let first = try await swarm.create("alice", wish)
            let pairs = first.network.ports.map { ($0.key, $0.external ?? 0) }
            #expect(pairs.count == 3)
            _ = try await swarm.provider.deleteInstance(first.reference)
            let again = try await swarm.provider.createInstance(
                swarm.request(
                    swarm.config("alice", wish), generation: 2,
                    keptPorts: Dictionary(uniqueKeysWithValues: pairs)))
            #expect(again.network.ports == first.network.ports)
        }
    }

    @Test("a port that pal chose and lost to somebody else is exchanged for another")
    func lostPort() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let holder = try await swarm.create("holder")
            let port = try #require(holder.network.port)
            // The first start fails as it would if the port had been taken in between.
            let isFirst = Once()
            relay.treat { seen in
                guard seen.path.hasSuffix("/start"), isFirst.take() else { return .pass }
                return .answer(
                    status: 500,
                    message: "driver failed programming external connectivity on endpoint x: Bind "
                        + "for 127.0.0.1:\(port) failed: port is already allocated")
            }
            let made = try await swarm.createReady("alice")
            #expect(made.network.port != port)
            #expect(
                try await swarm.provider.listInstances(.all).map(\.name) == ["alice", "holder"])
        }
    }

    @Test("an instance whose port was taken while it was down says so")
    func takenWhileStopped() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let port = try #require(made.network.port)
            try await swarm.provider.stopInstance(made.reference, force: false)
            let thief = try await swarm.create("thief") {
                $0.network.ports = [.init(internal: 8080, external: port)]
            }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.startInstance(made.reference)
            }
            #expect(failure.error?.code == .portTaken)
            #expect(failure.description.contains("port \(port)"))
            _ = try await swarm.provider.deleteInstance(thief.reference)
            try await swarm.provider.startInstance(made.reference)
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
        }
    }
}

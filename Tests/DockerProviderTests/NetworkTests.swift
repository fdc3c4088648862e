import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// Further networks, names in them, and where ports are published.
@Suite("Networks on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct NetworkTests {
    private func isReached(_ name: String, from instance: VSCodeInstance, _ swarm: TestSwarm)
        async throws -> Bool
    {
        let result = try await swarm.provider.executeCommand(
            instance.reference, Command(["wget", "-q", "-O", "-", "http://\(name):8080/healthz"]))
        return result.exitCode == 0
    }

    @Test func anInstanceIsFoundByAllItsNamesInAllItsNetworks() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withNetworks(2) { networks in
                let made = try await swarm.createReady("alice") {
                    $0.specific = [
                        "network": .string(networks[0]), "aliases": .strings(["ide"]),
                        "networks": .list([
                            .map(["name": .string(networks[1]), "aliases": .strings(["back"])]),
                            .texts(["name": "bridge"]),
                        ]),
                    ]
                }
                let own = DockerEngine.isPodman ? "podman" : "bridge"
                #expect(
                    made.metadata["networks"]?.split(separator: " ").map(String.init)
                        == [own, networks[0], networks[1]].sorted())
                let first = try await swarm.createReady("bob") {
                    $0.specific = ["network": .string(networks[0])]
                }
                let second = try await swarm.createReady("carol") {
                    $0.specific = ["network": .string(networks[1])]
                }
                #expect(try await isReached("ide", from: first, swarm))
                #expect(try await isReached("back", from: second, swarm))
                #expect(try await isReached("alice", from: second, swarm))
                #expect(try await !isReached("back", from: first, swarm))
                // Its address is that of the network that it was made in.
                let look = try await swarm.provider.executeCommand(
                    first.reference, Command(["busybox", "nslookup", "ide"]))
                let said = String(decoding: look.standardOutput, as: UTF8.self)
                #expect(said.contains(made.network.internalIp ?? "none"), "\(said)")
            }
        }
    }

    @Test func anAddressThatIsAnothersIsSaidAndNothingIsLeft() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withNetworks(2, subnets: true) { networks in
                let subnet = try await swarm.subnet(of: networks[0])
                func wish(_ network: String, _ config: inout InstanceConfig) {
                    let end = Value.texts(["name": networks[0], "ipAddress": subnet + "77"])
                    config.specific =
                        network == networks[0]
                        ? ["network": .string(network), "ipAddress": .string(subnet + "77")]
                        : ["network": .string(network), "networks": .list([end])]
                }
                let holder = try await swarm.create("alice") { wish(networks[0], &$0) }
                #expect(holder.network.internalIp == subnet + "77")
                for network in networks {
                    let config = swarm.config("bob") { wish(network, &$0) }
                    let error = try await failure { () throws(ProviderFailure) in
                        try await swarm.provider.createInstance(swarm.request(config))
                    }
                    #expect(error.error?.code == .addressTaken, "\(error)")
                    #expect(error.error?.isRetryable == true)
                    #expect(error.description.contains("specific.ipAddress"))
                    #expect(try await swarm.provider.listInstances(.all).count == 1)
                }
            }
        }
    }

    @Test func aFurtherNetworkThatIsMissingIsSaidAndNothingIsLeft() async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("alice") {
                $0.specific?["networks"] = .list([.texts(["name": "pal-no-such"])])
            }
            for prepares in [true, false] {
                let error = try await failure { () throws(ProviderFailure) in
                    if prepares {
                        try await swarm.provider.prepareInstance(config) { _ in }
                    } else {
                        _ = try await swarm.provider.createInstance(swarm.request(config))
                    }
                }
                #expect(error.error?.code == .invalidConfig)
                #expect(error.description.contains("docker network create pal-no-such"))
                #expect(error.description.contains("specific.networks"))
            }
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    /// As a controller leaves it that is killed between the two calls.
    @Test func oneThatIsNotInAllItsNetworksIsMadeAnewInsteadOfBeingStarted() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withNetworks(1) { networks in
                let config = swarm.config("alice") {
                    $0.specific?["networks"] = .list([.texts(["name": networks[0]])])
                }
                let request = swarm.request(config)
                let body = CreateBody(
                    request: request, settings: swarm.provider.settings, ports: [])
                let answer = try await swarm.engine.send(
                    EngineCall(
                        "POST", "/containers/create",
                        query: [("name", "pal_\(swarm.name)_alice")], body: body.value))
                #expect(answer.isSuccess)
                let left = try #require(try await swarm.provider.listInstances(.all).first)
                let error = try await failure { () throws(ProviderFailure) in
                    try await swarm.provider.startInstance(left.reference)
                }
                #expect(error.error?.code == .notFound)
                let made = try await swarm.provider.createInstance(
                    swarm.request(config, starts: false))
                try await swarm.provider.startInstance(made.reference)
                let ready = try await swarm.wait(made.reference) { $0.readiness.isReady }
                #expect(ready.metadata["networks"]?.contains(networks[0]) == true)
            }
        }
    }

    @Test func eachPortIsPublishedWhereItsSpecSays() async throws {
        try await TestSwarm.run(specific: ["allow": .strings(["portAddresses"])]) { swarm in
            let made = try await swarm.createReady("alice") {
                $0.network.ports = [PortMapping(internal: 9000), PortMapping(internal: 9001)]
                $0.specific?["portAddresses"] = .texts([
                    "8080": "127.0.0.7", "9000/tcp": "0.0.0.0",
                ])
            }
            #expect(made.network.urls.first?.hasPrefix("http://127.0.0.7:") == true)
            let detail = try #require(try await swarm.provider.inspect(made.providerInstanceId))
            let all = detail.ports.map {
                ["", "0.0.0.0"].contains($0.address) ? "all" : $0.address
            }
            #expect(all == ["127.0.0.7", "all", "127.0.0.1"])
        }
    }

    @Test(.notOnPodman("without systemd it repeats no check of health"))
    func theSpecsOwnCheckDecides() async throws {
        try await TestSwarm.run { swarm in
            let check: [String: Value] = [
                "command": .string("test -e /tmp/up || { echo not up; exit 1; }"),
                "retries": .int(1),
            ]
            let made = try await swarm.create("alice") {
                $0.editor = .custom
                $0.network.port = 8080
                $0.health.interval = TimeSpan(milliseconds: 100)
                $0.health.grace = TimeSpan(milliseconds: 1)
                $0.specific?["healthCheck"] = .map(check)
            }
            let bad = try await swarm.wait(made.reference) { $0.metadata["health"] == "unhealthy" }
            #expect(bad.readiness == .notReady("its health check fails: not up"))
            _ = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", "echo > /tmp/up"]))
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
        }
    }

    @Test(.needsChangesOfLimits) func aChangeOfMemoryLeavesWhatIsSaidOfSwap() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.resources.memoryMax = 100
                $0.specific?["memorySwap"] = .int(100)
            }
            for memory in [50, 64, 100] {
                let change = FieldChange(
                    path: "resources.memory.max", from: nil, to: .int(memory))
                _ = try await swarm.provider.updateInstance(
                    made.reference, PartialConfig([change]))
                let answer = try await swarm.engine.send(
                    EngineCall("GET", "/containers/\(made.providerInstanceId)/json"))
                let container = try answer.decoded(as: Value.self)
                #expect(container.number("HostConfig.Memory") == memory << 20)
                #expect(container.number("HostConfig.MemorySwap") == 100 << 20)
            }
        }
    }
}

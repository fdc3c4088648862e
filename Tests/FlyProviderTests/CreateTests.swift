import FlyEmulation
import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import FlyProvider

@Suite("Creations on Fly.io", .timeLimit(.minutes(2)))
struct CreateTests {
    @Test("the app is made once, with its addresses, and the machine as it was declared")
    func asDeclared() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.env = ["A": "1"]
                $0.resources.cpuCores = 2
                $0.resources.memoryMax = 1024
                $0.resources.storagePersistent = true
                $0.resources.storageSize = 3
                $0.health.path = "/ok"
                $0.labels = ["team": "blue"]
            }
            _ = try await swarm.create("bob")
            #expect(swarm.fly.apps() == ["pal-team"])
            let actions = swarm.fly.calls.map { "\($0.method) \($0.path)" }
            #expect(actions.count { $0 == "POST /v1/apps" } == 1)
            #expect(actions.count { $0.hasSuffix("/ip_assignments") && $0.hasPrefix("POST") } == 2)
            let machine = try swarm.machine(made)
            #expect(machine.name == "pal-team-alice")
            #expect(machine.region == "fra")
            let config = machine.value
            #expect(config["guest.cpus"] == .int(2))
            #expect(config["guest.memory_mb"] == .int(1024))
            #expect(config["env.A"] == .string("1"))
            #expect(config["metadata.team"] == .string("blue"))
            #expect(config["metadata.pal_name"] == .string("alice"))
            #expect(config["checks.editor.path"] == .string("/ok"))
            let volume = try #require(swarm.fly.volumes(app: "pal-team").first)
            #expect(volume.sizeGB == 3)
            #expect(volume.region == "fra")
            #expect(machine.volumes == [volume.id])
            #expect(made.network.urls.first?.hasPrefix("https://pal-team.fly.dev:") == true)
            #expect(made.ownership.name == "alice")
        }
    }

    @Test("what the server adds and rewrites is no drift", arguments: [false, true])
    func normalised(integerDurations: Bool) async throws {
        var options = FlyEmulation.Options()
        options.integerDurations = integerDurations
        try await FlySwarm.run(options: options) { swarm in
            let config = swarm.config("alice") {
                $0.env = ["B": "2"]
                $0.resources.storagePersistent = true
                $0.resources.storageSize = 1
                $0.resources.memoryMax = 512
            }
            _ = try await swarm.provider.createInstance(swarm.request(config))
            let seen = try #require(try await swarm.provider.listInstances(.all).first)
            let compared = swarm.provider.getCapabilities().comparedFields
            let differing = compared.differing(config, seen.config.value).filter {
                $0.isMeaningful(in: config)
            }
            #expect(differing.map(\.path) == [])
            #expect(seen.ownership.specHash == swarm.provider.getCapabilities().hash(of: config))
        }
    }

    @Test(
        "an answer that is lost is looked for, and nothing is made twice",
        arguments: [
            Fault.effectThen500(.createMachine), .timeoutAfterEffect(.createMachine),
            .dropAnswer(.createMachine),
        ])
    func lostAnswer(fault: Fault) async throws {
        try await FlySwarm.run { swarm in
            let request = swarm.request(swarm.config("alice"))
            swarm.fly.fail(fault)
            let lost = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(request)
            }
            #expect(lost.isAmbiguous, "\(lost)")
            let found = try await swarm.provider.listInstances(.all)
            #expect(found.map(\.name) == ["alice"])
            let again = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(request)
            }
            #expect(again.error?.code == .alreadyExists)
            #expect(again.description.contains(found[0].providerInstanceId))
            #expect(swarm.fly.machines(app: "pal-team").count == 1)
        }
    }

    @Test("a stranger that has the name is left alone, and said")
    func nameTaken() async throws {
        try await FlySwarm.run { swarm in
            _ = try await swarm.create("bob")
            swarm.fly.makeForeignMachine(app: "pal-team", name: "pal-team-alice", metadata: [:])
            let taken = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(swarm.config("alice")))
            }
            #expect(taken.error?.code == .nameTaken)
            #expect(taken.description.contains("fly machine destroy"))
            #expect(try await swarm.provider.listInstances(.all).map(\.name) == ["bob"])
            #expect(swarm.fly.machines(app: "pal-team").count == 2)
        }
    }

    @Test(
        "a volume that Fly.io does not give yet is waited for",
        arguments: [Fault.volumeStillClaimed, .volumeNotFoundYet])
    func lateVolume(fault: Fault) async throws {
        try await FlySwarm.run { swarm in
            swarm.fly.fail(fault, times: 2)
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            #expect(made.status == .running)
            #expect(swarm.fly.volumes(app: "pal-team").count == 1)
        }
    }

    @Test("where there is no room the region is named, and the new volume goes again")
    func noRoom() async throws {
        try await FlySwarm.run { swarm in
            swarm.fly.fail(.insufficientCapacity)
            let config = swarm.config("alice") { $0.resources.storagePersistent = true }
            let full = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(full.error?.code == .noCapacity)
            #expect(full.error?.isRetryable == true)
            #expect(full.description.contains("fra"))
            try await swarm.eventually("no volume is left") {
                try await swarm.provider.listStorage().isEmpty
            }
            let made = try await swarm.provider.createInstance(swarm.request(config))
            #expect(made.status == .running)
        }
    }

    @Test("a boot that takes longer than a wait may is no stopped machine")
    func slowBoot() async throws {
        try await FlySwarm.run(speed: 20) { swarm in
            swarm.fly.fail(.slowBoot)
            let made = try await swarm.create("alice")
            #expect(made.status != .stopped)
            let waits = swarm.fly.calls.filter { $0.path.hasSuffix("/wait") }
            #expect(waits.allSatisfy { $0.query.contains("version=") })
            let slices = waits.compactMap { $0.query.firstMatch(of: /timeout=(\d+)/)?.1 }
            #expect(
                slices.count == waits.count && slices.allSatisfy { (1...60).contains(Int($0) ?? 0) }
            )
            try await swarm.eventually("it runs") { try await swarm.get(made).status == .running }
        }
    }

    @Test("no two instances of an app get the same port, and a fixed one that is taken is said")
    func ports() async throws {
        try await FlySwarm.run { swarm in
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for index in 1...8 {
                    group.addTask { try await swarm.create("i\(index)").network.port }
                }
                var ports: Set<Int?> = []
                for try await port in group { ports.insert(port) }
                #expect(ports.count == 8 && !ports.contains(nil))
            }
            let port = try #require(
                try await swarm.provider.listInstances(.all).first?.network.port)
            let config = swarm.config("late") {
                $0.network.ports = [.init(internal: 8080, external: port)]
            }
            // As another process that has not listed yet.
            let other = try swarm.anotherProvider()
            let taken = try await failure { () throws(ProviderFailure) in
                try await other.createInstance(swarm.request(config))
            }
            await other.shutdown()
            #expect(taken.error?.code == .portTaken)
            #expect(taken.description.contains("'i1'"))
        }
    }

    @Test("ports, entry point, swap and restart policy are as the spec says")
    func specifics() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.network.ports = [
                    .init(internal: 8080, external: 443, protocol: "tcp"),
                    .init(internal: 2222, external: 2222),
                ]
                $0.specific = [
                    "rawPorts": .list([.int(2222)]), "swap": .int(512),
                    "entrypoint": .list([.string("/bin/sh")]), "restart": .string("no"),
                ]
                $0.command = ["-c", "sleep 1000"]
            }
            #expect(made.network.urls == ["https://pal-team.fly.dev/"])
            let config = try swarm.machine(made).value
            #expect(config["init.entrypoint"] == .list([.string("/bin/sh")]))
            #expect(config["init.swap_size_mb"] == .int(512))
            #expect(config["restart.policy"] == .string("no"))
            guard case .list(let services)? = config["services"] else {
                throw TestFailure("no services: \(config)")
            }
            let handlers = services.map { service -> [Value] in
                guard case .list(let ports)? = service["ports"],
                    case .list(let handlers)? = ports.first?["handlers"]
                else { return [] }
                return handlers
            }
            #expect(handlers == [[.string("tls"), .string("http")], []])
        }
    }

    @Test("an address that not everybody reaches is said")
    func reach() async throws {
        try await FlySwarm.run { swarm in
            let usual = try await swarm.create("alice")
            #expect(usual.notices.contains { $0.contains("IPv6 alone") })
            let https = try await swarm.create("bob") {
                $0.network.ports = [.init(internal: 8080, external: 443)]
            }
            #expect(https.network.urls == ["https://pal-team.fly.dev/"])
            #expect(https.notices.isEmpty)
        }
        try await FlySwarm.run(specific: ["ips": .list([.string("v6"), .string("v4")])]) { swarm in
            let everywhere = try await swarm.create("alice")
            #expect(everywhere.notices.isEmpty)
        }
    }

    @Test("an editor gets its own password, in a file, and shows it to 'open' alone")
    func password() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.editor = .codeServer
                $0.network.port = nil
            }
            let access = try await swarm.provider.getAccess(made.reference)
            guard case .password(let value) = access.credential, let text = value.text else {
                throw TestFailure("no password: \(access)")
            }
            let machine = try swarm.machine(made)
            let file = try #require(machine.files["/run/secrets/pal-code-server.yaml"])
            #expect(String(decoding: file, as: UTF8.self).contains(text))
            #expect(!"\(try await swarm.get(made))".contains(text))
            #expect(made.config.env?["CODE_SERVER_CONFIG"] == nil)
        }
    }

    @Test("a name of an app that is somebody else's is said, and what to set")
    func foreignApp() async throws {
        var options = FlyEmulation.Options()
        options.foreignApps = ["pal-team"]
        try await FlySwarm.run(options: options) { swarm in
            let foreign = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.initialize()
            }
            #expect(foreign.error?.kind == .configuration)
            #expect(foreign.description.contains("specific.app"))
        }
    }

    @Test("an app that Fly.io shows late is waited for")
    func lateApp() async throws {
        var options = FlyEmulation.Options()
        options.delays.appVisible = .seconds(8)
        try await FlySwarm.run(options: options) { swarm in
            let made = try await swarm.create("alice")
            #expect(made.status == .running)
        }
    }
}

import FlyEmulation
import Foundation
import Logging
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import FlyProvider

@Suite("What a spec may say to Fly.io")
struct RulesTests {
    private func provider(
        _ specific: [String: Value] = [:], swarm: String = "team", region: String? = nil
    ) throws -> FlyProvider {
        FlyProvider(
            try FlySettings(
                ProviderSettings(
                    type: "fly", name: "fly", region: region, swarm: swarm, dataDirectory: "/tmp",
                    specific: specific)), logger: Logger(label: "test"))
    }

    private func problems(_ edit: (inout InstanceConfig) -> Void) throws -> [String] {
        var config = InstanceConfig(name: "alice")
        edit(&config)
        return try provider().validateInstanceConfig(config).map(\.path)
    }

    @Test("what a machine cannot be is refused, each with its field")
    func refused() throws {
        #expect(try problems { _ in } == [])
        #expect(try problems { $0.region = "fra" } == [])
        #expect(try problems { $0.region = "frankfurt" } == ["region"])
        #expect(try problems { $0.resources.cpuCores = 0.5 } == ["resources.cpu.cores"])
        #expect(try problems { $0.resources.memoryMax = 300 } == ["resources.memory.max"])
        #expect(try problems { $0.resources.memoryMax = 4096 } == ["resources.memory.max"])
        #expect(
            try problems {
                $0.resources.memoryMax = 4096
                $0.specific = ["cpuKind": .string("performance")]
            } == [])
        #expect(try problems { $0.workspacePath = "/srv" } == ["workspacePath"])
        #expect(try problems { $0.extensions = ["golang.go"] } == ["extensions"])
        #expect(try problems { $0.labels = ["pal_id": "x"] } == ["labels"])
        #expect(
            try problems {
                $0.resources.storagePersistent = false
                $0.resources.storageSize = 5
            } == ["resources.storage.size"])
        #expect(
            try problems {
                $0.network.ports = [.init(internal: 53, external: 53, protocol: "udp")]
            } == ["network.ports"])
        #expect(
            try problems { $0.specific = ["cpukind": .string("shared")] } == ["specific.cpukind"])
        #expect(try problems { $0.editor = .vscode } == ["image"])
        let long = String(repeating: "a", count: 23)
        #expect(try problems { $0.name = long } == ["name"])
        #expect(
            try problems {
                $0.name = long
                $0.resources.storagePersistent = false
            } == [])
    }

    @Test("the operator's own mistakes are said")
    func operators() throws {
        for (specific, says) in [
            (["ap": Value.string("x")], "did you mean 'app'?"),
            (["app": .string("My App")], "name of an app"),
            (["ips": .list([.string("v5")])], "v6"),
            (["tokenFile": .string("token")], "absolute path"),
        ] {
            let error = #expect(throws: ProviderFailure.self) { try provider(specific) }
            #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        }
        #expect(try provider(["app": .string("x")], swarm: "my_team").settings.app == "x")
    }

    @Test("what Fly.io cannot take of the swarm is said when the provider is used, and not before")
    func lateFlaws() async throws {
        for (flawed, says) in [
            (try provider(region: "eu-west-1"), "no region"),
            (try provider(swarm: "my_team"), "specific.app"),
        ] {
            let failure = try await failure { () throws(ProviderFailure) in
                try await flawed.initialize()
            }
            #expect(failure.error?.kind == .configuration)
            #expect(failure.description.contains(says), "\(failure)")
            await flawed.shutdown()
        }
    }

    @Test("a volume's name says whose it is, and only to its own swarm and provider")
    func volumeNames() throws {
        let (own, other) = (try provider().settings, try provider(swarm: "other").settings)
        let name = FlyName.volume(own, name: "alice-2")
        #expect(name.wholeMatch(of: /[a-z0-9_]{1,30}/) != nil)
        #expect(FlyName.owner(ofVolume: name, own) == "alice-2")
        #expect(FlyName.owner(ofVolume: name, other) == nil)
        #expect(FlyName.owner(ofVolume: "data", own) == nil)
        let longest = String(repeating: "a", count: FlyName.longestWithVolume)
        #expect(FlyName.volume(own, name: longest).count <= 30)
    }

    @Test("the holder of a name is read from the refusal")
    func holder() {
        let message =
            #"already_exists: unique machine name violation, machine ID 3d8d9e already exists"#
        #expect(FlyProvider.holder(message) == "3d8d9e")
        #expect(FlyProvider.holder("aborted: concurrent update") == nil)
    }

    @Test("two providers in one app do not see each other's machines")
    func providers() async throws {
        try await FlySwarm.run { swarm in
            let other = try swarm.anotherProvider { $0.name = "fly-ams" }
            let made = try await swarm.create("alice")
            #expect(try await other.listInstances(.all).isEmpty)
            #expect(try await !other.deleteInstance(made.reference))
            let taken = try await failure { () throws(ProviderFailure) in
                try await other.createInstance(swarm.request(swarm.config("alice")))
            }
            #expect(taken.error?.code == .nameTaken)
            let ports = try await [
                made.network.port,
                other.createInstance(swarm.request(swarm.config("bob"))).network.port,
            ]
            #expect(Set(ports).count == 2)
            await other.shutdown()
        }
    }

    @Test("two swarms in one app do not see each other's machines and volumes")
    func swarms() async throws {
        try await FlySwarm.run { swarm in
            let other = try swarm.anotherProvider {
                $0.swarm = "rest"
                $0.specific = ["app": .string("pal-team")]
            }
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            #expect(try await other.listInstances(.all).isEmpty)
            #expect(try await other.listStorage().isEmpty)
            #expect(try await other.getInstance(made.reference) == nil)
            #expect(try await !other.deleteInstance(made.reference))
            let volume = try #require(swarm.fly.volumes(app: "pal-team").first)
            #expect(try await !other.deleteStorage(volume.id))
            #expect(try await swarm.get(made).status == .running)
            await other.shutdown()
        }
    }
}

import FlyEmulation
import Foundation
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import FlyProvider

@Suite("Changes on Fly.io", .timeLimit(.minutes(2)))
struct UpdateTests {
    private func change(_ path: String, _ from: Value?, _ to: Value?) -> PartialConfig {
        PartialConfig([FieldChange(path: path, from: from, to: to)])
    }

    @Test(
        "image, variables and size change by a restart of the same machine; all else stays",
        arguments: [false, true])
    func restart(flatLeases: Bool) async throws {
        var options = FlyEmulation.Options()
        options.flatLeases = flatLeases
        try await FlySwarm.run(options: options) { swarm in
            let made = try await swarm.create("alice") {
                $0.env = ["A": "1"]
                $0.resources.memoryMax = 512
            }
            swarm.fly.edit(machine: made.providerInstanceId, app: "pal-team") {
                $0["schedule"] = .string("daily")
            }
            let before = try swarm.machine(made)
            let updated = try await swarm.provider.updateInstance(
                made.reference,
                PartialConfig([
                    FieldChange(
                        path: "image", from: nil, to: .string("registry.example.org/editor:2")),
                    FieldChange(path: "env", from: nil, to: .map(["B": .string("2")])),
                    FieldChange(
                        path: "resources.memory.max", from: .int(512), to: .int(1024)),
                ]))
            #expect(updated.providerInstanceId == made.providerInstanceId)
            #expect(updated.config.image == "registry.example.org/editor:2")
            #expect(updated.config.env == ["B": "2"])
            #expect(updated.config.resources.memoryMax == 1024)
            #expect(updated.status == .running)
            let after = try swarm.machine(made)
            #expect(after.version != before.version)
            #expect(after.value["schedule"] == .string("daily"))
            #expect(after.value["env.PORT"] == .string("8080"))
            #expect(after.value["guest.cpus"] == before.value["guest.cpus"])
            let releases = swarm.fly.calls.filter {
                $0.method == "DELETE" && $0.path.hasSuffix("/lease")
            }
            #expect(releases.count == 1)
        }
    }

    @Test("what is stopped stays stopped")
    func stopped() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            try await swarm.provider.stopInstance(made.reference, force: false)
            let updated = try await swarm.provider.updateInstance(
                made.reference, change("env", nil, .map(["B": .string("2")])))
            #expect(updated.status == .stopped)
            #expect(updated.config.env == ["B": "2"])
        }
    }

    @Test("a stranger's lease is respected, and nothing is changed")
    func lease() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            let before = try swarm.machine(made)
            swarm.fly.hold(leaseOn: made.providerInstanceId, app: "pal-team")
            let busy = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.updateInstance(
                    made.reference, change("env", nil, .map(["B": .string("2")])))
            }
            #expect(busy.error?.isRetryable == true)
            #expect(try swarm.machine(made) == before)
            swarm.fly.release(leaseOn: made.providerInstanceId, app: "pal-team")
            let updated = try await swarm.provider.updateInstance(
                made.reference, change("env", nil, .map(["B": .string("2")])))
            #expect(updated.config.env == ["B": "2"])
        }
    }

    @Test(
        "what Fly.io refuses for now is tried again, and nothing is changed",
        arguments: [Fault.concurrentUpdate, .insufficientMemoryOnHost, .maintenance])
    func refused(fault: Fault) async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            let before = try swarm.machine(made)
            swarm.fly.fail(fault)
            let refused = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.updateInstance(
                    made.reference, change("resources.memory.max", nil, .int(1024)))
            }
            #expect(refused.error.map(\.isRetryable) ?? refused.isAmbiguous)
            #expect(try swarm.machine(made).value == before.value)
            _ = try await swarm.provider.updateInstance(
                made.reference, change("resources.memory.max", nil, .int(1024)))
            #expect(try swarm.machine(made).value["guest.memory_mb"] == .int(1024))
        }
    }

    @Test("an update whose answer is lost is ambiguous, and the next look shows it")
    func lostAnswer() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            swarm.fly.fail(.effectThen500(.updateMachine))
            let lost = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.updateInstance(
                    made.reference, change("env", nil, .map(["B": .string("2")])))
            }
            #expect(lost.isAmbiguous)
            #expect(try await swarm.get(made).config.env == ["B": "2"])
        }
    }

    @Test("a volume grows where it is; a smaller one, or another region, would lose the home")
    func volume() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.resources.storagePersistent = true
                $0.resources.storageSize = 2
            }
            #expect(made.config.resources.storageSize == 2)
            let updated = try await swarm.provider.updateInstance(
                made.reference, change("resources.storage.size", .int(2), .int(5)))
            #expect(updated.config.resources.storageSize == 5)
            #expect(swarm.fly.volumes(app: "pal-team").map(\.sizeGB) == [5])
            let smaller = FieldChange(path: "resources.storage.size", from: .int(5), to: .int(2))
            #expect(swarm.provider.classify(smaller) == .replaceLosingData)
            let moved = FieldChange(path: "region", from: nil, to: .string("ams"))
            #expect(swarm.provider.classify(moved) == .replaceLosingData)
            let unsaid = FieldChange(path: "region", from: .string("fra"), to: nil)
            #expect(swarm.provider.classify(unsaid) == .live)
            let refused = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.updateInstance(made.reference, PartialConfig([smaller]))
            }
            guard case .needsReplacement = refused else {
                throw TestFailure("updated all the same: \(refused)")
            }
        }
    }

    @Test("without a region in its spec an instance is where its volume is")
    func regionOfTheVolume() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            _ = try await swarm.provider.deleteInstance(made.reference)
            let other = try swarm.anotherProvider { $0.region = "ams" }
            let again = try await other.createInstance(
                swarm.request(
                    swarm.config("alice") { $0.resources.storagePersistent = true },
                    generation: 2))
            #expect(again.providerRegion == "fra")
            await other.shutdown()
        }
    }

    @Test("of two volumes with its name pal takes neither")
    func twoVolumes() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            _ = try await swarm.provider.deleteInstance(made.reference)
            let first = try #require(swarm.fly.volumes(app: "pal-team").first)
            let second = try await swarm.api(
                "POST", "/v1/apps/pal-team/volumes",
                #"{"name": "\#(first.name)", "region": "fra", "size_gb": 1}"#)
            #expect((200...201).contains(second.status))
            let refused = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(
                    swarm.request(
                        swarm.config("alice") { $0.resources.storagePersistent = true },
                        generation: 2))
            }
            #expect(refused.error?.kind == .configuration)
            #expect(refused.description.contains(first.id))
        }
    }

    @Test("more cores bring the memory that they need at least")
    func cores() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice")
            let updated = try await swarm.provider.updateInstance(
                made.reference, change("resources.cpu.cores", nil, .int(8)))
            #expect(updated.config.resources.cpuCores == 8)
            #expect(updated.config.resources.memoryMax == 2048)
        }
    }

    @Test("a volume that somebody made larger is no drift")
    func foreignGrowth() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            #expect(made.config.resources.storageSize == 10)
            let volume = try #require(swarm.fly.volumes(app: "pal-team").first)
            let grown = try await swarm.api(
                "PUT", "/v1/apps/pal-team/volumes/\(volume.id)/extend", #"{"size_gb": 30}"#)
            #expect(grown.status == 200)
            let seen = try #require(try await swarm.provider.listInstances(.all).first)
            #expect(seen.config.resources.storageSize == 10)
            #expect(seen.resources.storage.limit == 30)
        }
    }

    @Test("files whose content Fly.io does not tell are not overwritten with nothing")
    func files() {
        func tells(_ file: [String: Value]) -> Bool {
            MachineUpdate.tellsFiles(.map(["files": .list([.map(file)])]))
        }
        #expect(MachineUpdate.tellsFiles(.map([:])))
        #expect(tells(["guest_path": .string("/a"), "raw_value": .string("eA==")]))
        #expect(tells(["guest_path": .string("/a"), "secret_name": .string("A")]))
        #expect(!tells(["guest_path": .string("/a")]))
        #expect(!tells(["guest_path": .string("/a"), "raw_value": .string("")]))
    }

    @Test("what only a new machine has right is a replacement")
    func classes() async throws {
        try await FlySwarm.run { swarm in
            func kind(_ path: String, _ from: Value?, _ to: Value?) -> ChangeClass {
                swarm.provider.classify(FieldChange(path: path, from: from, to: to))
            }
            #expect(kind("image", .string("a"), .string("b")) == .restart)
            #expect(kind("image", .string("a"), nil) == .replace)
            #expect(kind("resources.memory.max", .int(512), nil) == .replace)
            #expect(kind("env", nil, .map(["A": .string("1")])) == .restart)
            #expect(kind("env", nil, .map(["PASSWORD": .string("1")])) == .replace)
            #expect(kind("env", .map(["PORT": .string("1")]), nil) == .replace)
            #expect(kind("command", nil, .list([.string("x")])) == .replace)
        }
    }

    @Test("a kept volume in another region is said, with what helps; nothing new is made")
    func elsewhere() async throws {
        try await FlySwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            _ = try await swarm.provider.deleteInstance(made.reference)
            let moved = swarm.config("alice") {
                $0.resources.storagePersistent = true
                $0.region = "ams"
            }
            // Before a replacement destroys anything, too.
            let early = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.prepareInstance(moved)
            }
            let refused = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(moved, generation: 2))
            }
            #expect(early == refused)
            #expect(refused.error?.kind == .configuration)
            #expect(refused.description.contains("region: fra"))
            #expect(swarm.fly.volumes(app: "pal-team").count == 1)
            #expect(swarm.fly.machines(app: "pal-team").filter { $0.state == "started" }.isEmpty)
        }
    }
}

import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("The life of an instance on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct LifecycleTests {
    @Test("it stops when asked, starts again on the same port, and doing either twice is harmless")
    func stopAndStart() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("alice")
            for _ in 1...2 {
                try await swarm.provider.stopInstance(made.reference, force: false)
            }
            let stopped = try #require(try await swarm.provider.getInstance(made.reference))
            #expect(stopped.status == .stopped)
            #expect(stopped.exit?.code == 0)
            #expect(stopped.readiness == .unknown)
            #expect(stopped.network.port == made.network.port)
            for _ in 1...2 { try await swarm.provider.startInstance(made.reference) }
            let again = try await swarm.wait(made.reference) { $0.readiness.isReady }
            #expect(again.network.port == made.network.port)
            #expect(again.providerInstanceId == made.providerInstanceId)
        }
    }

    @Test(
        "force kills what does not listen to SIGTERM, also while it waits for its next restart",
        .notOnPodman("it restarts at once, and is never seen waiting"))
    func force() async throws {
        try await TestSwarm.run { swarm in
            let deaf = try await swarm.create("deaf") { $0.command = ["sleep", "1000"] }
            try await swarm.provider.stopInstance(deaf.reference, force: true)
            let killed = try #require(try await swarm.provider.getInstance(deaf.reference))
            #expect(killed.status == .stopped)
            #expect(killed.exit?.code == 137)
            #expect(killed.exit?.signal == 9)
            try await swarm.provider.stopInstance(deaf.reference, force: true)

            let failing = try await swarm.create("failing") {
                $0.command = ["sh", "-c", "exit 3"]
            }
            let restarting = try await swarm.wait(failing.reference) { $0.status == .starting }
            #expect(restarting.exit?.code == 3)
            guard case .notReady(let reason) = restarting.readiness else {
                throw TestFailure("ready while it restarts")
            }
            #expect(reason.contains("exit code 3"))
            try await swarm.provider.stopInstance(failing.reference, force: true)
            #expect(try await swarm.provider.getInstance(failing.reference)?.status == .stopped)
        }
    }

    @Test("a stop ends what ends and starts again without end, and it stays ended")
    func crashLoop() async throws {
        try await TestSwarm.run { swarm in
            let failing = try await swarm.create("failing") { $0.command = ["sh", "-c", "exit 3"] }
            _ = try await swarm.wait(failing.reference) { $0.exit?.code == 3 }
            for force in [false, true] {
                try await swarm.provider.stopInstance(failing.reference, force: force)
                for _ in 1...15 {
                    let now = try await swarm.provider.getInstance(failing.reference)
                    #expect(now?.status == .stopped)
                    try await Task.sleep(for: .milliseconds(100))
                }
                try await swarm.provider.startInstance(failing.reference)
            }
        }
    }

    @Test("one that somebody paused counts as stopped, and goes on when it is started")
    func paused() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("alice")
            let pause = "/containers/\(made.providerInstanceId)/pause"
            for force in [false, true] {
                _ = try await swarm.engine.send(EngineCall("POST", pause))
                let paused = try #require(try await swarm.provider.getInstance(made.reference))
                #expect(paused.status == .stopped)
                #expect(paused.metadata["state"] == "paused")
                try await swarm.provider.startInstance(made.reference)
                // Late news of the pause may make the Engine say once more that it is paused, after
                // it has answered that it goes on: twice in 3,200 times on a busy machine.
                _ = try await swarm.wait(made.reference) { $0.status == .running }
                _ = try await swarm.engine.send(EngineCall("POST", pause))
                try await swarm.provider.stopInstance(made.reference, force: force)
                let stopped = try await swarm.provider.getInstance(made.reference)
                #expect(stopped?.metadata["state"] == "exited")
                try await swarm.provider.startInstance(made.reference)
            }
        }
    }

    @Test("deleting ends it, keeps its volume, and a second time says that there was none")
    func delete() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            #expect(try await swarm.provider.deleteInstance(made.reference))
            #expect(try await swarm.provider.getInstance(made.reference) == nil)
            #expect(try await !swarm.provider.deleteInstance(made.reference))
            let kept = try await swarm.provider.listStorage()
            #expect(kept.map(\.instanceName) == ["alice"])
            #expect(try await swarm.provider.deleteStorage(kept[0].providerStorageId))
            #expect(try await !swarm.provider.deleteStorage(kept[0].providerStorageId))
            #expect(try await swarm.provider.listStorage().isEmpty)
        }
    }

    @Test("many deletions of one instance at once all end well")
    func deletedAtOnce() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await swarm.provider.deleteInstance(made.reference) }
                }
                let answers = try await group.reduce(into: []) { $0.append($1) }
                #expect(answers.contains(true))
            }
            #expect(try await swarm.provider.getInstance(made.reference) == nil)
        }
    }

    @Test("a volume in use is not deleted, and one that is not pal's is not there")
    func storageInUse() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.resources.storagePersistent = true }
            let volume = "pal_\(swarm.name)_alice_home"
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.deleteStorage(volume)
            }
            #expect(failure.error?.code == .wrongState)
            _ = try await swarm.provider.deleteInstance(made.reference)

            let foreign = "pal-test-foreign-\(swarm.name)"
            _ = try await swarm.engine.send(
                EngineCall("POST", "/volumes/create", body: .texts(["Name": foreign])))
            #expect(try await !swarm.provider.deleteStorage(foreign))
            #expect(try await swarm.provider.listStorage().map(\.providerStorageId) == [volume])
            let still = try await swarm.engine.send(EngineCall("DELETE", "/volumes/\(foreign)"))
            #expect(still.status == 204)
        }
    }

    @Test(
        "nothing that is not the swarm's is changed",
        arguments: [[:], ["pal.swarm": "another", "pal.name": "x", "pal.id": "x"]])
    func foreign(labels: [String: String]) async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign(labels: labels, starts: true)
            let reference = InstanceReference(id: "x", providerInstanceId: id)
            let provider = swarm.provider
            #expect(try await provider.getInstance(reference) == nil)
            #expect(try await !provider.deleteInstance(reference))
            let limit = PartialConfig([
                FieldChange(path: "resources.memory.max", from: nil, to: .int(64))
            ])
            let refused = [
                try await failure { () throws(ProviderFailure) in
                    try await provider.stopInstance(reference, force: true)
                },
                try await failure { () throws(ProviderFailure) in
                    try await provider.startInstance(reference)
                },
                try await failure { () throws(ProviderFailure) in
                    _ = try await provider.updateInstance(reference, limit)
                },
                try await failure { () throws(ProviderFailure) in
                    _ = try await provider.executeCommand(reference, Command(["true"]))
                },
                try await failure { () throws(ProviderFailure) in
                    _ = try await provider.getInstanceLogs(reference, LogOptions())
                },
            ]
            #expect(refused.allSatisfy { $0.error?.code == .notFound })
            let detail = try #require(try await provider.inspectAny(id))
            #expect(detail.isRunning)
            #expect(detail.hostConfig.memory == 0)
            try await swarm.removeContainer(id)
        }
    }

    @Test("an instance is found by pal's id, and a container's name is not an id")
    func references() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let byID = try await swarm.provider.getInstance(InstanceReference(id: made.id))
            #expect(byID?.providerInstanceId == made.providerInstanceId)
            for wrong in [
                "pal_\(swarm.name)_alice", String(made.providerInstanceId.prefix(12)), "",
            ] {
                let reference = InstanceReference(id: made.id, providerInstanceId: wrong)
                #expect(try await swarm.provider.getInstance(reference) == nil)
            }
            #expect(try await swarm.provider.getInstance(InstanceReference(id: "nobody")) == nil)
        }
    }

    @Test(
        "limits change while it runs; a limit is not lifted that way",
        .needsChangesOfLimits)
    func update() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("alice") { $0.resources.memoryMax = 32 }
            let more = PartialConfig([
                FieldChange(path: "resources.cpu.cores", from: nil, to: .double(0.5)),
                FieldChange(path: "resources.memory.min", from: nil, to: .int(48)),
                FieldChange(path: "resources.memory.max", from: .int(32), to: .int(96)),
            ])
            let updated = try await swarm.provider.updateInstance(made.reference, more)
            #expect(updated.providerInstanceId == made.providerInstanceId)
            #expect(updated.config.resources.cpuCores == 0.5)
            #expect(updated.config.resources.memoryMin == 48)
            #expect(updated.config.resources.memoryMax == 96)
            #expect(updated.updatedAt == made.updatedAt)
            let limit = try await swarm.provider.executeCommand(
                made.reference,
                Command([
                    "sh", "-c",
                    "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max "
                        + "2>/dev/null",
                ]))
            #expect(String(decoding: limit.standardOutput, as: UTF8.self) == "\(96 << 20)\n")
            let less = PartialConfig([
                FieldChange(path: "resources.memory.min", from: .int(48), to: .int(16)),
                FieldChange(path: "resources.memory.max", from: .int(96), to: .int(24)),
            ])
            let lowered = try await swarm.provider.updateInstance(made.reference, less)
            #expect(lowered.config.resources.memoryMax == 24)
            #expect(lowered.config.resources.cpuCores == 0.5)

            let beyond = PartialConfig([
                FieldChange(path: "resources.cpu.cores", from: nil, to: .double(0.25)),
                FieldChange(path: "resources.memory.max", from: .int(24), to: nil),
            ])
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.updateInstance(made.reference, beyond)
            }
            guard case .needsReplacement = failure else { throw failure }
            let same = try await swarm.provider.getInstance(made.reference)
            #expect(same?.config.resources.cpuCores == 0.5)
        }
    }

    @Test(
        "a first limit can be set on an instance without any, and a wrong one is refused",
        .needsChangesOfLimits)
    func firstLimit() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            #expect(made.config.resources == ResourceLimits())
            let first = PartialConfig([
                FieldChange(path: "resources.memory.max", from: nil, to: .int(64))
            ])
            let updated = try await swarm.provider.updateInstance(made.reference, first)
            #expect(updated.config.resources.memoryMax == 64)
            // Podman keeps what the machine does not have.
            guard !DockerEngine.isPodman else { return }
            let wrong = PartialConfig([
                FieldChange(path: "resources.cpu.cores", from: nil, to: .double(1000))
            ])
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.updateInstance(made.reference, wrong)
            }
            #expect(failure.error?.kind == .configuration)
        }
    }

    @Test(
        "out of memory is said",
        .notOnPodman("4.3 tells of no want of memory under version 1 of cgroups"))
    func outOfMemory() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("glutton") {
                $0.resources.memoryMax = 8
                $0.command = ["sh", "-c", "x=x; while true; do x=$x$x; done"]
            }
            let ended = try await swarm.wait(made.reference) { $0.exit?.isOutOfMemory == true }
            #expect(ended.exit?.text == "out of memory")
        }
    }
}

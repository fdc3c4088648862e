import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// Containers that somebody else made: described, taken over, and never touched unasked.
@Suite("Adoption on Docker", .needsDockerEngine)
struct AdoptTests {
    private func adoption(_ swarm: TestSwarm, _ id: String) -> Adoption {
        let config = swarm.config("a")
        return Adoption(
            object: id, id: "id-a",
            specHash: SpecHash(of: config, fields: swarm.provider.getCapabilities().hashedFields),
            config: config)
    }

    @Test func aContainerOfOthersIsListedOnlyWhereItIsAdopted() async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign(starts: true)
            #expect(try await swarm.provider.listInstances(.all) == [])
            let filter = InstanceFilter(adopting: [adoption(swarm, String(id.prefix(12)))])
            let found = try #require(try await swarm.provider.listInstances(filter).first)
            #expect(found.providerInstanceId == id)
            #expect(found.name == "a" && found.isAdopted == true && found.status == .running)
            #expect(found.ownership == adoption(swarm, id).ownership(in: swarm.name))
            let others = InstanceFilter(names: ["b"], adopting: [adoption(swarm, id)])
            #expect(try await swarm.provider.listInstances(others) == [])
            try await swarm.removeContainer(id)
        }
    }

    @Test func oneContainerUnderTwoNamesIsTheFirstOnes() async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign()
            var second = adoption(swarm, String(id.prefix(12)))
            second.config = swarm.config("b")
            let both = InstanceFilter(adopting: [adoption(swarm, id), second])
            #expect(try await swarm.provider.listInstances(both).map(\.name) == ["a"])
            let one = InstanceFilter(names: ["b"], adopting: both.adopting)
            #expect(try await swarm.provider.listInstances(one) == [])
            try await swarm.removeContainer(id)
        }
    }

    @Test(.needsChangesOfLimits)
    func whatIsAdoptedIsStoppedStartedChangedAndDeleted() async throws {
        try await TestSwarm.run { swarm in
            let policy: [String: Value] = [
                "Name": .string("on-failure"), "MaximumRetryCount": .int(5),
            ]
            let id = try await swarm.makeForeign(
                starts: true,
                [
                    "HostConfig": .map([
                        "RestartPolicy": .map(policy), "Memory": .int(32 << 20),
                        "MemorySwap": .int(100 << 20),
                    ])
                ])
            let filter = InstanceFilter(adopting: [adoption(swarm, id)])
            func look() async throws -> VSCodeInstance? {
                try await swarm.provider.listInstances(filter).first
            }
            let reference = try #require(try await look()).reference
            try await swarm.provider.stopInstance(reference, force: true)
            #expect(try await look()?.status == .stopped)
            try await swarm.provider.startInstance(reference)
            #expect(try await look()?.status == .running)
            let change = FieldChange(path: "resources.memory.max", from: nil, to: .int(64))
            let changed = try await swarm.provider.updateInstance(
                reference, PartialConfig([change]))
            #expect(changed.config.resources.memoryMax == 64 && changed.isAdopted == true)
            let kept = try #require(try await swarm.provider.inspect(id)).hostConfig
            #expect(kept.restartPolicy?.name == "on-failure" && kept.restartPolicy?.retries == 5)
            // The limit of both was lowered to that of memory.
            #expect(kept.memorySwap == 100 << 20)
            #expect(try await swarm.provider.deleteInstance(reference))
            #expect(try await look() == nil)
        }
    }

    @Test func withoutConsentNothingOfOthersIsTouched() async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign(starts: true)
            let bare = InstanceReference(id: "id-a", providerInstanceId: id)
            #expect(try await swarm.provider.deleteInstance(bare) == false)
            let foreign = Ownership(
                swarm: "another", name: "a", id: "id-a", generation: 0, specHash: SpecHash(text: "")
            )
            let wrong = InstanceReference(id: "id-a", providerInstanceId: id, adopted: foreign)
            #expect(try await swarm.provider.deleteInstance(wrong) == false)
            try await swarm.removeContainer(id)
        }
    }

    @Test func whatBelongsToAnotherSwarmIsNotAdopted() async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign(labels: ["pal.swarm": "other"])
            let filter = InstanceFilter(adopting: [adoption(swarm, id)])
            #expect(try await swarm.provider.listInstances(filter) == [])
            let described = try await swarm.provider.describeForeign()
            #expect(!described.contains { $0.providerInstanceId == id })
            try await swarm.removeContainer(id)
        }
    }

    @Test func aNamelessVolumeOfAnAdoptedContainerOutlivesIt() async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign(starts: true, ["Volumes": .map(["/v": .map([:])])])
            let all = try await swarm.provider.describeForeign()
            let described = try #require(all.first { $0.providerInstanceId == id })
            let volume = try #require(described.mounts.first?.source)
            let filter = InstanceFilter(adopting: [adoption(swarm, id)])
            let found = try #require(try await swarm.provider.listInstances(filter).first)
            #expect(try await swarm.provider.deleteInstance(found.reference))
            #expect(try await swarm.provider.volume(volume) != nil)
            _ = try await swarm.engine.send(EngineCall("DELETE", "/volumes/\(volume)"))
        }
    }

    @Test func aContainerIsDescribedWithoutWhatItsImageSays() async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign(
                labels: ["team": "x", "com.docker.compose.service": "web"],
                [
                    "Env": .strings(["A=1", "PASSWORD=p"]), "User": .string("1000"),
                    "WorkingDir": .string("/tmp"),
                    "HostConfig": .map([
                        "Memory": .int(64 << 20), "NanoCpus": .int(500_000_000),
                        "NetworkMode": .string("bridge"),
                        "Binds": .strings(["/tmp:/data:ro"]),
                        "CapAdd": .strings(["SYS_PTRACE"]),
                        "PortBindings": .map([
                            "8080/tcp": .list([
                                .texts(["HostIp": "127.0.0.1", "HostPort": "18377"])
                            ])
                        ]),
                    ]),
                ])
            let all = try await swarm.provider.describeForeign()
            let one = try #require(all.first { $0.providerInstanceId == id })
            #expect(one.name == "pal-test-foreign-\(swarm.name)" && !one.isRunning)
            #expect(one.config.image == BusyboxImage.name)
            #expect(one.config.command == nil, "that of the image is not the container's own")
            #expect(one.environment == ["A": "1", "PASSWORD": "p"])
            #expect(one.config.labels == ["team": "x"])
            #expect(one.config.resources.memoryMax == 64 && one.config.resources.cpuCores == 0.5)
            #expect(
                one.config.network.ports == [PortMapping(internal: 8080, external: 18377)])
            #expect(
                one.mounts == [
                    ForeignMount(kind: "bind", source: "/tmp", target: "/data", isReadOnly: true)
                ])
            #expect(one.config.specific?["user"] == .string("1000"))
            #expect(one.config.specific?["capAdd"] == .strings(["SYS_PTRACE"]))
            #expect(one.config.specific?["network"] == .string("bridge"))
            #expect(one.config.specific?["workingDir"] == .string("/tmp"))
            // Podman gives limits of its own to all.
            #expect(one.remarks.count == (DockerEngine.isPodman ? 1 : 0), "\(one.remarks)")
            try await swarm.removeContainer(id)
        }
    }
}

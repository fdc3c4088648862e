import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// What single seeds of the simulation found, played on the engine alone.
@Suite("What seeds found", .timeLimit(.minutes(10)))
struct SeedTests {
    private static let refusal = ProviderFailure.error(
        ProviderError(.instance, .notFound, "there is no such object", isRetryable: true))

    /// Seed 22310: a list that was behind led to a second creation, whose refusal made pal forget
    /// the first one; the name was given to another provider, and stood twice.
    @Test func aRefusedCreationSaysNothingOfTheOneBefore() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.onReplace = .discard
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.platform.state.withLock { state in
            state.hidden = ["a"]
            state.failures["create"] = Array(repeating: Self.refusal, count: 100)
        }
        try await swarm.perform(.once)
        #expect(swarm.platform.changes().count > 1, "the second creation was made, and refused")
        config.provider = "other"
        swarm.source.declare([config])
        try await swarm.perform(.once)
        #expect(swarm.other.objects.isEmpty)
    }

    /// Seed 23709: what left the spec while the new generation was not ready yet stayed for ever.
    @Test func aFieldThatLeavesTheSpecDuringAReplacementIsTakenOut() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a", "1")
        config.resources.storagePersistent = false
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.platform.state.withLock { $0.readiness = .notReady("warming up") }
        config.env = ["A": "2"]
        config.resources.memoryMax = 512
        swarm.source.declare([config])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { [config] group in
            group.addTask { await reconciler.run() }
            try await eventually("both stand") { swarm.platform.objects.count == 2 }
            var shorter = config
            shorter.resources.memoryMax = nil
            swarm.source.declare([shorter])
            swarm.platform.meddleNewest("a") { $0.readiness = .ready }
            try await eventually("the new one is as declared") {
                swarm.platform.objects.map(\.ownership.generation) == [2]
                    && swarm.platform.objects.allSatisfy { $0.config.resources.memoryMax == nil }
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    /// Seed 21615: pal ended before a creation was answered, and the update after it was refused:
    /// then nobody knew any more that it was pal that had set the field.
    @Test func aFieldOfACreationThatWasCutOffIsTakenOut() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.resources.memoryMax = 512
        let marks = Ownership(
            swarm: "test", name: "a", id: "id-a", generation: 1,
            specHash: SpecHash(of: config, fields: TestRules.hashed))
        _ = try await swarm.platform.createInstance(
            CreateRequest(config: config, ownership: marks))
        var cut = InstanceRecord(name: "a", id: "id-a", provider: "docker")
        cut.generation = 1
        cut.attempted = Shared(config)
        cut.issuedHashes = [marks.specHash]
        try swarm.ledger.save(cut)
        config.resources.memoryMax = nil
        swarm.source.declare([config])
        swarm.platform.state.withLock { $0.failures["update"] = [Self.refusal] }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.first?.config.resources.memoryMax == nil)
        #expect(swarm.platform.objects.count == 1)
    }
}

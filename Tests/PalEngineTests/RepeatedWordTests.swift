import PalLedger
import PalModel
import PalProvider
import Testing

@testable import PalEngine

/// What seeds of the simulation found about changes that are begun again and words that are given.
@Suite("Begun again and agreed to", .timeLimit(.minutes(2)))
struct RepeatedWordTests {
    private func orphan(_ name: String) -> CreateRequest {
        let unknown = SpecHash(text: "v1:0")
        return CreateRequest(
            config: InstanceConfig(name: name),
            ownership: Ownership(
                swarm: "test", name: name, id: "id-\(name)", generation: 1, specHash: unknown))
    }

    /// A list that was behind made the number grow with each attempt, and several new ones stand.
    @Test func aReplacementThatWasBegunIsBegunAgainUnderItsNumber() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.resources.storagePersistent = false
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        var record = try #require(try swarm.record("a"))
        record.generation = 2
        try swarm.ledger.save(record)
        config.env = ["A": "2"]
        swarm.source.declare([config])
        let plan = try #require(try await swarm.preview().plans.first)
        #expect(plan.steps.first?.verb == .create)
        #expect(plan.steps.first?.generation == 2)
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [2])
    }

    /// Approving two names failed where only one of them waited.
    @Test func ofTwoNamesTheOneThatWaitsIsApproved() async throws {
        let swarm = try TestSwarm()
        _ = try await swarm.platform.createInstance(orphan("old"))
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        let reply = try await swarm.perform(.approve, ["a", "old"])
        #expect(reply.isDone)
        #expect(
            Set(reply.messages) == ["a: nothing waits for approval", "old: approved and done"])
        #expect(swarm.platform.objects.map(\.name) == ["a"])
    }

    /// What another ledger made at a former provider could only be deleted by hand.
    @Test func whatAnotherLedgerMadeElsewhereGoesWithConsent() async throws {
        let swarm = try TestSwarm()
        var elsewhere = swarm.config("b")
        elsewhere.provider = "other"
        var moved = swarm.config("a")
        moved.onReplace = .discard
        swarm.source.declare([moved, elsewhere])
        _ = try await swarm.other.createInstance(orphan("a"))
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        #expect(reply.messages.contains { $0.contains("'pal approve a' deletes it there") })
        #expect(swarm.other.objects.map(\.name).sorted() == ["a", "b"])
        #expect(try await swarm.perform(.approve, ["a"]).isDone)
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.other.objects.map(\.name) == ["b"])
        #expect(swarm.platform.objects.map(\.name) == ["a"])
    }

    /// Two controllers' seed 3773: what was seen at a provider was stopped there, though its last
    /// list had failed, because the name stood at its own provider, too.
    @Test func whatAnotherProviderHadIsLeftAloneUntilThatOneIsListed() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.onReplace = .discard
        swarm.source.declare([config])
        let world = World(
            providers: [swarm.platform, swarm.other], records: [], clock: SystemClock())
        _ = world.take(await swarm.source.read())
        let here = try await swarm.platform.createInstance(orphan("a"))
        let there = try await swarm.other.createInstance(orphan("a"))
        for (name, object) in [("docker", here), ("other", there)] {
            _ = world.take([object], of: name, names: nil, since: .max, busy: [])
            world.providers[name]?.isListed = true
        }
        let key = try #require(world["a"])
        #expect(world.input(for: key, specsPath: "/specs").isObserved)
        world.providers["other"]?.fail("it does not answer", isPassing: false, most: 3)
        let input = world.input(for: key, specsPath: "/specs")
        #expect(!input.isObserved)
        #expect(
            input.providerProblem
                == "'other', which had it, cannot be asked: it does not answer")
        #expect(Planner.plan(input).steps.isEmpty)
    }

    /// Seed 3505: what a first list of another provider showed while a change was under way was not
    /// believed, and a second one was made beside it.
    @Test func whatStandsElsewhereIsNewsWhileAChangeIsUnderWayHere() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        let world = World(
            providers: [swarm.platform, swarm.other], records: [], clock: SystemClock())
        _ = world.take(await swarm.source.read())
        let here = try await swarm.platform.createInstance(orphan("a"))
        let there = try await swarm.other.createInstance(orphan("a"))
        func take(_ object: VSCodeInstance, of provider: String) -> Set<String> {
            world.take([object], of: provider, names: nil, since: .max, busy: ["a"])
        }
        #expect(take(here, of: "docker") == [])
        #expect(take(there, of: "other") == ["a"])
        // Once it is known there, it may be what is changed.
        var stopped = there
        stopped.status = .stopped
        #expect(take(stopped, of: "other") == [])
        #expect(world["a"]?.observed.map(\.provider) == ["other"])
    }

    /// Two controllers' seed 3319: a first list that began before a spec adopted something was not
    /// believed for that name, and nobody asked again.
    @Test func aProviderThatWasNotListedYetIsAskedAboutWhatIsAdopted() async throws {
        let swarm = try TestSwarm()
        let world = World(
            providers: [swarm.platform, swarm.other], records: [], clock: SystemClock())
        var elsewhere = swarm.config("b")
        elsewhere.provider = "other"
        swarm.source.declare([swarm.config("a"), elsewhere])
        _ = world.take(await swarm.source.read())
        world.providers["docker"]?.isListed = true
        var adopting = swarm.config("a")
        adopting.adopt = "somebody's"
        swarm.source.declare([adopting, elsewhere])
        _ = world.take(await swarm.source.read())
        #expect(world["a"]?.mustLookAt == ["docker", "other"])
        #expect(world["b"]?.mustLookAt == [])
    }
}

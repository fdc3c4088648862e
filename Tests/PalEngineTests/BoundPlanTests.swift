import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

@Suite("A plan that was looked at", .timeLimit(.minutes(2)))
struct BoundPlanTests {
    @Test func itIsRefusedWhenSpecsOrInstancesMoved() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        let old = try await swarm.preview().bound
        swarm.source.declare([swarm.config("a", "2")])
        let reply = try await swarm.perform(.apply, ["a"], plan: old)
        #expect(!reply.isDone)
        #expect(reply.messages.first?.hasPrefix("the specs changed since") == true)
        #expect(swarm.platform.objects.isEmpty)
        let new = try await swarm.preview().bound
        #expect(try await swarm.perform(.apply, ["a"], plan: new).isDone)
        swarm.platform.meddle("a") { $0?.status = .stopped }
        let gone = try await swarm.perform(.apply, ["a"], plan: try await swarm.preview().bound)
        #expect(gone.isDone)
        let stale = try await swarm.perform(.apply, ["a"], plan: new)
        #expect(stale.messages.first?.hasPrefix("the instances changed since") == true)
    }

    @Test func itIsRefusedWhenAHoldCameBetween() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        swarm.platform.meddle("a") { $0?.status = .stopped }
        let plan = try await swarm.preview().bound
        #expect(plan.steps["a"]?.map(\.verb) == [.start])
        var record = try #require(try swarm.record("a"))
        record.hold = Hold(by: "bob", since: Date(), declaredState: nil)
        try swarm.ledger.save(record)
        swarm.platform.forgetCalls()
        let reply = try await swarm.perform(.apply, ["a"], plan: plan)
        #expect(!reply.isDone)
        let message = try #require(reply.messages.first)
        #expect(message.hasPrefix("what would be done to 'a' changed (now none: held stopped"))
        #expect(swarm.platform.changes() == [])
    }

    @Test func itIsRefusedWhenItsStepsWereEdited() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        var plan = try await swarm.preview().bound
        plan.steps["a"]?[0].generation = 7
        let reply = try await swarm.perform(.apply, ["a"], plan: plan)
        #expect(!reply.isDone)
        #expect(
            reply.messages.first?.contains("what would be done to 'a' changed (now create") == true)
        #expect(swarm.platform.objects.isEmpty)
    }

    /// Seed 7881: a whole number of cores came back from the file as an integer, and no plan that
    /// changes one could be applied.
    @Test func aWholeNumberIsTheSameAfterAFile() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.resources.cpuCores = 2
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config.resources.cpuCores = 3
        swarm.source.declare([config])
        let plan = try await swarm.preview().bound
        let reply = try await swarm.perform(.apply, ["a"], plan: plan)
        #expect(reply == ControlReply(isDone: true, messages: []))
        #expect(swarm.platform.objects.first?.config.resources.cpuCores == 3)
    }

    @Test func partOfItCanBeCarriedOut() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a"), swarm.config("b")])
        var plan = try await swarm.preview().bound
        plan.steps["b"] = nil
        #expect(try await swarm.perform(.apply, ["a"], plan: plan).isDone)
        #expect(swarm.platform.changes() == ["create a"])
    }

    @Test func itEndsWhenTheSpecsChangeWhileItIsCarriedOut() async throws {
        let swarm = try TestSwarm()
        var second = swarm.config("b")
        second.dependsOn = ["a"]
        let both = [swarm.config("a"), second]
        swarm.source.declare(both)
        let plan = try await swarm.preview().bound
        // 'b' waits for 'a' when the specs change.
        swarm.platform.state.withLock { state in
            state.readiness = .notReady("not yet")
            state.tells = { [source = swarm.source, third = swarm.config("c")] _ in
                source.declare(both + [third])
            }
        }
        let reply = try await swarm.perform(.apply, ["a", "b"], plan: plan)
        #expect(!reply.isDone)
        #expect(reply.messages.first?.hasPrefix("the specs changed while the plan") == true)
        #expect(swarm.platform.changes() == ["create a"])
    }
}

extension TestSwarm {
    func preview() async throws -> Preview {
        try await Preview.make(
            source: source, providers: [platform, other], ledger: ledger, clock: SystemClock(),
            policy: policy)
    }
}

extension Preview {
    /// The whole of it, to be carried out as it stands.
    var bound: BoundPlan {
        BoundPlan(
            digest,
            steps: Dictionary(
                uniqueKeysWithValues: plans.filter { !$0.steps.isEmpty }.map {
                    ($0.name, $0.steps)
                }))
    }
}

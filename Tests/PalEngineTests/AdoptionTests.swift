import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// `adopt`: an object that somebody else made is taken over once, as it stands.
@Suite("Adoption", .timeLimit(.minutes(10)))
struct AdoptionTests {
    /// A swarm beside which somebody has made an object of their own.
    private func swarm(memory: Int? = nil) throws -> TestSwarm {
        let swarm = try TestSwarm()
        var config = InstanceConfig(name: "theirs")
        config.resources.memoryMax = memory
        let ownership = Ownership(
            swarm: "", name: "theirs", id: "", generation: 0, specHash: SpecHash(text: ""))
        var object = swarm.platform.createBaseInstance(
            ownership, providerInstanceId: "stranger", status: .running, config: config)
        object.readiness = .ready
        let made = object
        swarm.platform.state.withLock {
            $0.objects["stranger"] = made
            $0.strangers = ["stranger"]
        }
        return swarm
    }

    private func spec(
        _ swarm: TestSwarm, _ value: String = "1", adopt: String? = "stranger"
    ) -> InstanceConfig {
        var config = swarm.config("a", value)
        config.adopt = adopt
        return config
    }

    @Test func whatIsAdoptedIsNotChanged() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm)])
        #expect(try await swarm.perform(.apply) == ControlReply(isDone: true, messages: []))
        #expect(swarm.platform.changes() == [])
        let record = try #require(try swarm.record("a"))
        #expect(record.observed?.providerInstanceId == "stranger")
        #expect(record.adopted?.isOver == false)
        swarm.platform.forgetCalls()
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == [])
    }

    /// Seed 271: the first list of a command begins before the specs are read, and does not have
    /// what they take over; a plan that somebody had looked at was refused as if that were gone.
    @Test func aPlanOfOthersIsNotRefusedBesideIt() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm)])
        #expect(try await swarm.perform(.apply).isDone)
        swarm.source.declare([spec(swarm), swarm.config("b")])
        let plan = try await swarm.preview().bound
        #expect(plan.steps.keys.sorted() == ["b"])
        swarm.platform.state.withLock { $0.listTime = .milliseconds(50) }
        let reply = try await swarm.perform(.apply, ["b"], plan: plan)
        #expect(reply == ControlReply(isDone: true, messages: []))
        #expect(swarm.platform.changes() == ["create b"])
    }

    @Test func aPlanBeforeItShowsNothingToDo() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm)])
        let preview = try await Preview.make(
            source: swarm.source, providers: [swarm.platform], ledger: swarm.ledger,
            clock: SystemClock(), policy: swarm.policy)
        #expect(preview.plans.map(\.action) == [.none])
        #expect(preview.plans.flatMap(\.conditions).map(\.reason) == [])
    }

    @Test func anUndeclaredObjectOfSomebodyElseIsNotSeen() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm, adopt: nil)])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == ["create a"])
        #expect(swarm.platform.objects.map(\.providerInstanceId).contains("stranger"))
    }

    @Test func aLiveChangeIsMadeToIt() async throws {
        let swarm = try swarm(memory: 512)
        var config = spec(swarm)
        config.resources.memoryMax = 1024
        swarm.source.declare([config])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == ["update stranger"])
    }

    @Test func itsFirstReplacementEndsTheAdoption() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm)])
        try await swarm.perform(.apply)
        swarm.source.declare([spec(swarm, "2")])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == ["stop stranger", "delete stranger", "create a"])
        let record = try #require(try swarm.record("a"))
        #expect(record.adopted?.isOver == true)
        #expect(record.generation == 1)
        swarm.platform.forgetCalls()
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == [], "the word 'adopt' that still stands does nothing")
    }

    @Test func withTheLedgerLostItIsAdoptedAgainUnderTheSameId() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm)])
        try await swarm.perform(.apply)
        let fresh = try SQLiteLedger.inMemory()
        var request = ControlRequest(verb: .apply, by: "ann")
        request.number = try fresh.ask(request)
        #expect(try await swarm.reconciler(fresh).perform(request, only: nil)?.isDone == true)
        #expect(swarm.platform.changes() == [])
        #expect(try fresh.records().map(\.id) == [try swarm.record("a")?.id])
    }

    @Test func somethingThatIsNotThereIsSaidAndNothingIsMade() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm, adopt: "strangr")])
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        #expect(reply.messages.first?.contains("has no 'strangr' that could be taken over") == true)
        #expect(swarm.platform.changes() == [])
    }

    @Test func ofTwoSpecsThatAdoptOneObjectOneHasIt() async throws {
        let swarm = try swarm()
        var second = swarm.config("b")
        second.adopt = "stranger"
        swarm.source.declare([spec(swarm), second])
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        #expect(reply.messages.count == 1 && reply.messages[0].hasPrefix("b: "))
        #expect(swarm.platform.changes() == [])
    }

    @Test func whoHasItKeepsItFromOneWhoseNameComesFirst() async throws {
        let swarm = try swarm()
        var second = swarm.config("b")
        second.adopt = "stranger"
        swarm.source.declare([second])
        #expect(try await swarm.perform(.apply).isDone)
        swarm.source.declare([spec(swarm), second])
        let reply = try await swarm.perform(.apply)
        #expect(reply.messages.count == 1 && reply.messages[0].hasPrefix("a: "))
        #expect(try swarm.record("b")?.observed?.providerInstanceId == "stranger")
        #expect(swarm.platform.changes() == [])
    }

    @Test func whatPalMadeAlreadyTakesNothingOver() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm, adopt: nil)])
        try await swarm.perform(.apply)
        swarm.platform.forgetCalls()
        swarm.source.declare([spec(swarm)])
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        #expect(reply.messages.first?.contains("stands already as object-1") == true)
        #expect(swarm.platform.changes() == [])
    }

    /// It was waited for without a word.
    @Test func aProviderThatThereIsNotIsSaid() async throws {
        let swarm = try swarm()
        var config = spec(swarm)
        config.provider = "dokcer"
        swarm.source.declare([config])
        let reply = try await swarm.perform(.once)
        #expect(reply.messages.first?.contains("did you mean 'docker'?") == true)
        // Nor is a former one that is not configured any more.
        config = spec(swarm)
        swarm.source.declare([config])
        var record = InstanceRecord(name: "a", id: "id-a", provider: "gone")
        record.generation = 1
        try swarm.ledger.save(record)
        let former = try await swarm.perform(.once)
        #expect(former.messages.first?.contains("'gone', which had it, cannot be asked") == true)
    }

    /// Seed 3982: it was taken over beside one that stood at another provider, which nobody looked
    /// after from then on.
    @Test func whatPalMadeElsewhereTakesNothingOverEither() async throws {
        let swarm = try swarm()
        var config = spec(swarm, adopt: nil)
        config.provider = "other"
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config = spec(swarm)
        config.onReplace = .discard
        swarm.source.declare([config])
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        let message = "stands already as object-1 at 'other'"
        #expect(reply.messages.first?.contains(message) == true)
        #expect(swarm.platform.changes() == [] && swarm.other.changes() == ["create a"])
        #expect(try swarm.record("a")?.adopted == nil)
        config.adopt = nil
        swarm.source.declare([config])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.other.objects.isEmpty)
        #expect(swarm.platform.changes() == ["create a"])
    }

    @Test func adoptThatIsWrittenWhilePalRunsIsLookedAtFirst() async throws {
        let swarm = try swarm()
        swarm.source.declare([swarm.config("other")])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await swarm.settle(reconciler)
            swarm.source.declare([swarm.config("other"), spec(swarm)])
            try await swarm.settle(reconciler)
            await reconciler.stop()
            try await group.waitForAll()
        }
        #expect(swarm.platform.changes() == ["create other"])
        #expect(try swarm.record("a")?.observed?.providerInstanceId == "stranger")
    }

    /// After a restart it was made at its new provider before the former one had answered.
    @Test func oneThatIsToMoveIsLookedForAfterARestart() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm)])
        try await swarm.perform(.apply)
        var moved = spec(swarm, adopt: nil)
        moved.provider = "other"
        moved.onReplace = .discard
        swarm.source.declare([moved])
        let refusal = ProviderFailure.error(
            ProviderError(.connection, .unreachable, "it does not answer", isRetryable: true))
        swarm.platform.state.withLock { $0.failures["list"] = Array(repeating: refusal, count: 99) }
        #expect(try await swarm.perform(.once).isDone == false)
        #expect(swarm.other.changes() == [])
        swarm.platform.state.withLock { $0.failures = [:] }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == ["stop stranger", "delete stranger"])
        #expect(swarm.other.changes() == ["create a"])
    }

    @Test func theEndOfItsFileDeletesIt() async throws {
        let swarm = try swarm()
        swarm.source.declare([spec(swarm), swarm.config("b")])
        try await swarm.perform(.apply)
        swarm.platform.forgetCalls()
        swarm.source.declare([swarm.config("b")])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == ["stop stranger", "delete stranger"])
    }
}

extension TestSwarm {
    /// Has a running controller converge, and waits for its answer.
    fileprivate func settle(_ reconciler: Reconciler) async throws {
        let number = try ledger.ask(ControlRequest(verb: .apply, by: "ann"))
        await reconciler.requestMayHaveCome()
        for _ in 0..<6000 {
            if try ledger.reply(to: number) != nil { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("no answer within a minute")
    }
}

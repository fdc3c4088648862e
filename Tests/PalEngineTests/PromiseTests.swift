import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// What the engine promises about people's editors and the order of things.
@Suite("Promises", .timeLimit(.minutes(10)))
struct PromiseTests {
    // MARK: suspend, disruption

    @Test func whatIsSuspendedIsLeftAloneAndNothingIsWrongWithThat() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        var config = swarm.config("a", "2")
        config.suspend = true
        swarm.source.declare([config])
        swarm.platform.meddle("a") { $0?.status = .stopped }
        swarm.platform.forgetCalls()
        #expect(try await swarm.perform(.apply) == ControlReply(isDone: true, messages: []))
        #expect(swarm.platform.changes() == [])
        #expect(try swarm.kinds("a").contains(.suspended))
        config.suspend = nil
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [2])
    }

    @Test func aRunningEditorIsNotInterruptedWithoutConsent() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.disruption = .approve
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config.env = ["A": "2"]
        swarm.source.declare([config])
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        #expect(reply.messages.first?.contains("'pal approve a' lets it happen") == true)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [1])
        #expect(try swarm.kinds("a").contains(.awaitingApproval))
        #expect(try await swarm.perform(.approve, ["a"]).isDone)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [2])
    }

    @Test func consentIsToOneChangeAndNotToTheNext() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.disruption = .approve
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config.env = ["A": "2"]
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        let record = try #require(try swarm.record("a"))
        var agreed = record
        agreed.consent = "replace: env: {\"A\":\"1\"} → {\"A\":\"2\"}"
        try swarm.ledger.save(agreed)
        config.env = ["A": "3"]
        swarm.source.declare([config])
        #expect(try await !swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [1])
        #expect(try swarm.record("a")?.consent == nil)
    }

    @Test func aStoppedEditorNeedsNoConsent() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.disruption = .approve
        config.state = .stopped
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config.env = ["A": "2"]
        swarm.source.declare([config])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [2])
    }

    @Test func removingTheFileOfAnEditorThatAsksToBeAskedAsks() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.disruption = .approve
        swarm.source.declare([config, swarm.config("b")])
        try await swarm.perform(.apply)
        swarm.source.declare([swarm.config("b")])
        try await swarm.perform(.apply)
        #expect(swarm.platform.objects.map(\.name) == ["a", "b"])
        #expect(try await swarm.perform(.approve, ["a"]).isDone)
        #expect(swarm.platform.objects.map(\.name) == ["b"])
    }

    @Test func approvingWhatDoesNotWaitIsSaid() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        let reply = try await swarm.perform(.approve, ["a"])
        #expect(reply == ControlReply(isDone: true, messages: ["a: nothing waits for approval"]))
    }

    // MARK: onReplace with another provider

    @Test func anotherProviderIsRefusedUnlessDataMayBeLost() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config.provider = "other"
        swarm.source.declare([config])
        let reply = try await swarm.perform(.apply)
        #expect(reply.messages.first?.contains("provider changed from 'docker'") == true)
        #expect(swarm.platform.objects.count == 1 && swarm.other.objects.isEmpty)
        config.onReplace = .discard
        swarm.source.declare([config])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.isEmpty)
        #expect(swarm.other.objects.map(\.ownership.generation) == [1])
        #expect(swarm.platform.state.withLock { $0.volumes } == ["a"], "its storage stays there")
    }

    @Test func theFormerProviderIsAskedBeforeAnotherGetsTheInstance() async throws {
        var swarm = try TestSwarm()
        // What was just made is waited for in another way.
        swarm.policy.listLag = .milliseconds(1)
        var config = swarm.config("a")
        config.onReplace = .discard
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config.provider = "other"
        swarm.source.declare([config])
        let down = ProviderFailure.error(
            ProviderError(.connection, .unreachable, "no daemon", isRetryable: true))
        swarm.platform.state.withLock { $0.failures["list"] = Array(repeating: down, count: 1000) }
        let reply = try await swarm.perform(.apply)
        #expect(
            reply.messages == ["a: 'docker', which had it, cannot be asked: no daemon"])
        #expect(swarm.other.objects.isEmpty)
    }

    // MARK: Failures

    /// A review found that one alone which never became ready was waited for without a word.
    @Test func whatDoesNotBecomeReadyInTimeIsSaidOnce() async throws {
        var swarm = try TestSwarm()
        swarm.policy.progressDeadline = .milliseconds(30)
        swarm.source.declare([swarm.config("a")])
        swarm.platform.state.withLock { $0.readiness = .notReady("nothing listens") }
        func late() throws -> [String] {
            try #require(try swarm.record("a")).conditions
                .filter { $0.reason == "NotReadyInTime" }.map(\.message)
        }
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("it is said that it takes long") {
                try swarm.record("a") != nil && late().count == 1
            }
            #expect(try late().first?.contains("(nothing listens); look at 'pal logs a'") == true)
            swarm.platform.meddle("a") { $0?.readiness = .ready }
            try await eventually("it is ready, and nothing is late") { try late().isEmpty }
            await reconciler.stop()
            try await group.waitForAll()
        }
        let told = try swarm.ledger.events(name: nil, after: 0, limit: 100)
        #expect(told.count { $0.reason == "NotReadyInTime" } == 1)
    }

    /// A review found that nobody could see later that it had been away.
    @Test func whatIsNotReadyAnyMoreIsSaidOnceAndWhy() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        for readiness in [
            Readiness.notReady("its health check fails: not up"),
            .notReady("its health check fails: still not"), .ready,
        ] {
            swarm.platform.meddle("a") { $0?.readiness = readiness }
            try await swarm.perform(.once)
        }
        let told = try swarm.ledger.events(name: nil, after: 0, limit: 100)
        #expect(
            told.filter { $0.reason == "NotReady" }.map(\.message)
                == ["its health check fails: not up"])
        #expect(told.count { $0.reason == "Ready" } == 2)
    }

    @Test func aSpecThatFailedIsNotTriedForEverOverRestarts() async throws {
        var swarm = try TestSwarm()
        swarm.policy.stallAfter = 2
        let failure = ProviderFailure.error(
            ProviderError(.instance, .imageMissing, "no image x", isRetryable: true))
        swarm.platform.state.withLock {
            $0.failures["create"] = Array(repeating: failure, count: 99)
        }
        swarm.source.declare([swarm.config("a")])
        #expect(try await !swarm.perform(.apply).isDone)
        let tries = swarm.platform.changes().count
        #expect(tries == 2)
        let reply = try await swarm.perform(.apply)
        #expect(swarm.platform.changes().count == tries, "a new controller remembers")
        #expect(reply.messages.first?.contains("'pal retry a' to try again") == true)
        swarm.platform.state.withLock { $0.failures = [:] }
        #expect(try await swarm.perform(.retry, ["a"]).isDone)
        #expect(try swarm.record("a")?.failures == 0)
    }

    @Test func aChangedSpecGetsAllItsAttempts() async throws {
        var swarm = try TestSwarm()
        swarm.policy.stallAfter = 2
        let failure = ProviderFailure.error(
            ProviderError(.instance, .imageMissing, "no image x", isRetryable: true))
        swarm.platform.state.withLock { $0.failures["create"] = [failure, failure] }
        swarm.source.declare([swarm.config("a")])
        #expect(try await !swarm.perform(.apply).isDone)
        swarm.source.declare([swarm.config("a", "2")])
        #expect(try await swarm.perform(.apply).isDone)
    }

    @Test func aChangeThatDoesNotLastIsNotMadeForEver() async throws {
        var swarm = try TestSwarm()
        swarm.policy.stallAfter = 3
        var config = swarm.config("a")
        config.resources.memoryMax = 1024
        swarm.source.declare([config])
        swarm.platform.state.withLock { $0.roundsMemory = true }
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        #expect(reply.messages.first?.contains("the platform shows it otherwise") == true)
        #expect(swarm.platform.changes().count < 8)
    }

    @Test func theLastWordOnTheStorageCountsAlsoWhereTheRestWasNeverMadeTrue() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.onDelete = .delete
        swarm.source.declare([config, swarm.config("b")])
        try await swarm.perform(.apply)
        config.onDelete = .retain
        config.resources.storagePersistent = false
        swarm.source.declare([config, swarm.config("b")])
        #expect(try await !swarm.perform(.apply).isDone, "it would lose data")
        swarm.source.declare([swarm.config("b")])
        try await swarm.perform(.apply)
        #expect(swarm.platform.objects.map(\.name) == ["b"])
        #expect(swarm.platform.state.withLock { $0.volumes } == ["a", "b"])
    }

    @Test func aCreationThatMayStillLandKeepsItsNameFromOtherProviders() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.onReplace = .discard
        swarm.source.declare([config])
        var cut = InstanceRecord(name: "a", id: "id-a", provider: "docker")
        cut.generation = 1
        cut.landing = Landing(provider: "docker", from: Date(), seconds: 3600)
        try swarm.ledger.save(cut)
        config.provider = "other"
        swarm.source.declare([config])
        try await swarm.perform(.once)
        #expect(swarm.other.objects.isEmpty)
        #expect(
            try Explanation(#require(try swarm.record("a")), in: nil).decision
                .contains("a call that 'docker' never answered"))
        cut.landing = Landing(provider: "docker", from: Date() - 2, seconds: 1)
        try swarm.ledger.save(cut)
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.other.objects.count == 1)
    }

    @Test func whatMayHaveLandedAtAProviderThatNobodyNamesIsForgottenInTheEnd() async throws {
        let swarm = try TestSwarm()
        var cut = InstanceRecord(name: "a", id: "id-a", provider: "docker")
        cut.generation = 1
        cut.landing = Landing(provider: "other", from: Date() - 2, seconds: 1)
        try swarm.ledger.save(cut)
        swarm.source.declare([swarm.config("b")])
        try await swarm.perform(.apply)
        #expect(try swarm.record("a") == nil)
    }

    @Test func aStrangerElsewhereIsNoHindranceOnceItHasGone() async throws {
        var swarm = try TestSwarm()
        // There is no event of what went while nobody needed that provider.
        swarm.policy.resync = .milliseconds(20)
        var there = swarm.config("a")
        there.provider = "other"
        let marks = Ownership(
            swarm: "test", name: "a", id: "id", generation: 1, specHash: SpecHash(text: "v1:0"))
        _ = try await swarm.other.createInstance(
            CreateRequest(config: there, ownership: marks, starts: true))
        var last = swarm.config("b")
        last.provider = "other"
        swarm.source.declare([swarm.config("a"), last])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("a is blocked") { try swarm.kinds("a").contains(.blocked) }
            swarm.source.declare([swarm.config("a")])
            try await eventually("b is gone") { try swarm.record("b") == nil }
            swarm.other.state.withLock { $0.objects = [:] }
            try await eventually("a is made") { swarm.platform.objects.map(\.name) == ["a"] }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    // MARK: Drift

    @Test func driftIsToldFieldByFieldAndCorrected() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.resources.memoryMax = 1024
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.platform.meddle("a") { $0?.config.resources.memoryMax = 512 }
        try await swarm.perform(.apply)
        #expect(swarm.platform.objects.first?.config.resources.memoryMax == 1024)
        let events = try swarm.ledger.latestEvents(name: "a", limit: 20)
        #expect(
            events.first { $0.reason == "Drifted" }?.message
                == "changed by somebody else: resources.memory.max is 512, not 1024")
        #expect(try swarm.record("a")?.drift == nil, "it is corrected")
    }

    @Test func driftThatIsNotCorrectedStaysInTheRecordWithItsDate() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.resources.memoryMax = 1024
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.platform.meddle("a") { $0?.config.resources.memoryMax = 512 }
        let refusal = ProviderFailure.error(
            ProviderError(.provider, .platformFailure, "not now", isRetryable: false))
        swarm.platform.state.withLock {
            $0.failures["update"] = Array(repeating: refusal, count: 99)
        }
        try await swarm.perform(.apply)
        let first = try #require(try swarm.record("a")?.drift?.first)
        #expect(first.change.path == "resources.memory.max")
        try await swarm.perform(.apply)
        #expect(try swarm.record("a")?.drift?.first?.since == first.since)
    }

    // MARK: Why

    @Test func whySaysNothingBecause() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        let record = try #require(try swarm.record("a"))
        let explanation = Explanation(record, in: try swarm.ledger.swarmState())
        #expect(explanation.decision == "nothing, because it runs as declared")
        #expect(explanation.facts.first?.text == "a.yaml:1:1 in /specs")
        try await swarm.perform(.stop, ["a"])
        let held = Explanation(try #require(try swarm.record("a")), in: nil)
        #expect(held.decision.hasPrefix("nothing, because held stopped by ann"))
    }
}

extension TestSwarm {
    func kinds(_ name: String) throws -> [Condition.Kind] {
        try record(name)?.conditions.map(\.kind) ?? []
    }
}

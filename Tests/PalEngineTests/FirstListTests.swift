import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// Where a name may stand at a provider that this ledger knows nothing of, or not yet.
@Suite("Before a name is made elsewhere", .timeLimit(.minutes(10)))
struct FirstListTests {
    private static let hiccup = ProviderFailure.error(
        ProviderError(.provider, .platformFailure, "it hiccups", isRetryable: true))
    private static let silence = ProviderFailure.error(
        ProviderError(.connection, .unreachable, "nobody answers", isRetryable: true))

    /// One name at each of two providers.
    private func swarm() throws -> TestSwarm {
        let swarm = try TestSwarm()
        var neighbour = swarm.config("b")
        neighbour.provider = "other"
        swarm.source.declare([swarm.config("a"), neighbour])
        return swarm
    }

    /// A name that was made at the other provider, beside one that stays there, and has moved
    /// since.
    private func moved() async throws -> TestSwarm {
        let swarm = try swarm()
        var (old, neighbour) = (swarm.config("a"), swarm.config("b"))
        (old.provider, neighbour.provider) = ("other", "other")
        swarm.source.declare([old, neighbour])
        try await swarm.perform(.apply)
        swarm.source.declare([swarm.config("a"), neighbour])
        return swarm
    }

    private func fail(_ platform: FakePlatform, _ failure: ProviderFailure, _ times: Int) {
        platform.state.withLock { $0.failures["list"] = Array(repeating: failure, count: times) }
    }

    @Test func aNewLedgerWaitsForAProviderThatOnlyHiccups() async throws {
        let swarm = try await moved()
        fail(swarm.other, Self.hiccup, 5)
        let fresh = try SQLiteLedger.inMemory()
        let reply = try await swarm.perform(.apply, with: fresh)
        #expect(reply?.messages.first?.contains("provider changed from 'other'") == true)
        #expect(swarm.platform.objects.isEmpty)
    }

    @Test func aNewLedgerRemembersWhereItSawWhatItDidNotMake() async throws {
        let swarm = try await moved()
        let fresh = try SQLiteLedger.inMemory()
        _ = try await swarm.perform(.apply, with: fresh)
        fail(swarm.other, Self.hiccup, 100_000)
        _ = try await swarm.perform(.once, with: fresh)
        #expect(swarm.platform.objects.isEmpty)
        #expect(try fresh.records().first { $0.name == "a" }?.provider == "other")
    }

    @Test func aHiccupThatDoesNotEndIsNotWaitedFor() async throws {
        let swarm = try swarm()
        fail(swarm.other, Self.hiccup, 100_000)
        #expect(try await swarm.perform(.apply, ["a"]).isDone)
        #expect(swarm.platform.objects.map(\.name) == ["a"])
    }

    @Test func aProviderThatDoesNotAnswerIsNotWaitedFor() async throws {
        let swarm = try swarm()
        fail(swarm.other, Self.silence, 100_000)
        // It is found out after the other one was listed.
        swarm.other.state.withLock { $0.listTime = .milliseconds(50) }
        #expect(try await swarm.perform(.apply, ["a"]).isDone)
        #expect(swarm.platform.objects.map(\.name) == ["a"])
        #expect(swarm.other.changes().isEmpty)
    }

    @Test func whatWasJustMadeIsNotGoneBecauseAListIsBehind() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.onReplace = .discard
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        config.provider = "other"
        swarm.source.declare([config])
        swarm.platform.state.withLock { $0.hidden = ["a"] }
        try await swarm.perform(.once)
        #expect(swarm.other.objects.isEmpty)
        #expect(
            try Explanation(#require(try swarm.record("a")), in: nil).decision
                .contains("'docker' made it just now"))
        swarm.platform.state.withLock { $0.hidden = [] }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.other.objects.count == 1)
        #expect(swarm.platform.objects.isEmpty)
    }

    @Test func whoMayStillMakeItIsAskedThoughNobodyElseNamesIt() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.provider = "other"
        swarm.source.declare([config])
        var moved = InstanceRecord(name: "a", id: "id-a", provider: "other")
        moved.generation = 1
        moved.landing = Landing(provider: "docker", from: Date() - 2, seconds: 1)
        try swarm.ledger.save(moved)
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.other.objects.count == 1)
    }
}

import FoundationEssentials
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// What the platform fails of by itself: it is given its time, and no spec is blamed.
@Suite("A platform in trouble", .timeLimit(.minutes(10)))
struct RateLimitTests {
    private func tooManyCalls(_ seconds: Double) -> ProviderFailure {
        .error(
            ProviderError(
                .provider, .rateLimited, "too many calls", isRetryable: true, retryAfter: seconds))
    }

    @Test func nothingIsCalledBeforeAPauseIsOver() async throws {
        var swarm = try TestSwarm()
        swarm.policy.maximumParallel = 1
        swarm.source.declare([swarm.config("a"), swarm.config("b")])
        swarm.platform.state.withLock { $0.failures["create"] = [tooManyCalls(1000)] }
        let reply = try await swarm.perform(.once)
        #expect(swarm.platform.changes().count == 1)
        let told = "'docker' had too many calls, and asked for a pause"
        #expect(reply.messages.filter { $0.hasSuffix(told) }.count == 2, "\(reply.messages)")
    }

    @Test func aListThatWasTooManyIsNotRepeatedBeforeThePauseIsOver() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        swarm.platform.state.withLock { $0.failures["list"] = [tooManyCalls(1000)] }
        let reply = try await swarm.perform(.once)
        #expect(!reply.isDone)
        #expect(swarm.platform.state.withLock { $0.calls } == ["list"])
    }

    @Test func goesOnWhenThePauseIsOver() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a"), swarm.config("b")])
        swarm.platform.state.withLock {
            $0.failures["create"] = [tooManyCalls(0.02), tooManyCalls(0.02)]
        }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.map(\.name) == ["a", "b"])
        #expect(try swarm.record("a")?.failures == 0)
    }

    /// An hour without a platform left a whole swarm stalled, and waiting for somebody.
    @Test func noSpecStallsOverWhatThePlatformFailsOf() async throws {
        var swarm = try TestSwarm()
        swarm.policy.stallAfter = 2
        let failures: [ProviderFailure] = [
            .error(
                ProviderError(.provider, .platformFailure, "it hiccups", isRetryable: true)),
            tooManyCalls(0.001), .ambiguous("no answer"),
        ]
        swarm.platform.state.withLock { $0.failures["create"] = failures + failures + failures }
        swarm.source.declare([swarm.config("a")])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("it is made") { swarm.platform.objects.map(\.name) == ["a"] }
            await reconciler.stop()
            try await group.waitForAll()
        }
        #expect(swarm.platform.changes().count == failures.count * 3 + 1)
    }

    @Test func atMostAnHourIsBelieved() {
        let state = ProviderState(FakePlatform())
        state.heed(tooManyCalls(1_000_000), at: .seconds(5))
        #expect(state.pausedUntil == .seconds(3605))
        state.heed(tooManyCalls(1), at: .seconds(6))
        #expect(state.pausedUntil == .seconds(3605), "a shorter one takes nothing back")
    }

    /// Such as Docker Hub's limit, which says nothing of the Engine.
    @Test func whatOneInstanceIsRefusedPausesNobodyElse() {
        let state = ProviderState(FakePlatform())
        let refusal = ProviderError(
            .instance, .rateLimited, "pulled too often", isRetryable: true, retryAfter: 60)
        state.heed(.error(refusal), at: .zero)
        #expect(state.pausedUntil == .zero)
    }
}

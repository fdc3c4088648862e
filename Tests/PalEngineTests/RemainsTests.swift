import FoundationEssentials
import Logging
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// What a failed creation left behind, as a seed of the simulation found it.
@Suite("What failed creations leave", .timeLimit(.minutes(10)))
struct RemainsTests {
    /// Seed 1975: a creation broke off and left something, which the list after it did not show
    /// yet; then the spec went, and pal forgot the name.
    @Test func whatAFailedCreationLeftIsLookedForBeforeItsNameIsForgotten() async throws {
        let swarm = try TestSwarm {
            $0.retry = Backoff(first: .seconds(600), limit: .seconds(600))
            $0.listLag = .seconds(1)
        }
        swarm.source.declare([swarm.config("a")])
        swarm.platform.state.withLock {
            $0.lateFailures["create"] = [.instance(.wrongState, "half way", isRetryable: false)]
            $0.hidden = ["a"]
        }
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("it failed, and nothing was seen of it") {
                let failed = try swarm.record("a")?.failedSpec != nil
                return failed && swarm.platform.objects.map(\.name) == ["a"]
            }
            try await eventually("a list showed nothing") { await reconciler.hasLooked(at: "a") }
            swarm.platform.state.withLock { $0.hidden = [] }
            swarm.source.declare([swarm.config("b")])
            try await eventually("what it left is removed") {
                swarm.platform.objects.map(\.name) == ["b"]
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }
}

extension Reconciler {
    fileprivate func hasLooked(at name: String) -> Bool {
        world[name]?.mustLookAt.isEmpty == true && world[name]?.outcome != nil
    }
}

import PalModel
import Synchronization
import Testing

@testable import PalEngine

/// When pal looks at what just changed.
@Suite("Looks", .timeLimit(.minutes(1)))
struct LookTests {
    @Test(arguments: [(0, 0), (1, 30), (3, 90), (8, 240), (64, 240)])
    func aLookWaitsForWhatIsUnderWayButNotForEver(calls: Int, milliseconds: Int) {
        let state = ProviderState(FakePlatform())
        state.calls = calls
        #expect(state.gathering(.milliseconds(30)) == .milliseconds(milliseconds))
    }

    /// However long looks are gathered: the last change is looked at when it ends, and with it all
    /// that ended before.
    @Test func theLastOfManyChangesIsLookedAtAtOnce() async throws {
        let swarm = try TestSwarm {
            $0.eventDelay = .seconds(3600)
            // No list of everything comes to the rescue.
            $0.resync = .seconds(7200)
        }
        let configs = (1...30).map { swarm.config("c\($0)") }
        swarm.source.declare(configs)
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.count == 30)
        swarm.source.declare(
            configs.map { config in
                var config = config
                config.state = .absent
                return config
            })
        swarm.platform.state.withLock { state in
            state.lists = 0
            state.duringStop = { try? await Task.sleep(for: .milliseconds(.random(in: 1...9))) }
        }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.isEmpty)
        let lists = swarm.platform.state.withLock(\.lists)
        #expect(lists < 15, "one list for many of 30 deletions, and not \(lists)")
    }
}

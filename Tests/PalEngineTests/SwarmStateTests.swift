import Foundation
import PalModel
import Testing

@testable import PalEngine

/// What is worth a write, of what is true of the swarm as a whole.
@Suite("State of the swarm")
struct SwarmStateTests {
    private func state(at time: Double, listedAt: Double?, problem: String? = nil) -> SwarmState {
        var state = SwarmState(
            specsPath: "/specs", updatedAt: Date(timeIntervalSinceReferenceDate: time))
        state.providers["docker"] = ProviderHealth(
            type: "docker", problem: problem,
            listedAt: listedAt.map(Date.init(timeIntervalSinceReferenceDate:)))
        return state
    }

    @Test func laterTimesAloneAreTheSame() {
        #expect(state(at: 2, listedAt: 2).isSame(as: state(at: 1, listedAt: 1)))
        #expect(state(at: 2, listedAt: nil).isSame(as: state(at: 1, listedAt: nil)))
    }

    @Test func theFirstListIsNews() {
        #expect(!state(at: 2, listedAt: 2).isSame(as: state(at: 1, listedAt: nil)))
        #expect(!state(at: 2, listedAt: nil).isSame(as: state(at: 1, listedAt: 1)))
    }

    @Test func whateverElseChangesIsNews() {
        let known = state(at: 1, listedAt: 1)
        #expect(!state(at: 1, listedAt: 1, problem: "down").isSame(as: known))
        var other = state(at: 1, listedAt: 1)
        other.providers["fly"] = ProviderHealth(type: "fly")
        #expect(!other.isSame(as: known) && !known.isSame(as: other))
        other = known
        other.pruneBlock = "no specs"
        #expect(!other.isSame(as: known))
        other = known
        other.parked = ParkedPlan(names: ["a"], since: known.updatedAt)
        #expect(!other.isSame(as: known))
    }
}

import Simulation
import Testing

/// Two controllers of one swarm, each with a ledger of its own.
@Suite("Rivals", .timeLimit(.minutes(10)))
struct RivalTests {
    @Test func neitherMakesASecondInstanceOrLosesData() {
        var effects = [0, 0]
        for seed in 1...40 as ClosedRange<UInt64> {
            let outcome = Rivals.run(seed: seed)
            #expect(outcome.findings.isEmpty, "seed \(seed)")
            effects[0] += outcome.coverage["effects of the first"] ?? 0
            effects[1] += outcome.coverage["effects of the second"] ?? 0
        }
        #expect(effects.allSatisfy { $0 > 100 }, "both are at work: \(effects)")
    }

    /// A first list that began before a spec adopted something was not believed for that name.
    @Test func whoAdoptsAsksWhomNobodyListedYet() {
        #expect(Rivals.run(seed: 3319).findings.map(\.description) == [])
    }

    /// A creation that was refused had left something half made, a list that was behind did not
    /// show it, and its spec had moved to another provider by then.
    @Test func whatARefusedCreationLeftIsWaitedForBeforeItsNameGoesElsewhere() {
        #expect(Rivals.run(seed: 2392).findings.map(\.description) == [])
    }
}

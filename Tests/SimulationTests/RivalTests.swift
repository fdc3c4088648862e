import Simulation
import Testing

/// Two controllers of one swarm, each with a ledger of its own.
@Suite("Rivals", .timeLimit(.minutes(10)))
struct RivalTests {
    @Test func neitherMakesASecondInstanceOrLosesData() throws {
        var effects = [0, 0]
        for seed in 1...40 as ClosedRange<UInt64> {
            let outcome = try Rivals.run(seed: seed)
            #expect(outcome.complaints.isEmpty, "seed \(seed)")
            for (index, count) in outcome.effects.enumerated() { effects[index] += count }
        }
        #expect(effects.allSatisfy { $0 > 100 }, "both are at work: \(effects)")
    }
}

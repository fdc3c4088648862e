import Simulation
import Testing

/// A checker that cannot fail proves nothing. The whole table: `pal-sim --mutants`.
@Suite("Mutants", .timeLimit(.minutes(10)))
struct MutantTests {
    @Test(arguments: [
        (Mutant.intentAfterEffect, "an intent before every effect"),
        (.believesPartialLists, "deletes only after complete reads"),
        (.writesSecrets, "no secret is written down"),
        (.twoCallsAtOnce, "one change in flight for an instance"),
        (.deletesStorage, "persistent data is lost only with permission"),
        (.leavesIntentsOpen, "nothing grows while nothing happens"),
    ])
    func aBrokenEngineIsCaughtWithinTwentySeeds(_ mutant: Mutant, _ promise: String) {
        var options = Options()
        options.mutant = mutant
        let isCaught = (1...20 as ClosedRange<UInt64>).contains { seed in
            Simulation.run(seed: seed, options).findings.contains { $0.promise == promise }
        }
        #expect(isCaught)
    }
}

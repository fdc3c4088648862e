import Simulation
import Testing

/// What seeds have found. Each replays the faults that brought it to light, on several seeds, so
/// that it stays a test when the simulation draws otherwise.
@Suite("Regressions", .timeLimit(.minutes(10)))
struct RegressionTests {
    private func findings(_ faults: Set<Fault>) -> [String] {
        var options = Options()
        options.faults = faults
        options.usesAllFaults = true
        return (1...10 as ClosedRange<UInt64>).flatMap { seed in
            Simulation.run(seed: seed, options).findings.map { "seed \(seed): \($0)" }
        }
    }

    /// A look that was due while the provider could not be listed was waited for no time at all.
    @Test func anUnreachableProviderIsWaitedForWithoutALoop() {
        #expect(findings([.providerRestart, .failedPage, .rateWindow]) == [])
    }

    /// An object with an unknown hash was frozen while it was declared, and deleted afterwards.
    @Test func whatAStrangerMadeIsNotPruned() {
        #expect(findings([.unknownHashObject]) == [])
    }

    /// What was deleted just before a crash did not count any more.
    @Test func thePruneBudgetOutlivesACrash() {
        #expect(findings([.massRemoval, .crash]) == [])
    }

    /// A second creation under the same name met the first one and went on.
    @Test func aCreationThatArrivesTwiceMakesOneInstance() {
        #expect(findings([.duplicateDelivery, .errorAfterEffect, .timeOut]) == [])
    }
}

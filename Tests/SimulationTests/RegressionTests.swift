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

    /// Seed 9897: that a provider was listed was noted before what the list had shown; after a
    /// crash a name was made at its new provider beside the former one.
    @Test func whatAListShowedIsNotedWithTheList() { #expect(findings(ofSeed: 9897) == []) }

    /// Seed 16163: what a replacement made of a spec that had changed meanwhile was taken for made
    /// of the spec that it began with, and a field that left it later stayed.
    @Test func whatAReplacementMadeIsKnown() { #expect(findings(ofSeed: 16163) == []) }

    /// Seed 18499: an agreement to stop is not used up by an update that comes first.
    @Test func aStopIsAgreedToUntilItIsMade() { #expect(findings(ofSeed: 18499) == []) }

    /// Seed 3505: what a first list of another provider showed during a change was not believed.
    @Test func whatStandsElsewhereIsNewsDuringAChange() { #expect(findings(ofSeed: 3505) == []) }

    /// Seed 10536: what was parked and is gone was waiting for consent as long as nothing could be
    /// pruned.
    @Test func whatIsGoneWaitsForNobody() { #expect(findings(ofSeed: 10536) == []) }

    /// Seed 18257: a request that came while the ledger could not be read was found only when the
    /// next one came.
    @Test func whatWasAskedWhileTheLedgerFailsIsAnswered() {
        #expect(findings(ofSeed: 18257) == [])
    }

    private func findings(ofSeed seed: UInt64) -> [String] {
        Simulation.run(seed: seed).findings.map(\.description)
    }
}

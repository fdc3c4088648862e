import Simulation
import Testing

/// A crash at every provider call and at every write of the ledger, one run for each: what is
/// declared stands, nothing twice, nothing lost, and nothing is left to do.
@Suite("Crash points")
struct CrashPointsTests {
    @Test(arguments: CrashScenario.allCases)
    func aCrashAtAnyStepIsMended(_ scenario: CrashScenario) {
        check(CrashPoints.enumerate(scenario, .once))
    }

    @Test(arguments: CrashScenario.allCases)
    func aCrashAtAnyStepIsMendedWithTheLedgerLost(_ scenario: CrashScenario) {
        check(CrashPoints.enumerate(scenario, .ledgerLost))
    }

    @Test(arguments: CrashScenario.allCases)
    func aSecondCrashDuringTheMendingIsMended(_ scenario: CrashScenario) {
        let report = CrashPoints.enumerate(scenario, .twice)
        check(report)
        // Some have ended before they would crash.
        #expect(report.second * 2 > report.points, "\(report.second) of \(report.points)")
    }

    private func check(_ report: CrashPoints.Report) {
        // Enough to tell what is wrong; later ones may follow from the first.
        #expect(report.complaints.prefix(3) == [])
        // The enumeration must not shrink: every call and every write is in it.
        #expect(report.made == report.expected)
        #expect(report.calls == report.expected.count)
        #expect(report.effects == report.calls)
        #expect(report.answers == report.calls)
        #expect(report.writesBefore == report.writesAfter)
        // An intent and its end for each call, the record, and the swarm's state.
        #expect(report.writesBefore >= 3 + 2 * report.calls)
        // At least the list after the change: before it is asked for, and after.
        #expect(report.questions >= 2)
        #expect(report.others == 0)
    }
}

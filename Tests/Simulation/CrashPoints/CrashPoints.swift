import PalModel

/// Every place at which a controller can crash during one change, one run for each.
///
/// The places are those before and after every write of the ledger, before every call that changes
/// something, between its effect and its answer, and after the answer; and before and after every
/// call that only asks. All of one scenario's runs are the same up to the crash.
public enum CrashPoints {
    /// What else is done to a run.
    public enum Severity: String, CaseIterable, Sendable {
        /// One crash; the next controller has the same ledger.
        case once
        /// The ledger is gone when pal starts again.
        case ledgerLost
        /// The next controller crashes as well, at another of its steps in each run.
        case twice
    }

    /// What came of all runs.
    public struct Report: Sendable {
        /// How many runs crashed before a call.
        public var calls = 0
        /// How many crashed between a call's effect and its answer.
        public var effects = 0
        /// How many crashed after an answer.
        public var answers = 0
        /// How many crashed before a write of the ledger.
        public var writesBefore = 0
        /// How many crashed after one.
        public var writesAfter = 0
        /// How many crashed before or after a call that only asks.
        public var questions = 0
        /// How many crashed elsewhere; there is no such place.
        public var others = 0
        /// In how many the next controller crashed as well.
        public var second = 0
        /// The calls of the run in which nothing crashed.
        public var made: [String] = []
        /// The calls that it should have.
        public var expected: [String] = []
        /// What went wrong, each with its place.
        public var complaints: [String] = []

        /// All places at which a run crashed.
        public var points: Int {
            calls + effects + answers + writesBefore + writesAfter + questions + others
        }
    }

    /// How many steps of the second controller are tried, one after the other.
    private static let secondSteps = 24

    /// Crashes at every place of a scenario.
    public static func enumerate(
        _ scenario: CrashScenario, _ severity: Severity = .once
    ) -> Report {
        var report = Report()
        let script = scenario.script
        report.expected = script.calls.map(\.rawValue)
        do {
            let whole = try CrashRun(script, .init()).play()
            report.made = whole.calls.map(\.rawValue)
            report.complaints = whole.complaints.map { "without a crash: \($0)" }
            guard whole.complaints.isEmpty else { return report }
            for step in 0..<whole.steps {
                var fate = CrashRun.Fate(crashesAfter: step)
                fate.losesLedger = severity == .ledgerLost
                if severity == .twice { fate.crashesAgainAfter = step * 7 % secondSteps }
                report.add(try CrashRun(script, fate).play(), step)
            }
        } catch {
            report.complaints.append("\(error)")
        }
        return report
    }
}

extension CrashPoints.Report {
    fileprivate mutating func add(_ outcome: CrashRun.Outcome, _ step: Int) {
        guard let place = outcome.places.first else {
            complaints.append("step \(step): it did not crash")
            return
        }
        if outcome.places.count > 1 { second += 1 }
        if place.hasPrefix("before it calls") {
            calls += 1
        } else if place.hasPrefix("before it hears") {
            effects += 1
        } else if place.hasSuffix("returned") {
            answers += 1
        } else if place.hasPrefix("before it writes") {
            writesBefore += 1
        } else if place.hasPrefix("after it wrote") {
            writesAfter += 1
        } else if place.hasPrefix("before it asks") || place.hasPrefix("after it asked") {
            questions += 1
        } else {
            others += 1
        }
        let places = outcome.places.joined(separator: ", then ")
        complaints += outcome.complaints.map { "step \(step), \(places): \($0)" }
    }
}

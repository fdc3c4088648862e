import Dispatch
import Simulation
import Synchronization

/// How many places each change can crash at, and what came of the crashes there.
struct CrashTable {
    private struct Row {
        var scenario: CrashScenario
        var severity: CrashPoints.Severity
        var report: CrashPoints.Report
    }

    private static let widths = [22, 12, 8, 7, 8, 8]

    /// Runs all of them, on all cores, and prints a line for each.
    /// - Returns: Whether all was mended.
    func print() -> Bool {
        line("change", "severity", "points", "calls", "writes", "failed")
        let rows = rows()
        for row in rows {
            let report = row.report
            let calls = report.calls + report.effects + report.answers
            let writes = report.writesBefore + report.writesAfter
            line(
                row.scenario.rawValue, row.severity.rawValue, "\(report.points)", "\(calls)",
                "\(writes)", "\(report.complaints.count)")
            for complaint in report.complaints.prefix(5) { Swift.print("  \(complaint)") }
        }
        let failed = rows.reduce(0) { $0 + $1.report.complaints.count }
        Swift.print("\(rows.reduce(0) { $0 + $1.report.points }) crashes, \(failed) complaints")
        return failed == 0
    }

    private func rows() -> [Row] {
        let all = CrashScenario.allCases.flatMap { scenario in
            CrashPoints.Severity.allCases.map { (scenario, $0) }
        }
        let rows = Mutex([Row?](repeating: nil, count: all.count))
        DispatchQueue.concurrentPerform(iterations: all.count) { index in
            let (scenario, severity) = all[index]
            let report = CrashPoints.enumerate(scenario, severity)
            rows.withLock {
                $0[index] = Row(scenario: scenario, severity: severity, report: report)
            }
        }
        return rows.withLock { $0.compactMap(\.self) }
    }

    private func line(_ columns: String...) {
        let cells = zip(columns, Self.widths).map { text, width in
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        Swift.print(cells.joined())
    }
}

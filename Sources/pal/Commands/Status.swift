import ArgumentParser
import Foundation
import PalEngine
import PalLedger
import PalModel

/// `pal status`.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is true, and what is not.",
        discussion: """
            Reads what the controller last wrote down; works without one, and says so. With a
            name, -o wide or -o json the providers are asked what is used now, for 2 s at most.

              pal status
              pal status alice -o json
              pal status --watch
              pal status --orphans       owned, but declared nowhere
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "Only these instances.") var names: [String] = []
    @Option(name: .shortAndLong, help: "table, wide, json or yaml.") var output = OutputFormat.table
    @Flag(help: "Show it again whenever it changes.") var watch = false
    @Flag(help: "Only what is owned but declared nowhere.") var orphans = false

    func run() async throws {
        let environment = try world.environment()
        var shown: StatusReport.Document?
        repeat {
            var report = try read(environment)
            if asksForUsage {
                let composition = Composition(environment, logLevel: world.logLevel)
                report.add(
                    await LiveUsage(composition: composition).ask(
                        report.document.instances.compactMap(\.instance)))
            }
            if report.document != shown {
                if shown != nil, Terminal.isRich { Terminal.write("\u{1B}[2J\u{1B}[H", to: 1) }
                try show(report)
                shown = report.document
            }
            if watch { try await Task.sleep(for: .milliseconds(500)) }
        } while watch
    }

    /// What is used changes all the time, so that it is no reason to show the rest again.
    private var asksForUsage: Bool { !watch && (output != .table || !names.isEmpty) }

    private func read(_ environment: Environment) throws -> StatusReport {
        guard let ledger = try SQLiteLedger.openReadOnly(directory: environment.state) else {
            return StatusReport(none: environment)
        }
        var report = try StatusReport(ledger, environment)
        if let unknown = names.first(where: { name in
            !report.document.instances.contains { $0.name == name }
        }) {
            let known = report.document.instances.map(\.name)
            let hint = Suggestion.nearest(to: unknown, among: known).map {
                "; did you mean '\($0)'?"
            }
            throw CommandFailure("no instance is named '\(unknown)'\(hint ?? "")")
        }
        report.keep { row in
            (names.isEmpty || names.contains(row.name))
                && (!orphans || row.conditions.contains { $0.kind == .orphan })
        }
        return report
    }

    private func show(_ report: StatusReport) throws {
        switch output {
        case .table:
            report.showTable(wide: false, onlyDeclared: false)
            if !names.isEmpty { report.showUsage() }
        case .wide: report.showTable(wide: true, onlyDeclared: false)
        case .json, .yaml: try Encoded.show(report.document, output)
        }
    }
}

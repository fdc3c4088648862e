import ArgumentParser
import Foundation
import PalEngine
import PalLedger
import PalModel

/// `pal why`.
struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what was last decided on an instance, and why; 'nothing' has a reason too.",
        discussion: """
            Reads what the controller wrote down and asks nobody; works without a controller.

              pal why alice
              pal why alice -o json
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "The instance.") var name: String
    @Option(name: .shortAndLong, help: "table, json or yaml.") var output = OutputFormat.table

    private static let eventsShown = 5

    /// The JSON form.
    private struct Document: Encodable {
        var explanation: Explanation
        var events: [EventRecord]
    }

    func run() async throws {
        let environment = try world.environment()
        guard let ledger = try SQLiteLedger.openReadOnly(directory: environment.state) else {
            throw CommandFailure(
                "nothing was decided yet: no controller has seen \(environment.specs); "
                    + "'pal plan' says what would be")
        }
        let records = try ledger.records()
        guard let record = records.first(where: { $0.name == name }) else {
            let hint = Suggestion.nearest(to: name, among: records.map(\.name))
                .map { "; did you mean '\($0)'?" }
            throw CommandFailure(
                "no instance is named '\(name)'\(hint ?? "; 'pal status' lists them all")")
        }
        let document = Document(
            explanation: Explanation(record, in: try ledger.swarmState()),
            events: try ledger.latestEvents(name: name, limit: Self.eventsShown))
        switch output {
        case .table, .wide: show(document)
        case .json, .yaml: try Encoded.show(document, output)
        }
    }

    private func show(_ document: Document) {
        let explanation = document.explanation
        let age = explanation.since.map { " (decided \(Age.text(since: $0)) ago)" } ?? ""
        Terminal.say("\(explanation.name): \(explanation.decision)\(age)")
        for fact in explanation.facts {
            let about = fact.about.padding(toLength: 9, withPad: " ", startingAt: 0)
            Terminal.say("  \(Terminal.coloured(about, .grey))  \(fact.text)")
        }
        for event in document.events {
            let about = "event".padding(toLength: 9, withPad: " ", startingAt: 0)
            Terminal.say(
                "  \(Terminal.coloured(about, .grey))  \(event.at.formatted(.iso8601))  "
                    + "\(event.reason)  \(event.message)")
        }
    }
}

import ArgumentParser
import Foundation
import PalEngine
import PalLedger
import PalModel

/// `pal events`.
struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what happened, newest last.",
        discussion: "  pal events\n  pal events alice --follow\n  pal events --lines 500 -o json")
    @OptionGroup var world: WorldOptions
    @Argument(help: "Only this instance.") var name: String?
    @Flag(name: .shortAndLong, help: "Go on with what happens from now on.") var follow = false
    @Option(name: [.customShort("n"), .long], help: "At most so many.") var lines = 50
    @Option(name: .shortAndLong, help: "table, json or yaml.") var output = OutputFormat.table

    func run() async throws {
        let environment = try world.environment()
        var last: Int64 = 0
        var isFirst = true
        repeat {
            if let ledger = try SQLiteLedger.openReadOnly(directory: environment.state) {
                let events =
                    isFirst
                    ? try ledger.latestEvents(name: name, limit: lines)
                    : try ledger.events(name: name, after: last, limit: 1000)
                try show(events)
                last = events.last?.number ?? last
                isFirst = false
            }
            if follow { try await Task.sleep(for: .milliseconds(300)) }
        } while follow
    }

    private func show(_ events: [EventRecord]) throws {
        guard output == .table || output == .wide else {
            if follow {
                for event in events { try Encoded.showLine(event) }
            } else {
                try Encoded.show(["events": events], output)
            }
            return
        }
        for event in events {
            let time = event.at.formatted(.iso8601)
            let reason =
                event.severity == .warning
                ? Terminal.coloured(event.reason, .yellow) : event.reason
            Terminal.say("\(time)  \(event.name ?? "-")  \(reason)  \(event.message)")
        }
    }
}

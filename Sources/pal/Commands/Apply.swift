import ArgumentParser
import Foundation
import PalEngine
import PalLedger
import PalModel
import Synchronization

/// `pal apply`.
struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Converge once, and wait until everything is ready.",
        discussion: """
            Exit code 0: everything is as declared, and every editor answers. 1: something is not.
            Beside a running controller it has the controller do it, and waits.

              pal apply
              pal apply --timeout 30s

            With --plan it does what 'pal plan -o json' said and nothing else, and only while specs
            and instances are what they were then.

              pal plan -o json > plan.json
              pal apply --plan plan.json
            """)
    @OptionGroup var world: WorldOptions
    @Option(help: ArgumentHelp("The longest wait.", valueName: "time")) var timeout = Span("5m")

    @Option(help: ArgumentHelp("Only what this plan says.", valueName: "file")) var plan: String?

    func run() async throws {
        let environment = try world.environment()
        let plan = try plan.map { try PlanFile(reading: $0) }
        if let plan, plan.names.isEmpty {
            Terminal.say("The plan changes nothing.")
            return
        }
        let client = try ControlClient(environment, logLevel: world.logLevel)
        let progress = ProgressLine()
        var request = ControlRequest(
            verb: .apply, names: plan?.names ?? [], by: ControlClient.person)
        request.plan = plan?.digest
        let reply = try await client.ask(
            request, only: plan.map { Set($0.names) }, limit: timeout.value.duration,
            purpose: "pal apply"
        ) { progress.show($0) }
        progress.clear()
        guard let ledger = try SQLiteLedger.openReadOnly(directory: environment.state) else {
            throw CommandFailure("the ledger in \(environment.state) is gone")
        }
        let report = try StatusReport(ledger, environment)
        report.showTable(wide: false, onlyDeclared: true)
        for message in reply?.messages ?? [] { Terminal.complain(message) }
        guard let reply else {
            throw CommandFailure("not everything is ready within \(timeout.value.text); see above")
        }
        if !reply.isDone { Terminal.exit(1) }
    }
}

/// What `pal plan -o json` wrote, as far as carrying it out needs it.
private struct PlanFile: Decodable {
    private struct Entry: Decodable {
        var name: String
        var steps: [Step]
    }

    private var plans: [Entry]
    let digest: PlanDigest

    /// What the plan changes, sorted.
    var names: [String] { plans.filter { !$0.steps.isEmpty }.map(\.name).sorted() }

    init(reading path: String) throws {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(path): there is no such file, or it cannot be read")
        }
        do {
            self = try JSONDecoder().decode(PlanFile.self, from: bytes)
        } catch {
            throw CommandFailure(
                "\(path): not a plan; make one with 'pal plan -o json > \(path)'")
        }
    }
}

/// What `apply` shows while it works, on a terminal only: one line that is written over.
final class ProgressLine: Sendable {
    private let lastEvent = Mutex<Int64?>(nil)
    private let isRich = Terminal.isRich

    func show(_ ledger: SQLiteLedger) {
        let after = lastEvent.withLock { $0 }
        guard let events = try? ledger.events(name: nil, after: after ?? .max, limit: 200) else {
            return
        }
        if after == nil {
            let newest = (try? ledger.newestEvent()) ?? 0
            lastEvent.withLock { $0 = newest }
            return
        }
        guard let last = events.last else { return }
        lastEvent.withLock { $0 = last.number }
        guard isRich else { return }
        for event in events where event.name != nil {
            clear()
            Terminal.say("  \(event.name ?? "")  \(event.reason)  \(event.message)")
        }
        if let records = try? ledger.records() {
            let ready = records.filter { $0.conditions.contains { $0.kind == .ready && $0.isTrue } }
            Terminal.write("\r\(ready.count) of \(records.count) ready", to: 1)
        }
    }

    func clear() {
        if isRich { Terminal.write("\r\u{1B}[K", to: 1) }
    }
}

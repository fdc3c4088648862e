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
            for line in plan.waits { Terminal.complain(line) }
            Terminal.say("The plan changes nothing.")
            if plan.waits.isEmpty { return }
            Terminal.exit(1)
        }
        let client = try ControlClient(environment, logLevel: world.logLevel)
        let progress = ProgressLine()
        var request = ControlRequest(
            verb: .apply, names: plan?.names ?? [], by: ControlClient.person)
        request.plan = plan.map { BoundPlan($0.digest, steps: $0.steps) }
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
        var conditions: [Condition]
    }

    private var plans: [Entry]
    let digest: PlanDigest

    /// What the plan does, by the name of what it changes.
    var steps: [String: [Step]] {
        Dictionary(plans.filter { !$0.steps.isEmpty }.map { ($0.name, $0.steps) }) { $0 + $1 }
    }

    /// Why nothing is planned for what is not as it should be.
    var waits: [String] {
        plans.filter { $0.steps.isEmpty }.flatMap { plan in
            plan.conditions.filter { [.blocked, .awaitingApproval].contains($0.kind) }
                .map { "\(plan.name): \($0.message)" }
        }
    }

    /// What the plan changes, sorted.
    var names: [String] { steps.keys.sorted() }

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
    private let line = Mutex("")
    private let nextLook = Mutex(ContinuousClock.now)
    private let isRich = Terminal.isRich

    func show(_ ledger: SQLiteLedger) {
        guard isRich else { return }
        let after = lastEvent.withLock { $0 }
        guard let events = try? ledger.events(name: nil, after: after ?? .max, limit: 200) else {
            return
        }
        if after == nil {
            let newest = (try? ledger.newestEvent()) ?? 0
            lastEvent.withLock { $0 = newest }
            return
        }
        if let last = events.last { lastEvent.withLock { $0 = last.number } }
        for event in events where event.name != nil {
            clear()
            Terminal.say("  \(event.name ?? "")  \(event.reason)  \(event.message)")
        }
        let now = ContinuousClock.now
        // There may be very many records.
        guard !events.isEmpty || nextLook.withLock({ $0 <= now }),
            let records = try? ledger.records()
        else { return }
        nextLook.withLock { $0 = now + .milliseconds(500) }
        let text = ProgressBar.line(records, columns: Terminal.columns)
        guard line.withLock({ $0 != text }) else { return }
        clear()
        line.withLock { $0 = text }
        Terminal.write("\r" + text, to: 1)
    }

    func clear() {
        line.withLock { $0 = "" }
        if isRich { Terminal.write("\r\u{1B}[K", to: 1) }
    }
}

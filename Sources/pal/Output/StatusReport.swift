import Foundation
import PalEngine
import PalLedger
import PalModel
import PalProvider

/// What `status` shows: the ledger's view of the swarm.
struct StatusReport {
    /// One instance.
    struct Row: Encodable, Equatable {
        var name: String
        var id: String
        var provider: String
        var status: InstanceStatus
        var ready: Bool
        var instance: VSCodeInstance?
        var conditions: [Condition]
        var specHash: String?
        var generation: Int
        var hold: Hold?
        var location: SourceLocation?
        var failures: Int
        var drift: [Drift]?
        var decision: Decision?
        var progress: PalProvider.Progress?

        init(_ record: InstanceRecord) {
            name = record.name
            id = record.id
            provider = record.provider
            conditions = record.conditions
            let isAbsent = conditions.contains { $0.kind == .ready && $0.reason == "Absent" }
            status = record.observed?.status ?? (isAbsent ? .absent : .pending)
            ready = conditions.contains { $0.kind == .ready && $0.isTrue }
            instance = record.observed?.value
            specHash = record.observed?.ownership.specHash.text
            generation = record.generation
            hold = record.hold
            location = record.location
            failures = record.failures
            drift = record.drift
            decision = record.decision
            progress = record.progress
        }
    }

    /// The JSON form.
    struct Document: Encodable, Equatable {
        var swarm: String
        var specs: String
        /// Who runs the controller; nil where nobody does.
        var controller: String?
        /// When the state was last written.
        var asOf: Date?
        var source: SourceState?
        var problems: [Diagnostic]
        var pruneBlock: String?
        var parked: ParkedPlan?
        var providers: [String: ProviderHealth]
        var instances: [Row]
    }

    private(set) var document: Document

    init(_ ledger: SQLiteLedger, _ environment: Environment) throws {
        let state = try ledger.swarmState()
        document = Document(
            swarm: environment.swarm, specs: environment.specs,
            controller: ControllerLock.holder(directory: environment.state),
            asOf: state?.updatedAt, source: state?.source, problems: state?.problems ?? [],
            pruneBlock: state?.pruneBlock, parked: state?.parked,
            providers: state?.providers ?? [:],
            instances: try ledger.records().map { Row($0) }.sorted { $0.name < $1.name })
    }

    /// The report of a swarm that was never reconciled.
    init(none environment: Environment) {
        document = Document(
            swarm: environment.swarm, specs: environment.specs, controller: nil, asOf: nil,
            source: nil, problems: [], pruneBlock: nil, parked: nil, providers: [:], instances: [])
    }

    /// Adds what the instances use now.
    mutating func add(_ usage: [String: ResourceUsage]) {
        for index in document.instances.indices {
            let row = document.instances[index]
            guard let used = usage[row.name], let instance = row.instance else { continue }
            document.instances[index].instance = used.filled(into: instance)
        }
    }

    mutating func keep(where isWanted: (Row) -> Bool) {
        document.instances = document.instances.filter(isWanted)
    }

    // MARK: For people

    func showTable(wide: Bool, onlyDeclared: Bool) {
        var table = Table(
            ["NAME", "PROVIDER", "STATUS", "READY", "AGE", wide ? "ID" : "URL"]
                + (wide ? ["PLATFORM ID", "GENERATION", "CPU", "MIB", "SPEC", "URL"] : []))
        for row in document.instances { table.add(cells(row, wide)) }
        if document.instances.isEmpty {
            Terminal.say(
                document.asOf == nil
                    ? "Nothing is known yet: 'pal apply' or 'pal run' makes the swarm of "
                        + "\(document.specs)."
                    : "No instances.")
        } else {
            table.show()
        }
        showDetails()
    }

    private func cells(_ row: Row, _ wide: Bool) -> [String] {
        let url = row.instance?.network.urls.first ?? "-"
        let start = [
            row.name, row.provider, row.status.rawValue,
            row.ready ? "yes" : row.status == .absent ? "-" : "no",
            Age.text(since: row.instance?.createdAt),
        ]
        guard wide else { return start + [url] }
        let resources = row.instance?.resources ?? ResourceState()
        let platformId = row.instance.map { String($0.providerInstanceId.prefix(12)) } ?? "-"
        let place = row.location?.description ?? "-"
        let used = [resources.cpu.text(digits: 2), resources.memory.text(digits: 0)]
        return start + [row.id, platformId, String(row.generation)] + used + [place, url]
    }

    private func showDetails() {
        for row in document.instances {
            for condition in row.conditions where condition.kind != .ready || row.needsWords {
                Terminal.say(
                    Terminal.coloured("\(row.name): ", .yellow)
                        + "\(condition.kind == .ready ? "NotReady" : condition.kind.rawValue): "
                        + condition.message)
            }
        }
        if case .unavailable(let why) = document.source { Terminal.say(why) }
        for problem in document.problems { Terminal.say(problem.description) }
        if let block = document.pruneBlock, !document.instances.isEmpty {
            Terminal.say("Nothing is deleted: \(block)")
        }
        for (name, health) in document.providers.sorted(by: { $0.key < $1.key }) {
            if let problem = health.problem { Terminal.say("provider '\(name)': \(problem)") }
        }
        guard document.controller == nil, document.asOf != nil else { return }
        Terminal.say(
            Terminal.coloured(
                "No controller runs; this is as of \(Age.text(since: document.asOf)) ago.", .grey))
    }
}

extension StatusReport.Row {
    /// Whether the table alone does not say why it is not ready.
    fileprivate var needsWords: Bool {
        !ready && status != .absent && hold == nil && instance?.config.state != .stopped
            && !conditions.contains { ![.ready, .notEnforced, .exposed].contains($0.kind) }
    }
}

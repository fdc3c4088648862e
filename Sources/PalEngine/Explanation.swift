public import FoundationEssentials
internal import PalModel

/// Why an instance is as it is: the last decision on it, and what that rested on.
///
/// Made from what the ledger keeps; nobody is asked.
public struct Explanation: Sendable, Hashable, Codable {
    /// One thing that the decision rested on.
    public struct Fact: Sendable, Hashable, Codable {
        /// What it is about, in one word.
        public var about: String
        /// What is so.
        public var text: String
    }

    /// The instance's name.
    public var name: String
    /// What was decided, and why, in one sentence; `nothing` has its reason too.
    public var decision: String
    /// When it was first decided so; nil where nothing was decided yet.
    public var since: Date?
    /// What it rested on.
    public var facts: [Fact]

    /// Explains an instance by its record.
    ///
    /// - Parameter swarm: What is known of the swarm as a whole.
    public init(_ record: InstanceRecord, in swarm: SwarmState?) {
        name = record.name
        since = record.decision?.at
        decision = Self.sentence(record)
        facts = [
            ("declared", Self.declaration(record)),
            ("instance", Self.instance(record)),
            ("spec", Self.spec(record)),
            ("drift", Self.drift(record)),
            ("hold", Self.hold(record)),
            ("consent", record.consent),
            ("failures", Self.failures(record)),
            ("provider", swarm?.providers[record.provider]?.problem),
            ("pruning", swarm?.pruneBlock),
        ].compactMap { about, text in text.map { Fact(about: about, text: $0) } }
    }

    // MARK: The decision

    private static func sentence(_ record: InstanceRecord) -> String {
        guard let decision = record.decision else { return "nothing was decided yet" }
        let causes = decision.causes.joined(separator: "; ")
        let what = decision.action == .none ? "nothing" : decision.action.rawValue
        switch decision.outcome {
        case .settled: return "nothing, because \(settled(record, causes))"
        case .underWay where decision.action == .none:
            return "nothing yet, because \(decision.message ?? causes)"
        case .underWay: return "\(what), because \(causes); under way"
        case .waiting, .retrying:
            let message = decision.message ?? "it waits"
            return decision.action == .none
                ? "nothing yet, because \(message)"
                : "\(what), because \(causes); not yet: \(message)"
        case .blocked: return "nothing, because \(decision.message ?? causes)"
        }
    }

    private static func settled(_ record: InstanceRecord, _ causes: String) -> String {
        guard causes.isEmpty else { return causes }
        let conditions = record.conditions
        let reasons: [Condition.Kind] = [.suspended, .held]
        if let reason = conditions.first(where: { reasons.contains($0.kind) }) {
            return reason.message
        }
        guard let instance = record.observed?.value else { return "nothing is declared to run" }
        if instance.isServing {
            return "it runs as declared"
                + (instance.network.urls.first.map { " and answers at \($0)" } ?? "")
        }
        return "it is \(instance.status.rawValue), as declared"
    }

    // MARK: Facts

    private static func declaration(_ record: InstanceRecord) -> String? {
        record.location.map { "\($0) in \(record.declaredFrom ?? "the specs")" }
            ?? "in no file that this ledger knows"
    }

    private static func instance(_ record: InstanceRecord) -> String? {
        guard let instance = record.observed?.value else { return "none on \(record.provider)" }
        var text =
            "\(instance.status.rawValue) on \(record.provider), "
            + "generation \(instance.ownership.generation), "
            + "\(instance.providerInstanceId.prefix(12))"
        if let exit = instance.exit, instance.status != .running {
            text += ", \(exit.text)"
        } else if let exit = instance.exit, exit.isOutOfMemory {
            let time = exit.at.map { " at \($0.ISO8601Format())" } ?? ""
            text += ", last out of memory\(time)"
        }
        if case .notReady(let why) = instance.readiness { text += ", not ready: \(why)" }
        return text
    }

    private static func spec(_ record: InstanceRecord) -> String? {
        guard let hash = record.observed?.value.ownership.specHash else { return nil }
        let isKnown = record.issuedHashes.contains(hash)
        return "\(hash.text), \(isKnown ? "made by this ledger" : "not made by this ledger")"
    }

    private static func drift(_ record: InstanceRecord) -> String? {
        guard let drift = record.drift, !drift.isEmpty else { return nil }
        return drift.map { "\($0.change.drifted), since \($0.since.ISO8601Format())" }
            .joined(separator: "; ")
    }

    private static func hold(_ record: InstanceRecord) -> String? {
        record.hold.map { hold in
            "stopped by \(hold.by) since \(hold.since.ISO8601Format())"
                + (hold.until.map { ", until \($0.ISO8601Format())" } ?? "")
        }
    }

    private static func failures(_ record: InstanceRecord) -> String? {
        record.failures == 0 ? nil : "\(record.failures) in a row"
    }
}

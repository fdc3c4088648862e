public import FoundationEssentials
public import PalModel
public import PalProvider

/// Everything that the ledger keeps of one name.
public struct InstanceRecord: Sendable, Hashable, Codable {
    /// The instance's name, unique in the ledger.
    public var name: String
    /// pal's id, minted once.
    public var id: String
    /// The provider that has the instance.
    public var provider: String
    /// The highest generation that was made or is being made.
    public var generation: Int
    /// Every spec hash that this ledger put, or was about to put, on an object of this name.
    public var issuedHashes: [SpecHash]
    /// What was last made true, as the user wrote it.
    public var applied: Shared<InstanceConfig>?
    /// What the last call was made from, until it is known to be true: whatever came of the call,
    /// the object may have been made from this.
    public var attempted: Shared<InstanceConfig>?
    /// What was attempted before that, where nobody knows which of the two it became.
    @Rare public var attemptedBefore: Shared<InstanceConfig>?
    /// What the last declaration said about its end, whether or not the rest of it was ever made
    /// true.
    public var terms: Terms?
    /// The specs path that declared it, as long as it did; the last one after that.
    public var declaredFrom: String?
    /// Where it is or was declared.
    public var location: SourceLocation?
    /// What the provider said last.
    public var observed: Shared<VSCodeInstance>?
    /// What is true of it, as of the last decision.
    public var conditions: [Condition]
    /// Outside ports by inside port, kept over replacements.
    public var keptPorts: [Int: Int]
    /// A person's `pal stop`; nil where there is none.
    @Rare public var hold: Hold?
    /// What a person agreed to, in the words of the plan that asked for it: the deletion of an
    /// orphan, the taking over of an object, the interruption of an editor.
    public var consent: String?
    /// Since when the persistent storage is to go as well: from the deletion of the instance until
    /// that is done, so that no crash and no failure in between keeps what was to go.
    public var discardsStorageSince: Date?
    /// The same where a replacement takes the storage away, to begin with a new one.
    @Rare public var renewsStorageSince: Date?
    /// The object of somebody else's that was taken over; kept when it is gone, because consent
    /// holds once.
    @Rare public var adopted: AdoptedObject?
    /// A creation that may still take effect.
    @Rare public var landing: Landing?
    /// Failures in a row.
    public var failures: Int
    /// The digest of the declaration that failed. The failures count against it until it changes,
    /// over restarts of the controller too.
    public var failedSpec: String?
    /// Where the platform's object differs from what pal made true; nil where it does not.
    public var drift: [Drift]?
    /// The last decision; `pal why` shows it.
    public var decision: Decision?
    /// How far a call that takes long has come; nil where none is under way.
    @Rare public var progress: Progress?

    /// A new name's record: nothing made, nothing seen.
    public init(name: String, id: String, provider: String) {
        self.name = name
        self.id = id
        self.provider = provider
        generation = 0
        issuedHashes = []
        conditions = []
        keptPorts = [:]
        failures = 0
    }
}

/// `pal stop` on a declared instance: it stays stopped until the hold ends.
public struct Hold: Sendable, Hashable, Codable {
    /// Who asked for it.
    public var by: String
    /// When it was asked for.
    public var since: Date
    /// When it ends by itself; nil for never.
    public var until: Date?
    /// The declared state at the time: the hold ends when the file says something else.
    public var declaredState: DesiredState?

    /// Makes one of its parts.
    public init(by: String, since: Date, until: Date? = nil, declaredState: DesiredState?) {
        self.by = by
        self.since = since
        self.until = until
        self.declaredState = declaredState
    }

    /// Whether it still counts.
    func holds(at now: Date, state: DesiredState?) -> Bool {
        state == declaredState && until.map { now < $0 } ?? true
    }
}

/// A change that is about to be made, written down before the call.
public struct Intent: Sendable, Hashable, Codable {
    /// The ledger's number; 0 before it is written.
    public var number: Int64
    /// The instance.
    public var name: String
    /// The provider that the call goes to.
    public var provider: String
    /// The call.
    public var step: Step
    /// When it was written down.
    public var at: Date

    /// Makes one of its parts.
    public init(number: Int64 = 0, name: String, provider: String, step: Step, at: Date) {
        self.number = number
        self.name = name
        self.provider = provider
        self.step = step
        self.at = at
    }
}

/// Something that happened, for `pal events`.
public struct EventRecord: Sendable, Hashable, Codable {
    /// How much it matters.
    public enum Severity: String, Sendable, Hashable, Codable { case normal, warning }
    /// The ledger's number; grows with time. 0 before it is written.
    public var number: Int64
    /// When it happened.
    public var at: Date
    /// The instance, or nil where the swarm is meant.
    public var name: String?
    /// Whether somebody should look at it.
    public var severity: Severity
    /// One word for machines, such as `Created`.
    public var reason: String
    /// A sentence for people.
    public var message: String

    /// Makes one of its parts.
    public init(
        number: Int64 = 0, at: Date, name: String?, severity: Severity, reason: String,
        message: String
    ) {
        self.number = number
        self.at = at
        self.name = name
        self.severity = severity
        self.reason = reason
        self.message = message
    }
}

/// Deletions that are more than the prune budget allows, waiting for consent.
public struct ParkedPlan: Sendable, Hashable, Codable {
    /// The names, sorted.
    public var names: [String]
    /// When the deletions were first parked.
    public var since: Date
    /// Who consented, once somebody did.
    public var approvedBy: String?

    /// Makes one of its parts.
    public init(names: [String], since: Date, approvedBy: String? = nil) {
        self.names = names
        self.since = since
        self.approvedBy = approvedBy
    }
}

/// A deletion that the prune budget let through.
public struct RecentDeletion: Sendable, Hashable, Codable {
    /// The instance.
    public var name: String
    /// When it was let through.
    public var at: Date

    /// Makes one of its parts.
    public init(name: String, at: Date) {
        self.name = name
        self.at = at
    }
}

/// What is true of the swarm as a whole, as of the last round.
public struct SwarmState: Sendable, Hashable, Codable {
    /// The specs directory's real path.
    public var specsPath: String
    /// Whether the specs directory could be read.
    public var source: SourceState
    /// Every problem in the specs, sorted.
    public var problems: [Diagnostic]
    /// Why nothing may be pruned; nil where pruning is free.
    public var pruneBlock: String?
    /// Deletions that wait for consent, or nil.
    public var parked: ParkedPlan?
    /// Deletions of the last minute, which count against the prune budget of the next ones.
    public var recentDeletions: [RecentDeletion]?
    /// By provider: why it cannot be reached, or nil where it can.
    public var providers: [String: ProviderHealth]
    /// When this was true; where no more than that has changed since, up to a second before.
    public var updatedAt: Date

    /// A state with nothing wrong in it.
    public init(specsPath: String, updatedAt: Date) {
        self.specsPath = specsPath
        self.updatedAt = updatedAt
        source = .available
        problems = []
        providers = [:]
    }

    /// Whether an earlier one says the same, but for when it was true and when there were lists.
    func isSame(as earlier: SwarmState) -> Bool {
        var same = self
        same.updatedAt = earlier.updatedAt
        for (name, health) in earlier.providers where same.providers[name]?.listedAt != nil {
            // That there was a first list is news.
            if let listed = health.listedAt { same.providers[name]?.listedAt = listed }
        }
        return same == earlier
    }
}

/// Whether a provider answers.
public struct ProviderHealth: Sendable, Hashable, Codable {
    /// The provider's type, such as `docker`.
    public var type: ProviderType
    /// What is wrong; nil where it answers.
    public var problem: String?
    /// When it was last listed completely; up to a second before, where no more has changed since.
    public var listedAt: Date?

    /// Makes one of its parts.
    public init(type: ProviderType, problem: String? = nil, listedAt: Date? = nil) {
        self.type = type
        self.problem = problem
        self.listedAt = listedAt
    }
}

/// What somebody asks a controller to do.
public struct ControlRequest: Sendable, Hashable, Codable {
    /// The verbs that go through a controller.
    public enum Verb: String, Sendable, Hashable, Codable, CaseIterable {
        case apply, approve, start, stop, restart, retry, once

        /// Whether it says something that nobody but the ledger knows, such as a hold or a consent.
        package var isWish: Bool { self != .apply && self != .once }
    }
    /// The ledger's number; 0 before it is written.
    public var number: Int64
    /// What is asked for.
    public var verb: Verb
    /// The instances that are meant; empty for all.
    public var names: [String]
    /// How long a hold lasts.
    public var holdFor: TimeSpan?
    /// The plan that is to be applied; refused where it is not what would be done now.
    public var plan: BoundPlan?
    /// The deletions that waited when consent was given: it is to these. The ledger fills it in.
    public var parked: [String]?
    /// Who asks, for events and holds.
    public var by: String

    /// Makes one of its parts.
    public init(
        number: Int64 = 0, verb: Verb, names: [String] = [], holdFor: TimeSpan? = nil, by: String
    ) {
        self.number = number
        self.verb = verb
        self.names = names
        self.holdFor = holdFor
        self.by = by
    }
}

/// What came of a request.
public struct ControlReply: Sendable, Hashable, Codable {
    /// Whether all that was asked is true now.
    public var isDone: Bool
    /// One line each, for people.
    public var messages: [String]

    /// Makes one of its parts.
    public init(isDone: Bool, messages: [String]) {
        self.isDone = isDone
        self.messages = messages
    }
}

/// The record of what pal did and knows. Not the truth: that is in the specs and at the providers.
///
/// Every method is synchronous, so that a simulation stays deterministic, and durable when it
/// returns. A failure to write stops the change that it belongs to.
public protocol Ledger: Sendable {
    /// All records, sorted by name.
    func records() throws(LedgerError) -> [InstanceRecord]
    /// Writes a record in the place of the old one of its name.
    func save(_ record: InstanceRecord) throws(LedgerError)
    /// Removes a record; the name's events stay.
    func forget(_ name: String) throws(LedgerError)

    /// Writes an intent and the record that goes with it, in one transaction.
    /// - Returns: The intent's number.
    func begin(_ intent: Intent, _ record: InstanceRecord) throws(LedgerError) -> Int64
    /// Closes an intent, with what came of it for later reading.
    func finish(_ number: Int64, outcome: String) throws(LedgerError)
    /// Intents that were begun and never finished: what a crash left.
    func openIntents() throws(LedgerError) -> [Intent]

    /// Adds an event; the number in it is not read.
    func append(_ event: EventRecord) throws(LedgerError)
    /// The swarm's state as last saved; nil before the first time.
    func swarmState() throws(LedgerError) -> SwarmState?
    /// Writes the swarm's state in the place of the old one.
    func save(_ state: SwarmState) throws(LedgerError)

    /// Requests that nobody has answered, oldest first.
    func openRequests() throws(LedgerError) -> [ControlRequest]
    /// Answers a request; one that was answered already stays so.
    ///
    /// - Parameter durably: Waits until the disk has it, and everything that was written before it.
    func answer(_ number: Int64, _ reply: ControlReply, durably: Bool) throws(LedgerError)
    /// Calls the handler when a request may have come, until the task is cancelled.
    func watchRequests(_ arrived: @Sendable () async -> Void) async
}

/// The ledger could not be read or written.
public struct LedgerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened and what to do.
    public var message: String
    /// Makes one of its parts.
    public init(_ message: String) { self.message = message }
    /// The message.
    public var description: String { message }
}

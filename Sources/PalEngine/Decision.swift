public import FoundationEssentials
public import PalModel

/// A field of the platform's object that is not as pal made it, though the spec did not change.
public struct Drift: Sendable, Hashable, Codable {
    /// The field, what it is, and what it should be.
    public var change: FieldChange
    /// When that was first seen.
    public var since: Date

    /// Makes one of its parts.
    public init(change: FieldChange, since: Date) {
        self.change = change
        self.since = since
    }
}

/// One decision on an instance, as it is kept: what was decided and why.
public struct Decision: Sendable, Hashable, Codable {
    /// What came of it.
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// Nothing is to be done: it is as declared.
        case settled
        /// The steps are being made, or the platform is at work.
        case underWay
        /// It waits for something else.
        case waiting
        /// It failed and is tried again.
        case retrying
        /// Nothing happens until somebody acts.
        case blocked
    }

    /// When it was first decided so; the same decision made again does not move it.
    public var at: Date
    /// What was to be done.
    public var action: InstancePlan.Action
    /// Why.
    public var causes: [String]
    /// What came of it.
    public var outcome: Outcome
    /// Why nothing more was done, where something was missing.
    public var message: String?

    /// Makes one of its parts.
    public init(
        at: Date, action: InstancePlan.Action, causes: [String], outcome: Outcome,
        message: String? = nil
    ) {
        self.at = at
        self.action = action
        self.causes = causes
        self.outcome = outcome
        self.message = message
    }

    /// Whether two say the same, whenever they were made.
    func saysTheSame(as other: Decision) -> Bool {
        var copy = other
        copy.at = at
        return copy == self
    }
}

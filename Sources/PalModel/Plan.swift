/// One step of a plan: one call that changes something.
public struct Step: Sendable, Hashable, Codable {
    /// What is done.
    public enum Verb: String, Sendable, Hashable, Codable, CaseIterable {
        case create, start, stop, update, delete
        /// Deletes what persistent storage a deleted instance leaves behind.
        case deleteStorage
    }

    /// What the call does.
    public var verb: Verb
    /// The object that is meant; nil for a creation.
    public var target: InstanceReference?
    /// The generation that a creation makes.
    public var generation: Int?
    /// The fields that an update sets.
    public var partial: PartialConfig?
    /// True where the step is made only once the instance that an earlier step made is ready; it
    /// is decided anew then.
    public var awaitsReady: Bool?

    /// Makes one of its parts.
    public init(
        _ verb: Verb, target: InstanceReference? = nil, generation: Int? = nil,
        partial: PartialConfig? = nil
    ) {
        self.verb = verb
        self.target = target
        self.generation = generation
        self.partial = partial
    }
}

/// What shall be done to one instance, and why.
public struct InstancePlan: Sendable, Hashable, Codable {
    /// What the steps amount to.
    public enum Action: String, Sendable, Hashable, Codable, CaseIterable {
        case none, create, start, stop, restart, update, replace, delete
    }

    /// Why a new generation is given up.
    public enum GivingUp: String, Sendable, Hashable, Codable {
        /// It ended, or was not ready in time.
        case failed
        /// Something else is declared meanwhile.
        case superseded
    }

    /// One reason: a field that differs, or a sentence.
    public struct Cause: Sendable, Hashable, Codable {
        /// The field, where the cause is one.
        public var change: FieldChange?
        /// The reason in words.
        public var message: String

        /// A reason in words, with no field behind it.
        public init(_ message: String) { self.message = message }
        /// A field that differs; the message is the change's text.
        public init(_ change: FieldChange) {
            self.change = change
            self.message = change.text
        }
    }

    /// The instance's name.
    public var name: String
    /// The configured name of the provider that the steps go to.
    public var provider: String
    /// What the steps amount to; `none` where nothing is to be done.
    public var action: Action
    /// The worst class of change among the causes, for an update or a replacement.
    public var change: ChangeClass?
    /// Why; empty where nothing is done.
    public var causes: [Cause]
    /// The calls, in the order in which they are made.
    public var steps: [Step]
    /// What is true beside it: a hold, a freeze, a limit that is not enforced.
    public var conditions: [Condition]
    /// Whether the deletion counts against the prune budget.
    public var isPrune: Bool = false
    /// What a person must agree to before the steps are made, in exactly these words; the steps are
    /// withheld until then. Nil where no consent is needed.
    public var consent: String?
    /// The instances that must be ready before the steps are made, by name.
    public var waitsFor: [String]?
    /// The fields in which the platform's object differs from what pal made true, though the spec
    /// did not change.
    public var drift: [FieldChange]?
    /// Why a new generation is given up and the old one goes on, where that is so.
    public var givesUp: GivingUp?

    /// Makes one of its parts.
    public init(
        name: String, provider: String, action: Action = .none, change: ChangeClass? = nil,
        causes: [Cause] = [], steps: [Step] = [], conditions: [Condition] = []
    ) {
        self.name = name
        self.provider = provider
        self.action = action
        self.change = change
        self.causes = causes
        self.steps = steps
        self.conditions = conditions
    }

    /// Whether anything waits for a person.
    public var isBlocked: Bool { conditions.contains { $0.kind == .blocked } }
}

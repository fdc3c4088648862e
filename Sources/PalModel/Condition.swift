public import FoundationEssentials

/// One thing that is true of an instance, for `status` and agents.
public struct Condition: Sendable, Hashable, Codable {
    /// What a condition is about. An open set: readers keep what they do not know.
    public struct Kind: RawRepresentable, Sendable, Hashable, Codable {
        /// The word as `status -o json` shows it, such as `Ready`.
        public let rawValue: String
        /// Makes one of a word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// Reads it from a single value.
        public init(from decoder: any Decoder) throws {
            rawValue = try decoder.singleValueContainer().decode(String.self)
        }
        /// Writes it as a single value.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(rawValue)
        }

        /// The editor answers.
        public static let ready = Kind(rawValue: "Ready")
        /// The last plan could not be carried out; it is tried again.
        public static let failing = Kind(rawValue: "Failing")
        /// Nothing is done until somebody acts: a wrong spec, a foreign object, a duplicate.
        public static let blocked = Kind(rawValue: "Blocked")
        /// The file is broken; the last good version is kept.
        public static let staleSpec = Kind(rawValue: "StaleSpec")
        /// A limit that the platform does not enforce.
        public static let notEnforced = Kind(rawValue: "NotEnforced")
        /// Something that the spec makes visible to others, such as a secret as a variable.
        public static let exposed = Kind(rawValue: "Exposed")
        /// Stopped by a person, and not fought.
        public static let held = Kind(rawValue: "Held")
        /// A deletion that waits for `pal approve`.
        public static let parked = Kind(rawValue: "Parked")
        /// Owned, but declared nowhere.
        public static let orphan = Kind(rawValue: "Orphan")
        /// The platform's object differs from what pal made.
        public static let drifted = Kind(rawValue: "Drifted")
        /// The provider does not answer.
        public static let providerUnreachable = Kind(rawValue: "ProviderUnreachable")
        /// Left alone, because its spec says `suspend: true`.
        public static let suspended = Kind(rawValue: "Suspended")
        /// A running editor would be interrupted; waits for `pal approve`.
        public static let awaitingApproval = Kind(rawValue: "AwaitingApproval")
        /// Waits for the instances that it depends on.
        public static let waiting = Kind(rawValue: "Waiting")
        /// Too many failures in a row; waits for a change of the spec.
        public static let stalled = Kind(rawValue: "Stalled")
    }

    /// What it is about.
    public var kind: Kind
    /// Whether it holds; `ready` is also reported where it does not.
    public var isTrue: Bool
    /// One word for machines, such as `NameTaken`.
    public var reason: String
    /// A sentence for people, with what to do.
    public var message: String
    /// Since when it is so, where that is known.
    public var since: Date?

    /// Makes one of its parts.
    public init(
        _ kind: Kind, _ isTrue: Bool = true, reason: String, message: String, since: Date? = nil
    ) {
        self.kind = kind
        self.isTrue = isTrue
        self.reason = reason
        self.message = message
        self.since = since
    }
}

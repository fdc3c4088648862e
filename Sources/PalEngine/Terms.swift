public import FoundationEssentials
public import PalModel

/// What a declaration says about the end of its instance.
public struct Terms: Sendable, Hashable, Codable {
    /// What becomes of persistent storage.
    public var onDelete: DeletePolicy?
    /// Whether it outlives its file.
    public var protect: Bool?
    /// Whether a running editor may be interrupted unasked.
    public var disruption: DisruptionPolicy?
    /// How many the spec asked for, where it is one of `replicas`.
    public var replicas: Int?

    init(_ config: InstanceConfig) {
        onDelete = config.onDelete
        protect = config.protect
        disruption = config.disruption
        replicas = config.replicas
    }
}

/// A creation whose answer never came, or came just now: as long as it may take effect, or a list
/// that is behind may not show what it made, or left half made, its name is not forgotten and not
/// given to another provider. Where it was made it can be tried again: there its name is taken.
public struct Landing: Sendable, Hashable, Codable {
    /// The provider that the call went to.
    public var provider: String
    /// When it can be taken for lost.
    public var until: Date
    /// How long that was ahead when this was written.
    public var seconds: Double
    /// Whether the call was answered; only lists can be behind then.
    public var isAnswered: Bool?
    /// Whether the answer was that it failed.
    public var isRefused: Bool?
    /// The object that the answer told of; nil where it told of none.
    public var object: String?

    init(provider: String, from date: Date, seconds: Double, isAnswered: Bool? = nil) {
        self.provider = provider
        self.seconds = seconds
        self.isAnswered = isAnswered
        until = date + seconds
    }

    /// Why nobody else is given the name.
    var reason: String {
        if isRefused == true {
            return "'\(provider)' failed to make it just now, and may not show yet what that left"
        }
        return isAnswered == true
            ? "'\(provider)' made it just now, and may not show it yet"
            : "a call that '\(provider)' never answered may still make it there"
    }
}

extension InstanceRecord {
    /// The terms that count when the file is gone; records of an earlier release have none.
    var lastTerms: Terms? { terms ?? applied.map { Terms($0.value) } }
}

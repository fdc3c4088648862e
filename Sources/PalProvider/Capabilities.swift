public import PalModel

/// What a provider does with a field.
public enum FieldSupport: Sendable, Hashable, Codable {
    /// Made true; a change is made in this way, unless `classify` says worse of a certain one.
    case honoured(ChangeClass)
    /// Only the value that the provider has anyway is accepted; the reason says what gives another.
    case fixed(String)
    /// Accepted, but the platform cannot enforce it; the reason says why.
    case notEnforced(String)
    /// Refused; the reason says why and what to do instead.
    case unsupported(String)

    /// How a change is made, of a field that is honoured.
    var change: ChangeClass? { if case .honoured(let change) = self { change } else { nil } }
}

/// What a provider can do, as data: `pal providers`, the engine and the docs read it.
public struct Capabilities: Sendable, Hashable, Codable {
    /// The optional interfaces.
    public enum Feature: String, Sendable, Hashable, Codable, CaseIterable {
        case events, storage, followedLogs, interactive, adoption, description, metrics
    }

    /// What becomes of each platform field, by path. A field that is not listed is unsupported.
    public let fields: [String: FieldSupport]
    /// The optional interfaces.
    public var features: Set<Feature>
    /// How many calls at once do it good.
    public var maximumConcurrentCalls: Int
    /// Whether an instance and its successor can be reached by one outside port at once, as behind
    /// a platform's own proxy. Only then can a replacement start first and keep its ports.
    public var sharesOutsidePorts: Bool
    /// Whether its logs tell standard output and standard error apart; otherwise all is output.
    public var tellsStreamsApart: Bool
    /// The keys of `specific` that only steer pal: they are in no hash, and a change of them
    /// changes no instance. A key that a release has hashed must never be added.
    public var steeringKeys: Set<String>

    /// The fields whose change replaces though the platform tells their values.
    private let told: Set<String>
    /// The fields whose change replaces the instance: those that the spec hash covers.
    ///
    /// This set is part of the label's meaning and so must not change between releases; a change
    /// needs a new version of the hash.
    public let hashedFields: FieldSet
    /// The fields whose value at the platform is compared and corrected.
    public let comparedFields: FieldSet
    /// The fields that are accepted and cannot be enforced.
    public let notEnforcedFields: FieldSet
    /// The platform fields that are refused, those too that it does not know.
    public let unsupportedFields: FieldSet

    /// Makes one of its parts.
    ///
    /// - Parameter told: Fields whose change replaces though the platform tells their values: these
    ///   are compared, and not part of the hash.
    public init(
        fields: [String: FieldSupport], features: Set<Feature>, maximumConcurrentCalls: Int,
        told: Set<String> = [], sharesOutsidePorts: Bool = false, tellsStreamsApart: Bool = true,
        steeringKeys: Set<String> = []
    ) {
        self.fields = fields
        self.features = features
        self.maximumConcurrentCalls = maximumConcurrentCalls
        self.sharesOutsidePorts = sharesOutsidePorts
        self.tellsStreamsApart = tellsStreamsApart
        self.told = told
        self.steeringKeys = steeringKeys
        // Once here, because the planner asks for every instance.
        func paths(_ isTaken: (String, FieldSupport) -> Bool) -> FieldSet {
            FieldSet(fields.filter { isTaken($0.key, $0.value) }.map(\.key))
        }
        func isCompared(_ path: String, _ change: ChangeClass) -> Bool {
            change < .replace || told.contains(path)
        }
        hashedFields = paths { path, support in
            support.change.map { !isCompared(path, $0) } ?? false
        }
        comparedFields = paths { path, support in
            support.change.map { isCompared(path, $0) } ?? false
        }
        notEnforcedFields = paths { if case .notEnforced = $1 { true } else { false } }
        unsupportedFields = FieldSet(
            FieldSet.platform.lazy.map(\.path).filter {
                if case .unsupported? = fields[$0] { true } else { fields[$0] == nil }
            })
    }

    /// What becomes of a field.
    public func support(for path: String) -> FieldSupport {
        fields[path] ?? .unsupported("this provider does not know '\(path)'; remove it")
    }
}

extension Capabilities {
    private enum Key: String, CodingKey {
        case fields, features, maximumConcurrentCalls, sharesOutsidePorts, tellsStreamsApart
        case told, steeringKeys
    }

    /// Reads what it is made of; the sets follow from that.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init(
            fields: try container.decode([String: FieldSupport].self, forKey: .fields),
            features: try container.decode(Set<Feature>.self, forKey: .features),
            maximumConcurrentCalls: try container.decode(
                Int.self, forKey: .maximumConcurrentCalls),
            told: try container.decodeIfPresent(Set<String>.self, forKey: .told) ?? [],
            sharesOutsidePorts: try container.decodeIfPresent(
                Bool.self, forKey: .sharesOutsidePorts) ?? false,
            tellsStreamsApart: try container.decodeIfPresent(
                Bool.self, forKey: .tellsStreamsApart) ?? true,
            steeringKeys: try container.decodeIfPresent(
                Set<String>.self, forKey: .steeringKeys) ?? [])
    }

    /// Writes what it is made of; the sets follow from that.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(fields, forKey: .fields)
        try container.encode(features, forKey: .features)
        try container.encode(maximumConcurrentCalls, forKey: .maximumConcurrentCalls)
        try container.encode(told.sorted(), forKey: .told)
        try container.encode(sharesOutsidePorts, forKey: .sharesOutsidePorts)
        try container.encode(tellsStreamsApart, forKey: .tellsStreamsApart)
        try container.encode(steeringKeys.sorted(), forKey: .steeringKeys)
    }
}

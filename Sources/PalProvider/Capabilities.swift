public import PalModel

/// What a provider does with a field.
public enum FieldSupport: Sendable, Hashable, Codable {
    /// Made true; a change is made in this way, unless `classify` says worse of a certain one.
    case honoured(ChangeClass)
    /// Accepted, but the platform cannot enforce it; the reason says why.
    case notEnforced(String)
    /// Refused; the reason says why and what to do instead.
    case unsupported(String)
}

/// What a provider can do, as data: `pal providers`, the engine and the docs read it.
public struct Capabilities: Sendable, Hashable, Codable {
    /// The optional interfaces.
    public enum Feature: String, Sendable, Hashable, Codable, CaseIterable {
        case events, storage, followedLogs
    }

    /// What becomes of each platform field, by path. A field that is not listed is unsupported.
    public var fields: [String: FieldSupport]
    /// The optional interfaces that it has.
    public var features: Set<Feature>
    /// How many calls at once do it good.
    public var maximumConcurrentCalls: Int

    /// Makes one of its parts.
    public init(
        fields: [String: FieldSupport], features: Set<Feature>, maximumConcurrentCalls: Int
    ) {
        self.fields = fields
        self.features = features
        self.maximumConcurrentCalls = maximumConcurrentCalls
    }

    /// What becomes of a field.
    public func support(for path: String) -> FieldSupport {
        fields[path] ?? .unsupported("this provider does not know '\(path)'; remove it")
    }

    /// The fields whose change replaces the instance: those that the spec hash covers.
    ///
    /// This set is part of the label's meaning and so must not change between releases; a change
    /// needs a new version of the hash.
    public var hashedFields: Set<String> {
        Set(
            fields.compactMap { path, support in
                if case .honoured(let change) = support, change >= .replace { return path }
                return nil
            })
    }

    /// The fields whose value at the platform is compared and corrected.
    public var comparedFields: Set<String> {
        Set(
            fields.compactMap { path, support in
                if case .honoured(let change) = support, change < .replace { return path }
                return nil
            })
    }
}

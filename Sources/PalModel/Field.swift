/// One field of a spec: everything that pal knows of it, said once.
public struct Field: Sendable {
    /// Who acts on a field.
    public enum Role: String, Sendable, Codable {
        /// It says which instance is meant; changing it is not a change of the instance.
        case identity
        /// Only the engine reads it; it is in no hash and reaches no provider.
        case engine
        /// The provider makes it true; each provider says how a change is made.
        case platform
    }

    /// The dotted path in a spec, such as `resources.memory.max`.
    public let path: String
    /// What it accepts.
    public let shape: Shape
    /// Who acts on it.
    public let role: Role
    /// What an unset field means, where that is the same everywhere. Setting it in so many words
    /// changes nothing, and the spec hash leaves it out.
    public let fallback: Value?
    /// One line for the reference, the schema and `--help`.
    public let summary: String

    let get: @Sendable (InstanceConfig) -> Value?
    let set: @Sendable (inout InstanceConfig, Value?) -> Void

    init<T: FieldValue>(
        _ path: String, _ key: any WritableKeyPath<InstanceConfig, T?> & Sendable, _ shape: Shape,
        _ role: Role, fallback: Value? = nil, _ summary: String
    ) {
        self.path = path
        self.shape = shape
        self.role = role
        self.fallback = fallback
        self.summary = summary
        get = { $0[keyPath: key]?.value }
        set = { $0[keyPath: key] = $1.flatMap { T($0) } }
    }

    /// The value that a config sets, or nil where the user left it out.
    public func value(in config: InstanceConfig) -> Value? { get(config) }

    /// The value that counts: what is set, unless that says no more than the fallback.
    public func meaningfulValue(in config: InstanceConfig) -> Value? {
        guard let value = get(config), value.canonicalJSON != fallback?.canonicalJSON
        else { return nil }
        return value
    }
}

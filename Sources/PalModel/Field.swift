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

    /// The place in `FieldTable.all`.
    var index = 0

    /// The way to the property, as one object: fields are copied at every turn.
    let access: Access

    /// - Parameters:
    ///   - read: What a config has. Not a key path: the planner reads every field of every
    ///     instance, and a key path takes ten times as long.
    ///   - write: Puts it into a config.
    init<T: FieldValue>(
        _ path: String, _ read: @escaping @Sendable (InstanceConfig) -> T?,
        _ write: @escaping @Sendable (inout InstanceConfig, T?) -> Void, _ shape: Shape,
        _ role: Role, fallback: Value? = nil, _ summary: String
    ) {
        self.path = path
        self.shape = shape
        self.role = role
        self.fallback = fallback
        self.summary = summary
        // As typed values: most fields are unset, and none becomes a `Value` to be looked at.
        let standard = fallback.flatMap { T($0) }
        let meant: @Sendable (InstanceConfig) -> T? = { config in
            guard let value = read(config), value != standard else { return nil }
            return value
        }
        access = Access(
            get: { read($0)?.value }, set: { write(&$0, $1.flatMap { T($0) }) },
            decode: { write(&$0, try? $1.decode(T.self, forKey: $2)) },
            encode: { try $1.encodeIfPresent(read($0), forKey: $2) },
            counted: { meant($0)?.value }, counts: { meant($0) != nil },
            same: { first, second in
                let (a, b) = (meant(first), meant(second))
                if a == b { return true }
                // Free values can differ in kind and mean the same: 2 and 2.0.
                guard let a, let b else { return false }
                return a.value.canonicalJSON == b.value.canonicalJSON
            },
            share: { config, other in
                let value = read(other)
                if read(config) == value { write(&config, value) }
            })
    }

    /// The way to a property of a config, whatever its type.
    final class Access: Sendable {
        typealias Read<Result> = @Sendable (InstanceConfig) -> Result
        typealias Decode =
            @Sendable (
                inout InstanceConfig, KeyedDecodingContainer<FieldKey>, FieldKey
            ) -> Void
        typealias Encode =
            @Sendable (
                InstanceConfig, inout KeyedEncodingContainer<FieldKey>, FieldKey
            ) throws -> Void

        let get: Read<Value?>
        let set: @Sendable (inout InstanceConfig, Value?) -> Void
        let decode: Decode
        let encode: Encode
        let counted: Read<Value?>
        let counts: Read<Bool>
        let same: @Sendable (InstanceConfig, InstanceConfig) -> Bool
        let share: @Sendable (inout InstanceConfig, InstanceConfig) -> Void

        init(
            get: @escaping Read<Value?>,
            set: @escaping @Sendable (inout InstanceConfig, Value?) -> Void,
            decode: @escaping Decode, encode: @escaping Encode, counted: @escaping Read<Value?>,
            counts: @escaping Read<Bool>,
            same: @escaping @Sendable (InstanceConfig, InstanceConfig) -> Bool,
            share: @escaping @Sendable (inout InstanceConfig, InstanceConfig) -> Void
        ) {
            (self.get, self.set) = (get, set)
            (self.decode, self.encode) = (decode, encode)
            (self.counted, self.counts, self.same) = (counted, counts, same)
            self.share = share
        }
    }

    /// The value that a config sets, or nil.
    func get(_ config: InstanceConfig) -> Value? { access.get(config) }

    /// Sets a value that the shape has accepted; nil, and what is of another type, unsets it.
    func set(_ config: inout InstanceConfig, _ value: Value?) { access.set(&config, value) }

    /// Reads it from the ledger's or a message's own form; a value of another type is left out.
    func decode(
        _ config: inout InstanceConfig, _ container: KeyedDecodingContainer<FieldKey>,
        _ key: FieldKey
    ) {
        access.decode(&config, container, key)
    }

    /// Writes it in the form that `decode` reads; nothing where it is unset.
    func encode(
        _ config: InstanceConfig, _ container: inout KeyedEncodingContainer<FieldKey>,
        _ key: FieldKey
    ) throws {
        try access.encode(config, &container, key)
    }

    /// The value that a config sets, or nil where the user left it out.
    public func value(in config: InstanceConfig) -> Value? { access.get(config) }

    /// The value that counts: what is set, unless that says no more than the fallback.
    public func meaningfulValue(in config: InstanceConfig) -> Value? { access.counted(config) }

    /// Whether a config has a value that counts. Cheaper than the value.
    public func isMeaningful(in config: InstanceConfig) -> Bool { access.counts(config) }

    /// Whether two configs mean the same by this field. Cheaper than the values.
    public func isSame(in first: InstanceConfig, and second: InstanceConfig) -> Bool {
        access.same(first, second)
    }

    /// Where a config has the same value as another, lets both hold it in the same memory.
    func share(_ config: inout InstanceConfig, with other: InstanceConfig) {
        access.share(&config, other)
    }
}

extension Shared<InstanceConfig> {
    /// Means what it did, and holds what another says as well in the same memory.
    public mutating func share(with other: Shared<InstanceConfig>) {
        guard self != other else {
            self = other
            return
        }
        var config = value
        for field in FieldTable.all { field.share(&config, with: other.value) }
        self = Shared(config)
    }
}

/// Some fields of the table: made once and asked often, as by the planner for every instance.
///
/// As a sequence it has the order of the table.
public struct FieldSet: Sendable, Hashable {
    /// A bit for each field, by its place in the table.
    private var bits: UInt64

    /// The fields at these paths; what is no field is left out.
    public init(_ paths: some Sequence<String>) {
        bits = paths.reduce(0) { $0 | (FieldTable.field($1).map(Self.bit) ?? 0) }
    }

    private init(bits: UInt64) { self.bits = bits }

    /// Every field of the table.
    public static let all = FieldSet(FieldTable.all.lazy.map(\.path))

    /// What the provider makes true.
    public static let platform = FieldSet(
        FieldTable.all.lazy.filter { $0.role == .platform }.map(\.path))

    /// Whether there is none.
    public var isEmpty: Bool { bits == 0 }

    /// Whether a field is one of these.
    public func contains(_ field: Field) -> Bool { bits & Self.bit(field) != 0 }

    /// Whether there is a field of that path among these.
    public func contains(_ path: String) -> Bool {
        FieldTable.field(path).map { contains($0) } ?? false
    }

    /// Those of these fields that have a meaningful value in a config.
    public func meaningful(in config: InstanceConfig) -> FieldSet {
        filter { $0.counts(config) }
    }

    /// Those of these fields by which two configs do not mean the same.
    public func differing(_ first: InstanceConfig, _ second: InstanceConfig) -> FieldSet {
        filter { !$0.same(first, second) }
    }

    /// The ways of the table's fields. They live as long as the process does, and nobody counts who
    /// goes them: the planner does for every instance on all cores, and a count that all cores
    /// write takes most of its time.
    private static let ways = FieldTable.all.map { Unmanaged.passUnretained($0.access) }

    private func filter(_ isTaken: (Field.Access) -> Bool) -> FieldSet {
        if isEmpty { return self }
        let ways = Self.ways
        var (rest, taken) = (bits, UInt64(0))
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            if ways[index]._withUnsafeGuaranteedRef(isTaken) { taken |= 1 << UInt64(index) }
            rest &= rest - 1
        }
        return FieldSet(bits: taken)
    }

    private static func bit(_ field: Field) -> UInt64 { 1 << UInt64(field.index) }
}

extension FieldSet: ExpressibleByArrayLiteral {
    /// The fields at these paths; what is no field is left out.
    public init(arrayLiteral paths: String...) { self.init(paths) }
}

extension FieldSet: Sequence {
    /// The fields in the order of the table.
    public func makeIterator() -> some IteratorProtocol<Field> {
        var rest = bits
        return AnyIterator {
            guard rest != 0 else { return nil }
            defer { rest &= rest - 1 }
            return FieldTable.all[rest.trailingZeroBitCount]
        }
    }
}

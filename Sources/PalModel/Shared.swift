/// A value that many places hold and nobody changes: held once, compared by identity first.
///
/// A swarm of 100,000 has its configs in the specs' cache, in the engine's world and in its
/// records; this keeps them from being there three times.
@dynamicMemberLookup
public struct Shared<Value: Sendable & Hashable>: Sendable, Hashable {
    private final class Box: Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    private let box: Box

    /// Puts a value where others can share it.
    public init(_ value: Value) { box = Box(value) }

    /// The value.
    public var value: Value { box.value }

    /// A part of the value.
    public subscript<Part>(dynamicMember path: KeyPath<Value, Part>) -> Part {
        box.value[keyPath: path]
    }

    /// A part of the value; setting it makes a value of one's own and leaves the others theirs.
    public subscript<Part>(dynamicMember path: WritableKeyPath<Value, Part>) -> Part {
        get { box.value[keyPath: path] }
        set {
            var copy = box.value
            copy[keyPath: path] = newValue
            self = Shared(copy)
        }
    }

    /// Whether both hold the very same value in memory; if not, they may still be equal.
    public func isIdentical(to other: Shared) -> Bool { box === other.box }

    /// Equal where the values are; at once where they are the same in memory.
    public static func == (a: Shared, b: Shared) -> Bool {
        a.box === b.box || a.box.value == b.box.value
    }

    /// Hashes the value.
    public func hash(into hasher: inout Hasher) { hasher.combine(box.value) }
}

extension Shared: Codable where Value: Codable {
    /// Reads the value itself.
    public init(from decoder: any Decoder) throws { self.init(try Value(from: decoder)) }
    /// Writes the value itself.
    public func encode(to encoder: any Encoder) throws { try box.value.encode(to: encoder) }
}

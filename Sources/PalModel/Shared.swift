/// A value that many places hold and nobody changes: held once, compared by identity first.
///
/// A swarm of 100,000 has its configs in the specs' cache, in the engine's world and in its
/// records; this keeps them from being there three times.
@dynamicMemberLookup
@frozen
public struct Shared<Value: Sendable & Hashable>: Sendable, Hashable {
    @usableFromInline
    final class Box: Sendable {
        @usableFromInline let value: Value
        @inlinable init(_ value: Value) { self.value = value }
    }

    @usableFromInline let box: Box

    /// Puts a value where others can share it.
    @inlinable
    public init(_ value: Value) { box = Box(value) }

    /// The value. Borrowed where only a part of it is asked for.
    @inlinable public var value: Value {
        _read { yield box.value }
    }

    /// A part of the value.
    @inlinable
    public subscript<Part>(dynamicMember path: KeyPath<Value, Part>) -> Part {
        box.value[keyPath: path]
    }

    /// A part of the value; setting it makes a value of one's own and leaves the others theirs.
    @inlinable
    public subscript<Part>(dynamicMember path: WritableKeyPath<Value, Part>) -> Part {
        get { box.value[keyPath: path] }
        set {
            var copy = box.value
            copy[keyPath: path] = newValue
            self = Shared(copy)
        }
    }

    /// Equal where the values are; at once where they are the same in memory.
    @inlinable
    public static func == (a: Shared, b: Shared) -> Bool {
        a.box === b.box || a.box.value == b.box.value
    }

    /// Hashes the value.
    @inlinable
    public func hash(into hasher: inout Hasher) { hasher.combine(box.value) }
}

extension Shared: Codable where Value: Codable {
    /// Reads the value itself.
    public init(from decoder: any Decoder) throws { self.init(try Value(from: decoder)) }
    /// Writes the value itself.
    public func encode(to encoder: any Encoder) throws { try box.value.encode(to: encoder) }
}

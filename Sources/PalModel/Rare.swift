/// A value that says nothing in next to every one of many structs, such as nil: room for it is
/// taken only where it says something.
///
/// Read and written as if it stood there itself. Encoded, nil is left out and need not be there;
/// another value that says nothing is written, and must be there when it is read.
@propertyWrapper
@frozen
public struct Rare<Value: Sendable & Hashable & Blank>: Sendable, Hashable {
    @usableFromInline var held: Shared<Value>?

    /// Holds a value.
    @inlinable
    public init(wrappedValue: Value) {
        held = wrappedValue == .blank ? nil : Shared(wrappedValue)
    }

    /// The value.
    @inlinable public var wrappedValue: Value {
        get { held?.value ?? .blank }
        set { held = newValue == .blank ? nil : Shared(newValue) }
    }
}

/// A type with a value that says nothing.
public protocol Blank {
    /// The value that says nothing.
    static var blank: Self { get }
}

extension Optional: Blank {
    /// Nil.
    @inlinable public static var blank: Self { nil }
}

extension Rare: Codable where Value: Codable {
    /// Reads the value itself.
    public init(from decoder: any Decoder) throws {
        self.init(wrappedValue: try Value(from: decoder))
    }
    /// Writes the value itself.
    public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

// What the compiler writes for structs that hold a `Rare` calls these, as they fit better than the
// general ones: as with optionals, nothing is written for nil, and nothing need be there.

extension KeyedEncodingContainer {
    /// Writes the value, unless it is nil.
    public mutating func encode<Wrapped>(
        _ rare: Rare<Wrapped?>, forKey key: Key
    ) throws where Wrapped: Codable & Hashable & Sendable {
        try encodeIfPresent(rare.wrappedValue, forKey: key)
    }
}

extension KeyedDecodingContainer {
    /// Reads the value; nil where there is none.
    public func decode<Wrapped>(
        _: Rare<Wrapped?>.Type, forKey key: Key
    ) throws -> Rare<Wrapped?> where Wrapped: Codable & Hashable & Sendable {
        Rare(wrappedValue: try decodeIfPresent(Wrapped.self, forKey: key))
    }
}

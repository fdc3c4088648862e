/// A type that a spec field can hold: it converts to and from a `Value`.
///
/// `init?(_:)` is called only with values that the field's `Shape` has accepted. Encoded, it looks
/// as its `Value` does.
public protocol FieldValue: Sendable, Hashable, Codable {
    /// Reads a value; nil where it is of another kind.
    init?(_ value: Value)
    /// The value that `init?(_:)` would read back.
    var value: Value { get }
}

extension String: FieldValue {
    /// Takes text, and whole numbers in their decimal form.
    public init?(_ value: Value) {
        switch value {
        case .string(let text): self = text
        case .int(let number): self = String(number)
        default: return nil
        }
    }
    /// The text.
    public var value: Value { .string(self) }
}

extension Int: FieldValue {
    /// Takes whole numbers only.
    public init?(_ value: Value) {
        guard case .int(let number) = value else { return nil }
        self = number
    }
    /// The number.
    public var value: Value { .int(self) }
}

extension Double: FieldValue {
    /// Takes any number.
    public init?(_ value: Value) {
        switch value {
        case .int(let number): self = Double(number)
        case .double(let number): self = number
        default: return nil
        }
    }
    /// The number, as a `double` also where it is whole.
    public var value: Value { .double(self) }
}

extension Bool: FieldValue {
    /// Takes true and false, and no words for them.
    public init?(_ value: Value) {
        guard case .bool(let flag) = value else { return nil }
        self = flag
    }
    /// The flag.
    public var value: Value { .bool(self) }
}

extension Value: FieldValue {
    /// Takes every value as it is.
    public init?(_ value: Value) { self = value }
    /// The value itself.
    public var value: Value { self }
}

extension Array: FieldValue where Element: FieldValue {
    /// Takes a list; nil where one element does not fit.
    public init?(_ value: Value) {
        guard case .list(let items) = value else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(items.count)
        for item in items {
            guard let element = Element(item) else { return nil }
            elements.append(element)
        }
        self = elements
    }
    /// The elements' values, in order.
    public var value: Value { .list(map(\.value)) }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
    /// Takes a map; nil where one entry does not fit.
    public init?(_ value: PalModel.Value) {
        guard case .map(let entries) = value else { return nil }
        var result: [String: Value] = [:]
        for (key, entry) in entries {
            guard let element = Value(entry) else { return nil }
            result[key] = element
        }
        self = result
    }
    /// The entries' values, by the same keys.
    public var value: PalModel.Value { .map(mapValues(\.value)) }
}

extension FieldValue where Self: RawRepresentable, RawValue == String {
    /// Takes the text of a known case.
    public init?(_ value: Value) {
        guard case .string(let text) = value else { return nil }
        self.init(rawValue: text)
    }
    /// The case's text.
    public var value: Value { .string(rawValue) }
}

/// A length of time as specs write it: `500ms`, `10s`, `5m`, `1h30m`, `7d`, or a number of seconds.
public struct TimeSpan: FieldValue {
    /// The length in milliseconds, never negative.
    public var milliseconds: Int

    /// A span of so many milliseconds, which must not be negative.
    public init(milliseconds: Int) { self.milliseconds = milliseconds }

    /// Seconds as a span.
    public static func seconds(_ seconds: Int) -> TimeSpan { .init(milliseconds: seconds * 1000) }

    /// Takes a whole number of seconds, or text such as `1h30m`.
    public init?(_ value: Value) {
        switch value {
        case .int(let seconds) where seconds >= 0 && seconds < 1 << 40:
            milliseconds = seconds * 1000
        case .string(let text):
            guard let span = TimeSpan(text) else { return nil }
            self = span
        default: return nil
        }
    }

    /// Reads `1h30m`, `10s`, `500ms`; nil where the text is not a span.
    public init?(_ text: String) {
        var rest = Substring(text)
        var total = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { ("a"..."z").contains($0) }
            rest = rest.dropFirst(unit.count)
            guard digits.count <= 10, let number = Int(digits),
                let factor = TimeSpan.units.first(where: { $0.name == unit })?.factor
            else { return nil }
            total += number * factor
        }
        milliseconds = total
    }

    private static let units: [(name: Substring, factor: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The shortest way to write the span.
    public var text: String {
        var rest = milliseconds
        var out = ""
        for unit in TimeSpan.units where rest >= unit.factor {
            out += "\(rest / unit.factor)\(unit.name)"
            rest %= unit.factor
        }
        return out.isEmpty ? "0s" : out
    }

    /// The span as text, as short as it goes.
    public var value: Value { .string(text) }

    /// The span as the standard library's type.
    public var duration: Duration { .milliseconds(milliseconds) }
}

extension TimeSpan {
    private enum CodingKeys: String, CodingKey { case milliseconds }

    /// Reads the text, or the map of milliseconds that former releases wrote.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self), let span = TimeSpan(text) {
            self = span
        } else {
            let map = try decoder.container(keyedBy: CodingKeys.self)
            milliseconds = try map.decode(Int.self, forKey: .milliseconds)
        }
    }

    /// Writes the span as text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

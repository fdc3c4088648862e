public import FoundationEssentials

/// A JSON value. Configs are kept as these, so that fields which the emulation does not know
/// survive.
public enum JSON: Sendable, Hashable {
    /// `null`.
    case null
    /// `true` or `false`, never a number.
    case bool(Bool)
    /// A number without fraction and exponent.
    case int(Int)
    /// Any other number.
    case double(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSON])
    /// An object; the order of its keys is lost.
    case object([String: JSON])

    /// Reads one value, nothing after it but blanks. `nil` where that is not JSON.
    public init?(parsing data: Data) {
        var parser = JSONParser(bytes: [UInt8](data))
        guard let value = parser.document() else { return nil }
        self = value
    }

    /// As text, keys in order.
    public func serialised() -> Data {
        var text = ""
        write(to: &text)
        return Data(text.utf8)
    }

    /// A field of an object; `nil` where there is none, or no object.
    public subscript(key: String) -> JSON? {
        if case .object(let fields) = self { fields[key] } else { nil }
    }

    /// What a string says.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// What a whole number says.
    public var int: Int? { if case .int(let value) = self { value } else { nil } }
    /// What a boolean says.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// What an array holds.
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    /// What an object holds.
    public var object: [String: JSON]? { if case .object(let value) = self { value } else { nil } }

    /// The strings of an array; `nil` where it holds anything else.
    var strings: [String]? {
        guard let array else { return nil }
        let strings = array.compactMap(\.string)
        return strings.count == array.count ? strings : nil
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .double(let value): text += value.isFinite ? String(value) : "null"
        case .string(let value): Self.write(value, to: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let fields):
            text += "{"
            for (index, key) in fields.keys.sorted().enumerated() {
                if index > 0 { text += "," }
                Self.write(key, to: &text)
                text += ":"
                fields[key]?.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; of equal keys the last counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements) { $1 })
    }
}

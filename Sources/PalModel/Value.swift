/// A value as a spec file, JSON or the ledger holds it, before a field gives it a meaning.
///
/// Numbers are equal where they are the same number: JSON knows no other kind.
public enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case list([Value])
    case map([String: Value])

    /// What a message calls this kind of value.
    public var kindName: String {
        switch self {
        case .null: "nothing"
        case .bool: "true/false"
        case .int, .double: "a number"
        case .string: "text"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The value in one line of JSON with sorted keys: the same text on every machine and release.
    ///
    /// A double that is whole is written as an integer, so that `2` and `2.0` are the same.
    public var canonicalJSON: String {
        var bytes: [UInt8] = []
        writeCanonicalJSON(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Adds the bytes of `canonicalJSON`.
    public func writeCanonicalJSON(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .int(let number): bytes.append(contentsOf: String(number).utf8)
        case .double(let number):
            let text = Int(exactly: number).map { String($0) } ?? String(number)
            bytes.append(contentsOf: text.utf8)
        case .string(let text): Self.write(quoted: text, to: &bytes)
        case .list(let items):
            var separator = UInt8(ascii: "[")
            for item in items {
                bytes.append(separator)
                item.writeCanonicalJSON(to: &bytes)
                separator = UInt8(ascii: ",")
            }
            bytes.append(contentsOf: (items.isEmpty ? "[]" : "]").utf8)
        case .map(let entries):
            var separator = UInt8(ascii: "{")
            for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                bytes.append(separator)
                Self.write(quoted: key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                value.writeCanonicalJSON(to: &bytes)
                separator = UInt8(ascii: ",")
            }
            bytes.append(contentsOf: (entries.isEmpty ? "{}" : "}").utf8)
        }
    }

    private static func write(quoted text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        // Whatever must be escaped is one byte; the bytes of other characters are above them all.
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case ..<0x20: bytes.append(contentsOf: ("\\u00" + Hex.text([byte])).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension Value: Hashable {
    /// Whether they are the same in JSON.
    public static func == (a: Value, b: Value) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.double(let a), .double(let b)): a == b
        case (.int(let whole), .double(let number)), (.double(let number), .int(let whole)):
            Int(exactly: number) == whole
        case (.string(let a), .string(let b)): a == b
        case (.list(let a), .list(let b)): a == b
        case (.map(let a), .map(let b)): a == b
        default: false
        }
    }

    /// Hashes a whole number as an integer.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let flag): hasher.combine(flag)
        case .int(let number): hasher.combine(number)
        case .double(let number):
            if let whole = Int(exactly: number) {
                hasher.combine(whole)
            } else {
                hasher.combine(number)
            }
        case .string(let text): hasher.combine(text)
        case .list(let items): hasher.combine(items)
        case .map(let entries): hasher.combine(entries)
        }
    }
}

extension Value: Codable {
    /// Reads whatever kind of value stands there; a whole number becomes `int`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? container.decode(Int.self) {
            self = .int(number)
        } else if let number = try? container.decode(Double.self) {
            self = .double(number)
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let items = try? container.decode([Value].self) {
            self = .list(items)
        } else {
            self = .map(try container.decode([String: Value].self))
        }
    }

    /// Writes the value as it is, without a wrapper.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .int(let number): try container.encode(number)
        case .double(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .list(let items): try container.encode(items)
        case .map(let entries): try container.encode(entries)
        }
    }
}

extension Value {
    /// The value at a dotted path of map keys, or nil.
    public subscript(path: String) -> Value? {
        var here = self
        for key in path.split(separator: ".") {
            guard case .map(let entries) = here, let next = entries[String(key)] else { return nil }
            here = next
        }
        return here
    }
}

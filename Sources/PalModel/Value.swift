/// A value as a spec file, JSON or the ledger holds it, before a field gives it a meaning.
public enum Value: Sendable, Hashable {
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
        switch self {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .double(let number): Int(exactly: number).map { String($0) } ?? String(number)
        case .string(let text): Value.quoted(text)
        case .list(let items): "[" + items.map(\.canonicalJSON).joined(separator: ",") + "]"
        case .map(let entries):
            "{"
                + entries.sorted { $0.key < $1.key }
                .map { Value.quoted($0.key) + ":" + $0.value.canonicalJSON }
                .joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
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

    /// Sets a value at a path of map keys, making the maps on the way.
    mutating func set(_ value: Value, at path: ArraySlice<Substring>) {
        guard let key = path.first else {
            self = value
            return
        }
        var entries: [String: Value] = [:]
        if case .map(let old) = self { entries = old }
        var child = entries[String(key)] ?? .map([:])
        child.set(value, at: path.dropFirst())
        entries[String(key)] = child
        self = .map(entries)
    }
}

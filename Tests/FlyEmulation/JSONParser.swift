/// Reads JSON by hand, because Foundation on Linux takes `1` for a boolean.
struct JSONParser {
    let bytes: [UInt8]
    private var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The one value of a document.
    mutating func document() -> JSON? {
        guard let value = value(depth: 0) else { return nil }
        skipBlanks()
        return at == bytes.count ? value : nil
    }

    private mutating func value(depth: Int) -> JSON? {
        skipBlanks()
        guard at < bytes.count, depth < 200 else { return nil }
        switch bytes[at] {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return string().map(JSON.string)
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> JSON? {
        var fields: [String: JSON] = [:]
        at += 1
        if take("}") { return .object(fields) }
        repeat {
            skipBlanks()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\""), let key = string(),
                take(":"), let value = value(depth: depth + 1)
            else { return nil }
            fields[key] = value
        } while take(",")
        return take("}") ? .object(fields) : nil
    }

    private mutating func array(depth: Int) -> JSON? {
        var values: [JSON] = []
        at += 1
        if take("]") { return .array(values) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
        } while take(",")
        return take("]") ? .array(values) : nil
    }

    private mutating func string() -> String? {
        at += 1
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = escape() else { return nil }
                text += escaped
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> [UInt8]? {
        guard at < bytes.count else { return nil }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"): return unicode()
        default: return nil
        }
    }

    private mutating func unicode() -> [UInt8]? {
        guard let first = hex() else { return nil }
        var units = [first]
        let escaped = [UInt8(ascii: "\\"), UInt8(ascii: "u")]
        if 0xD800..<0xDC00 ~= first, bytes[at...].starts(with: escaped) {
            at += 2
            guard let second = hex() else { return nil }
            units.append(second)
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    private mutating func hex() -> UInt16? {
        guard at + 4 <= bytes.count else { return nil }
        defer { at += 4 }
        return UInt16(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
    }

    private mutating func number() -> JSON? {
        let start = at
        while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if let whole = Int(text) { return .int(whole) }
        return Double(text).map(JSON.double)
    }

    private mutating func word(_ word: String, _ value: JSON) -> JSON? {
        guard bytes[at...].starts(with: word.utf8) else { return nil }
        at += word.utf8.count
        return value
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard at < bytes.count, bytes[at] == character.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func skipBlanks() {
        while at < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
    }
}

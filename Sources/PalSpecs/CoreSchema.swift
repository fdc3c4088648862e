/// YAML 1.2's core schema (section 10.3.2 of its specification): what a plain scalar means.
///
/// Not YAML 1.1's rules: `yes`, `no`, `on`, `off`, `1_000`, `0777` as octal, `12:30` as a number
/// and dates are not in it, so country codes and times stay text.
enum CoreSchema {
    static func resolve(_ text: String) -> Node.Kind {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .float(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .float(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .float(-.infinity)
        default: return number(text) ?? .string
        }
    }

    private static func number(_ text: String) -> Node.Kind? {
        // Whatever a number starts with; most text stops here.
        guard let first = text.utf8.first, isDigit(first) || "+-.".utf8.contains(first) else {
            return nil
        }
        if let integer = based(text, prefix: "0x", radix: 16) ?? based(text, prefix: "0o", radix: 8)
        {
            return integer
        }
        guard isDecimal(text) else { return nil }
        if let integer = Int(text) { return .int(integer) }
        return Double(text).map(Node.Kind.float)
    }

    private static func based(_ text: String, prefix: String, radix: Int) -> Node.Kind? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(2)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ isDigit($0) || isLetter($0) }) else {
            return nil
        }
        if let value = Int(digits, radix: radix) { return .int(value) }
        // Too large for an Int, if every digit is one.
        guard digits.allSatisfy({ $0.hexDigitValue.map { $0 < radix } ?? false }) else {
            return nil
        }
        return .float(digits.reduce(0) { $0 * Double(radix) + Double($1.hexDigitValue ?? 0) })
    }

    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    private static func isDecimal(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let whole = digits(&rest)
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = digits(&rest)
        }
        guard whole + fraction > 0 else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
                rest.removeFirst()
            }
            guard digits(&rest) > 0 else { return false }
        }
        return rest.isEmpty
    }

    private static func digits(_ rest: inout Substring.UTF8View) -> Int {
        let run = rest.prefix(while: isDigit)
        rest = rest[run.endIndex...]
        return run.count
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

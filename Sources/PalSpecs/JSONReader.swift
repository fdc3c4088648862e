import PalModel

/// A strict reader of JSON (RFC 8259) that knows where everything stands.
///
/// No comments, no trailing commas, no key twice, no lone surrogates, nothing after the value.
struct JSONReader {
    private let file: String
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    /// Where the line starts, moved on by each continuation byte: a column counts scalars.
    private var lineStart = 0

    /// The file's one value; nil for a file of nothing but white space.
    static func read(_ source: SourceText) throws(Unparsable) -> Node? {
        var reader = JSONReader(source)
        do throws(Diagnostic) {
            reader.skipSpace()
            if reader.index == reader.bytes.count { return nil }
            let value = try reader.value(depth: 0)
            reader.skipSpace()
            guard reader.index == reader.bytes.count else {
                throw reader.problem("expected the end of the file, found \(reader.found)")
            }
            return value
        } catch {
            throw Unparsable([error])
        }
    }

    private init(_ source: SourceText) {
        file = source.file
        bytes = Array(source.text.utf8)
    }

    // MARK: - Values

    private mutating func value(depth: Int) throws(Diagnostic) -> Node {
        let start = place
        let content: Node.Content
        switch peek {
        case UInt8(ascii: "{"): content = .mapping(try object(depth: depth + 1))
        case UInt8(ascii: "["): content = .sequence(try array(depth: depth + 1))
        case UInt8(ascii: "\""):
            content = .scalar(.init(text: try string(), isQuoted: true, kind: .string))
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte):
            content = .scalar(try number())
        default: content = .scalar(try word())
        }
        return Node(content, line: start.line, column: start.column)
    }

    private mutating func object(depth: Int) throws(Diagnostic) -> [Node.Pair] {
        try checkDepth(depth)
        advance()
        var pairs: [Node.Pair] = []
        var lines: [String: Int] = [:]
        skipSpace()
        if take("}") { return pairs }
        while true {
            let start = place
            guard peek == UInt8(ascii: "\"") else {
                throw problem(
                    pairs.isEmpty
                        ? "expected a key in double quotes or '}', found \(found)"
                        : "expected a key in double quotes after ',', found \(found)")
            }
            let key = try string()
            if let first = lines.updateValue(start.line, forKey: key) {
                throw problem("the key \"\(key)\" is already on line \(first)", at: start)
            }
            skipSpace()
            guard take(":") else { throw problem("expected ':' after the key, found \(found)") }
            skipSpace()
            let value = try value(depth: depth)
            pairs.append(
                .init(key: .init(key, line: start.line, column: start.column), value: value))
            skipSpace()
            if take("}") { return pairs }
            guard take(",") else { throw problem("expected ',' or '}', found \(found)") }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(Diagnostic) -> [Node] {
        try checkDepth(depth)
        advance()
        var elements: [Node] = []
        skipSpace()
        if take("]") { return elements }
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw problem("expected ',' or ']', found \(found)") }
            skipSpace()
        }
    }

    private func checkDepth(_ depth: Int) throws(Diagnostic) {
        if depth > SpecText.maximumDepth {
            throw problem("more than \(SpecText.maximumDepth) levels of nesting")
        }
    }

    private mutating func word() throws(Diagnostic) -> Node.Scalar {
        let start = place
        let word = run { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
        let kind: Node.Kind
        switch word {
        case "true": kind = .bool(true)
        case "false": kind = .bool(false)
        case "null": kind = .null
        case "": throw problem("expected a value, found \(found)")
        default:
            throw problem("expected a value: text must stand in double quotes", at: start)
        }
        return .init(text: word, isQuoted: false, kind: kind)
    }

    private mutating func number() throws(Diagnostic) -> Node.Scalar {
        let start = place
        let from = index
        _ = take("-")
        let leadingZero = peek == UInt8(ascii: "0")
        let whole = run(Self.isDigit)
        guard !whole.isEmpty else { throw problem("expected a digit after '-', found \(found)") }
        guard !leadingZero || whole.utf8.count == 1 else {
            throw problem("a number cannot start with 0", at: start)
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard !run(Self.isDigit).isEmpty else {
                throw problem("expected a digit after '.', found \(found)")
            }
        }
        if peek.map({ $0 | 0x20 }) == UInt8(ascii: "e") {
            isInteger = false
            advance()
            if !take("+") { _ = take("-") }
            guard !run(Self.isDigit).isEmpty else {
                throw problem("expected a digit in the exponent, found \(found)")
            }
        }
        let text = String(decoding: bytes[from..<index], as: UTF8.self)
        if isInteger, let value = Int(text) {
            return .init(text: text, isQuoted: false, kind: .int(value))
        }
        guard let value = Double(text), value.isFinite else {
            throw problem("the number is too large", at: start)
        }
        return .init(text: text, isQuoted: false, kind: .float(value))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    // MARK: - Text

    private mutating func string() throws(Diagnostic) -> String {
        let start = place
        advance()
        var text: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                advance()
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += String(try escape()).utf8
            case ..<0x20:
                throw problem("a line break or tab in text must be escaped: \\n, \\t")
            default:
                text.append(byte)
                advance()
            }
        }
        throw problem("the text is never closed: expected '\"'", at: start)
    }

    private static let escapes: [UInt8: Unicode.Scalar] = [
        UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
        UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n",
        UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]

    private mutating func escape() throws(Diagnostic) -> Unicode.Scalar {
        let start = place
        advance()
        guard let letter = peek else { throw problem("expected an escape after '\\'") }
        if let scalar = Self.escapes[letter] {
            advance()
            return scalar
        }
        guard letter == UInt8(ascii: "u") else {
            throw problem("unknown escape: write \\\\ for a backslash", at: start)
        }
        advance()
        let high = try unit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        let lone = "\\u\(String(high, radix: 16)) is half of a surrogate pair"
        guard UTF16.isLeadSurrogate(high), take("\\"), take("u") else {
            throw problem(lone, at: start)
        }
        let low = try unit()
        guard UTF16.isTrailSurrogate(low) else { throw problem(lone, at: start) }
        return UTF16.decode(UTF16.EncodedScalar([high, low]))
    }

    private mutating func unit() throws(Diagnostic) -> UInt16 {
        let digits = bytes[index...].prefix(4)
        guard digits.count == 4,
            digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw problem("expected four hexadecimal digits after \\u") }
        for _ in 0..<4 { advance() }
        return unit
    }

    // MARK: - The cursor

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private var place: (line: Int, column: Int) { (line, index - lineStart + 1) }

    /// What stands at the cursor, for a message.
    private var found: String {
        guard index < bytes.count else { return "the end of the file" }
        let rest = String(decoding: bytes[index...].prefix(4), as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first, scalar.value > 0x20 else { return "a space" }
        return "'\(scalar)'"
    }

    private mutating func advance() {
        let byte = bytes[index]
        index += 1
        if byte == 0x0A || (byte == 0x0D && peek != 0x0A) {
            line += 1
            lineStart = index
        } else if byte & 0xC0 == 0x80 {
            lineStart += 1
        }
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            advance()
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        advance()
        return true
    }

    private mutating func run(_ matches: (UInt8) -> Bool) -> String {
        let from = index
        while let byte = peek, matches(byte) { advance() }
        return String(decoding: bytes[from..<index], as: UTF8.self)
    }

    private func problem(_ message: String, at place: (line: Int, column: Int)? = nil) -> Diagnostic
    {
        let place = place ?? self.place
        return Diagnostic(
            SourceLocation(file: file, line: place.line, column: place.column), message)
    }
}

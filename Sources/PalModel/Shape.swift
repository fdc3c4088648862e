/// What a field accepts: the type, the limits, and the words that a message says of them.
public indirect enum Shape: Sendable {
    /// Text with a rule of its own; whole numbers are taken as text.
    case text(TextRule)
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case flag
    case choice([String])
    /// A `TimeSpan`.
    case span
    case list(Shape)
    case map(key: TextRule, Shape)
    case object([Member])
    /// Anything: a provider looks at it.
    case anything

    /// One key of an object.
    public struct Member: Sendable {
        /// The key.
        public let name: String
        /// What it accepts.
        public let shape: Shape
        /// Whether it must be there.
        public let isRequired: Bool
        /// One line for the reference.
        public let summary: String

        /// Makes one of its parts.
        public init(
            _ name: String, _ shape: Shape, required: Bool = false, _ summary: String
        ) {
            self.name = name
            self.shape = shape
            self.isRequired = required
            self.summary = summary
        }
    }
}

/// A rule that a text keeps, with a regular expression for the JSON Schema where one says it all.
public struct TextRule: Sendable {
    /// What a message says is expected, for example `a DNS label (…)`.
    public let expectation: String
    /// An anchored ECMA regular expression, or nil.
    public let pattern: String?
    /// Whether a text keeps the rule.
    public let accepts: @Sendable (String) -> Bool

    /// A rule of its own, for what a provider takes.
    public init(
        expectation: String, pattern: String?, accepts: @escaping @Sendable (String) -> Bool
    ) {
        self.expectation = expectation
        self.pattern = pattern
        self.accepts = accepts
    }

    /// Any text.
    public static let any = TextRule(expectation: "text", pattern: nil) { _ in true }

    /// Any text but the empty one.
    public static let nonEmpty = TextRule(expectation: "a text that is not empty", pattern: "^.+") {
        !$0.isEmpty
    }

    /// RFC 1123: 1–63 of `a-z 0-9 -`, no hyphen at either end.
    public static let dnsLabel = TextRule(
        expectation: "a DNS label: 1–63 of a–z, 0–9 and '-', with a letter or digit at both ends",
        pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", accepts: isDNSLabel)

    /// An absolute path without `..`.
    public static let absolutePath = TextRule(
        expectation: "an absolute path without '..'", pattern: "^/"
    ) { path in
        path.hasPrefix("/") && !path.split(separator: "/").contains("..") && isClean(path)
    }

    /// The path of a URL.
    public static let urlPath = TextRule(
        expectation: "a URL path that starts with '/'", pattern: "^/\\S*$"
    ) { path in
        path.hasPrefix("/") && path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The name of an environment variable.
    public static let variableName = TextRule(
        expectation: "a name of letters, digits and '_' that starts with no digit",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$"
    ) { name in
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// A label's key; `pal.` is reserved.
    public static let labelKey = TextRule(
        expectation: "1–128 letters, digits, '.', '_', '/' and '-'; 'pal.' is reserved",
        pattern: "^(?!pal\\.)[A-Za-z0-9][-A-Za-z0-9._/]{0,127}$"
    ) { key in
        guard let first = key.utf8.first, key.utf8.count <= 128, !key.hasPrefix("pal.")
        else { return false }
        return (isLetter(first) || isDigit(first))
            && key.utf8.allSatisfy { isLetter($0) || isDigit($0) || "._/-".utf8.contains($0) }
    }

    /// Whether a text is an RFC 1123 DNS label.
    public static func isDNSLabel(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-"),
            bytes.last != UInt8(ascii: "-")
        else { return false }
        return bytes.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || isDigit($0)
                || $0 == UInt8(ascii: "-")
        }
    }

    private static func isClean(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 } }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

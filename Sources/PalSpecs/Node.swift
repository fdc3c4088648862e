public import PalModel

/// One value of a parsed spec file, YAML or JSON, with the place where it stands.
///
/// Equality looks at places too. A value that a YAML alias repeats has its anchor's place.
public struct Node: Sendable, Hashable {
    /// What the value is.
    public indirect enum Content: Sendable, Hashable {
        /// Text, a number, a truth value, or nothing.
        case scalar(Scalar)
        /// A list.
        case sequence([Node])
        /// Pairs in the file's order; no key twice.
        case mapping([Pair])
    }

    /// One entry of a mapping.
    public struct Pair: Sendable, Hashable {
        /// The key, and where it stands.
        public let key: Key
        /// The value.
        public let value: Node
    }

    /// A mapping's key: always text.
    public struct Key: Sendable, Hashable {
        /// The key without quotes.
        public let text: String
        /// The line, from 1.
        public let line: Int32
        /// The column, from 1, in Unicode scalars.
        public let column: Int32

        /// Where it stands, in the file that the caller knows it from.
        public func location(in file: String) -> SourceLocation {
            SourceLocation(file: file, line: Int(line), column: Int(column))
        }
    }

    /// A scalar: its text as written, and what that text means.
    public struct Scalar: Sendable, Hashable {
        /// The text without quotes, escapes resolved.
        public let text: String
        /// True where quotes or a block style make it text whatever it looks like.
        public let isQuoted: Bool
        /// What it means by YAML 1.2's core schema, or by JSON.
        public let kind: Kind
    }

    /// What a scalar means. `on`, `yes` and `no` are text, as in YAML 1.2.
    public enum Kind: Sendable, Hashable {
        case null
        case bool(Bool)
        case int(Int)
        /// A number that is not an `Int`: fractions, exponents, `.inf`, and what is too large.
        case float(Double)
        case string
    }

    /// What the value is.
    public let content: Content
    /// The line, from 1.
    public let line: Int32
    /// The column, from 1, in Unicode scalars.
    public let column: Int32

    init(_ content: Content, line: Int, column: Int) {
        self.content = content
        self.line = Int32(clamping: line)
        self.column = Int32(clamping: column)
    }

    /// Where it stands, in the file that the caller knows it from.
    public func location(in file: String) -> SourceLocation {
        SourceLocation(file: file, line: Int(line), column: Int(column))
    }

    /// The scalar; nil for a list or a mapping.
    public var scalar: Scalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    /// The list's elements; nil for anything else.
    public var sequence: [Node]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    /// The mapping's pairs; nil for anything else.
    public var mapping: [Pair]? {
        if case .mapping(let pairs) = content { pairs } else { nil }
    }

    /// True for `null`, `~` and a value left out.
    public var isNull: Bool { scalar?.kind == .null }

    /// The value of a key; nil where this is no mapping or has no such key. Looks at every pair.
    public subscript(key: String) -> Node? {
        mapping?.first { $0.key.text == key }?.value
    }

    /// What it is, for a message: `a list`, `text`, `the number 3`. Text is not repeated: it may be
    /// a secret.
    public var summary: String {
        switch content {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: "nothing"
            case .bool(let value): "\(value)"
            case .int, .float: "the number \(scalar.text)"
            case .string: "text"
            }
        }
    }
}

extension Node.Key {
    init(_ text: String, line: Int, column: Int) {
        self.init(text: text, line: Int32(clamping: line), column: Int32(clamping: column))
    }
}

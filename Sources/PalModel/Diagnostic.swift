/// A place in a spec file.
///
/// Lines and columns count from 1; a column counts Unicode scalars, as editors do.
public struct SourceLocation: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    /// The file's path as the user would name it: relative to the specs directory.
    public var file: String
    /// The line, from 1. 0 where the whole file is meant.
    public var line: Int
    /// The column, from 1. 0 where the whole line or file is meant.
    public var column: Int

    /// Makes one of its parts.
    public init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, without the parts that are not known.
    public var description: String {
        guard line > 0 else { return file }
        return column > 0 ? "\(file):\(line):\(column)" : "\(file):\(line)"
    }

    /// By file, then line, then column.
    public static func < (a: SourceLocation, b: SourceLocation) -> Bool {
        (a.file, a.line, a.column) < (b.file, b.line, b.column)
    }
}

/// One problem in the specs, in the form `file:line:column: message`.
///
/// The message says what is wrong and what to do. It never holds a secret's value.
public struct Diagnostic: Error, Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    /// Where it is.
    public var location: SourceLocation
    /// What is wrong and what to do about it: one sentence or two, no line break.
    public var message: String
    /// The instance that is concerned, where its name could be read.
    public var instance: String?

    /// Makes one of its parts. A control character in the message, which can only come from the
    /// file, is shown as its escape.
    public init(_ location: SourceLocation, _ message: String, instance: String? = nil) {
        self.location = location
        self.message = Self.onOneLine(message)
        self.instance = instance
    }

    private static func onOneLine(_ text: String) -> String {
        func breaks(_ scalar: Unicode.Scalar) -> Bool {
            let kinds: [Unicode.GeneralCategory] = [.control, .lineSeparator, .paragraphSeparator]
            return kinds.contains(scalar.properties.generalCategory)
        }
        guard text.unicodeScalars.contains(where: breaks) else { return text }
        return text.unicodeScalars.reduce(into: "") { line, scalar in
            if breaks(scalar) {
                line += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
    }

    /// `file:line:column: message`.
    public var description: String { "\(location): \(message)" }

    /// By place, then message.
    public static func < (a: Diagnostic, b: Diagnostic) -> Bool {
        (a.location, a.message) < (b.location, b.message)
    }
}

public import PalModel

/// A file that is not a sequence of documents: at least one diagnostic, in the file's order.
///
/// Nothing is known of what such a file declares; what it declared before must be kept.
public struct Unparsable: Error, Sendable, Hashable {
    /// What is wrong, each with its place.
    public let diagnostics: [Diagnostic]

    init(_ diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics.sorted()
    }

    init(_ location: SourceLocation, _ message: String) {
        self.init([Diagnostic(location, message)])
    }
}

/// From a spec file's bytes to its documents.
///
/// Work and memory are bounded by the size of the file, whatever is in it.
public enum SpecText {
    /// The largest file that is read, in bytes.
    public static let maximumBytes = 4 << 20
    /// The deepest nesting of lists and mappings, aliases followed.
    public static let maximumDepth = 100
    /// The most diagnostics that one file gives; what is wrong beyond them shows after these are
    /// mended.
    static let maximumDiagnostics = 20

    /// The documents of a file, each a mapping, in the file's order.
    ///
    /// YAML: every document that is not empty. JSON (a path ending in `.json`, and then strict
    /// RFC 8259): one object, or a list of objects. A file without any document, an empty one too,
    /// gives none and is no error: whether it may be empty is for the caller to say.
    ///
    /// - Parameter file: the path for messages; its extension chooses the language.
    public static func documents(
        in bytes: [UInt8], file: String
    ) throws(Unparsable) -> [Node] {
        let source = try SourceText(bytes, file: file)
        let documents = file.hasSuffix(".json") ? try json(source) : try YAMLReader.read(source)
        let wrong = documents.filter { $0.mapping == nil }
        guard wrong.isEmpty else {
            throw Unparsable(
                wrong.prefix(maximumDiagnostics).map {
                    Diagnostic(
                        $0.location(in: file),
                        "expected a mapping with a `name`, found \($0.summary)"
                            + ($0.sequence == nil
                                ? "" : "; several instances are separated by `---`")
                    )
                })
        }
        return documents
    }

    private static func json(_ source: SourceText) throws(Unparsable) -> [Node] {
        guard let root = try JSONReader.read(source) else { return [] }
        return root.sequence ?? [root]
    }

    static func tooLarge(_ size: Int64) -> String {
        "the file has \(size) bytes; the limit is \(maximumBytes): split it into several files"
    }
}

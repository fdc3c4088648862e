public import PalEngine
public import PalModel

/// One document of a spec file, read against the field table.
public enum SpecDocument: Sendable, Hashable {
    /// A good declaration.
    case declaration(Declaration)
    /// Something is wrong; the name where at least that could be read.
    case broken(name: String?, [Diagnostic])

    /// Reads one document.
    public init(_ node: Node, file: String) {
        let decoded = FieldTable.decode(node.value)
        let name = TextRule.isDNSLabel(decoded.config.name) ? decoded.config.name : nil
        let nameLocation = node["name"]?.location(in: file) ?? node.location(in: file)
        guard decoded.problems.isEmpty else {
            self = .broken(
                name: name,
                decoded.problems.map { problem in
                    Diagnostic(
                        node.location(of: problem.path, isKey: problem.isAboutKey, in: file),
                        problem.message, instance: name)
                }.sorted())
            return
        }
        self = .declaration(Declaration(config: decoded.config, location: nameLocation))
    }

    /// The instance's name, where it could be read.
    public var name: String? {
        switch self {
        case .declaration(let declaration): declaration.config.name
        case .broken(let name, _): name
        }
    }
}

/// Everything that one spec file says.
public struct SpecFileContents: Sendable, Hashable {
    /// The documents in the file's order; none where it could not be parsed.
    public var documents: [SpecDocument]
    /// Why the file as a whole could not be read; empty where it could.
    public var problems: [Diagnostic]

    /// Reads a file's bytes.
    public init(bytes: [UInt8], file: String) {
        do {
            documents = try SpecText.documents(in: bytes, file: file).map {
                SpecDocument($0, file: file)
            }
            problems =
                documents.isEmpty
                ? [
                    Diagnostic(
                        SourceLocation(file: file),
                        "the file declares nothing; write a spec into it, or remove it")
                ] : []
        } catch {
            documents = []
            problems = error.diagnostics
        }
    }

    /// A file that could not be opened or read at all.
    init(unreadable: Diagnostic) {
        documents = []
        problems = [unreadable]
    }

    /// Whether all of it is good.
    public var isGood: Bool {
        problems.isEmpty
            && documents.allSatisfy { if case .declaration = $0 { true } else { false } }
    }

    /// Every problem in the file.
    public var allProblems: [Diagnostic] {
        problems
            + documents.flatMap { document in
                if case .broken(_, let problems) = document { return problems }
                return []
            }
    }
}

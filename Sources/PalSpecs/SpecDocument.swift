public import PalEngine
public import PalModel

/// One document of a spec file in which something is wrong.
public struct BrokenDocument: Sendable, Hashable {
    /// The instance's name, where at least that could be read.
    public let name: String?
    /// What is wrong with it; not empty.
    public let problems: [Diagnostic]
}

/// Everything that one spec file says, in one state of it.
///
/// An object, so that a file that did not change is known by its identity.
public final class SpecFileContents: Sendable {
    /// The good declarations in the file's order; a document with `replicas` gives several.
    public let declarations: [Declaration]
    /// The documents with `replicas`, by their names, and how many each asks for.
    public let groups: [String: Int]
    /// The documents in which something is wrong, in the file's order.
    public let broken: [BrokenDocument]
    /// Why the file as a whole could not be read; then there are no documents.
    public let problems: [Diagnostic]

    /// Reads a file's bytes against the field table.
    public init(bytes: [UInt8], file: String) {
        var declarations: [Declaration] = []
        var groups: [String: Int] = [:]
        var broken: [BrokenDocument] = []
        var left = ReplicaGroup.maximumInFile
        do {
            let documents = try SpecText.documents(in: bytes, file: file)
            declarations.reserveCapacity(documents.count)
            for document in documents {
                do throws(BrokenDeclaration) {
                    let declaration = try Self.declaration(document, file)
                    guard let group = ReplicaGroup(declaration) else {
                        declarations.append(declaration)
                        continue
                    }
                    declarations += try Self.replicas(group, atMost: left, document, file)
                    left -= group.count
                    groups[declaration.config.value.name] = group.count
                } catch {
                    broken.append(error.document)
                }
            }
            problems =
                documents.isEmpty
                ? [
                    Diagnostic(
                        SourceLocation(file: file),
                        "the file declares nothing; write a spec into it, or remove it")
                ] : []
        } catch {
            problems = error.diagnostics
        }
        self.declarations = declarations
        self.groups = groups
        self.broken = broken
    }

    /// A file that could not be opened or read at all.
    init(unreadable: Diagnostic) {
        declarations = []
        groups = [:]
        broken = []
        problems = [unreadable]
    }

    private struct BrokenDeclaration: Error {
        let document: BrokenDocument
    }

    private static func declaration(
        _ node: Node, _ file: String
    ) throws(BrokenDeclaration) -> Declaration {
        let decoded = FieldTable.decode(node.value)
        guard decoded.problems.isEmpty else {
            let name = TextRule.isDNSLabel(decoded.config.name) ? decoded.config.name : nil
            let problems = decoded.problems.map { problem in
                Diagnostic(
                    node.location(of: problem.path, isKey: problem.isAboutKey, in: file),
                    problem.message, instance: name)
            }
            throw BrokenDeclaration(document: .init(name: name, problems: problems.sorted()))
        }
        let location = node["name"]?.location(in: file) ?? node.location(in: file)
        return Declaration(config: decoded.config, location: location)
    }

    private static func replicas(
        _ group: ReplicaGroup, atMost left: Int, _ node: Node, _ file: String
    ) throws(BrokenDeclaration) -> [Declaration] {
        let problems = group.problems(node, file: file, atMost: left)
        guard problems.isEmpty else {
            let name = group.declaration.config.value.name
            throw BrokenDeclaration(document: .init(name: name, problems: problems))
        }
        return group.declarations
    }

    /// Every problem in the file.
    public var allProblems: [Diagnostic] { problems + broken.flatMap(\.problems) }
}

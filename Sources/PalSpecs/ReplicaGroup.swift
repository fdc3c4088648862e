internal import PalEngine
internal import PalModel

/// A document that asks for `replicas`: one declaration for each of them.
struct ReplicaGroup {
    /// The declaration as the file has it, whose name is the group's.
    let declaration: Declaration
    /// How many instances it asks for.
    let count: Int

    /// How many instances the groups of one file may ask for, so that a small file cannot fill the
    /// memory.
    static let maximumInFile = 10_000

    /// Nil where the document does not ask for replicas: then it declares one instance.
    init?(_ declaration: Declaration) {
        guard let count = declaration.config.value.replicas else { return nil }
        self.declaration = declaration
        self.count = count
    }

    /// The instances, in order; each differs from the others in its name only.
    var declarations: [Declaration] {
        (0..<count).map { number in
            var config = declaration.config.value
            config.name = Replica.name(config.name, number)
            return Declaration(config: config, location: declaration.location)
        }
    }

    /// What equal instances cannot have in common, beside what the field table refuses.
    ///
    /// - Parameter left: How many instances the file may still ask for.
    func problems(_ node: Node, file: String, atMost left: Int) -> [Diagnostic] {
        let config = declaration.config.value
        var found: [(path: String, message: String)] = []
        for (path, value) in [("id", config.id), ("adopt", config.adopt)] where value != nil {
            found.append((path, "means one instance, and 'replicas' asks for a group"))
        }
        let longest = Replica.name(config.name, max(0, count - 1))
        if !TextRule.isDNSLabel(longest) {
            found.append(
                ("name", "is too long for replicas: '\(longest)' is more than 63 characters"))
        }
        func place(_ path: String) -> SourceLocation {
            let steps = path.split(separator: ".").map { PathStep.key(String($0)) }
            return node.location(of: steps, isKey: false, in: file)
        }
        var problems = found.map { path, message in
            Diagnostic(
                place(path), "\(path): \(message); take one of the two out",
                instance: config.name)
        }
        if count > left {
            problems.append(
                Diagnostic(
                    place("replicas"),
                    "more than \(Self.maximumInFile) instances by replicas in one file: split it",
                    instance: config.name))
        }
        return problems.sorted()
    }
}

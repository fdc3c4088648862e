internal import PalEngine
internal import PalModel

/// A document that asks for `replicas`: one declaration for each of them.
struct ReplicaGroup {
    /// The declaration as the file has it, whose name is the group's.
    let declaration: Declaration
    /// How many instances it asks for.
    let count: Int

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
    func problems(_ node: Node, file: String) -> [Diagnostic] {
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
        return found.map { path, message in
            let steps = path.split(separator: ".").map { PathStep.key(String($0)) }
            return Diagnostic(
                node.location(of: steps, isKey: false, in: file),
                "\(path): \(message); take one of the two out", instance: config.name)
        }.sorted()
    }
}

/// The keys of a spec as a tree: `resources` → `memory` → the field `resources.memory.max`.
indirect enum FieldTree: Sendable {
    case field(Field)
    case branch([String: FieldTree])

    static let root = build(FieldTable.all.map { ($0, $0.path.split(separator: ".")[...]) })

    private static func build(_ fields: [(Field, ArraySlice<Substring>)]) -> FieldTree {
        let groups = Dictionary(grouping: fields) { String($0.1.first ?? "") }
        return .branch(
            groups.mapValues { members in
                if members.count == 1, members[0].1.count == 1 { return .field(members[0].0) }
                return build(members.map { ($0.0, $0.1.dropFirst()) })
            })
    }
}

extension FieldTable {
    /// A document read: the config with every field that was good, and all that was wrong.
    public struct Decoded: Sendable {
        /// The fields that could be read.
        public var config: InstanceConfig
        /// Every problem; empty where the document is good.
        public var problems: [FieldProblem]
    }

    /// Reads one document.
    ///
    /// All problems are reported, not only the first: unknown keys with the nearest key suggested,
    /// wrong types, values out of range, and rules between fields.
    public static func decode(_ document: Value) -> Decoded {
        var decoded = Decoded(config: InstanceConfig(), problems: [])
        guard case .map = document else {
            decoded.problems = [
                FieldProblem([], "a spec is a map of fields, not \(document.kindName)")
            ]
            return decoded
        }
        var path: [PathStep] = []
        read(document, FieldTree.root, &path, &decoded)
        if document["name"] == nil {
            decoded.problems.append(FieldProblem([], "the spec has no name; add 'name: …'"))
        }
        decoded.problems += rules(decoded.config)
        decoded.problems.sort { $0.path.lexicographicallyPrecedes($1.path) }
        return decoded
    }

    /// - Parameter path: The way to the value; as it was when the call ends. Only a problem has a
    ///   copy of it made.
    private static func read(
        _ value: Value, _ tree: FieldTree, _ path: inout [PathStep], _ into: inout Decoded
    ) {
        switch tree {
        case .field(let field):
            let known = into.problems.count
            field.shape.check(value, at: &path, &into.problems)
            if into.problems.count == known { field.set(&into.config, value) }
        case .branch(let children):
            guard case .map(let entries) = value else {
                into.problems.append(
                    FieldProblem(
                        path,
                        "\(FieldProblem.text(of: path)) must be a map with "
                            + "\(children.keys.sorted().joined(separator: ", ")), "
                            + "not \(value.kindName)"))
                return
            }
            for (key, entry) in entries {
                path.append(.key(key))
                if let child = children[key] {
                    read(entry, child, &path, &into)
                } else {
                    into.problems.append(
                        FieldProblem(path, unknown(key, among: children), isAboutKey: true))
                }
                path.removeLast()
            }
        }
    }

    /// A key in the wrong place is better named than a key with a similar spelling.
    private static func unknown(_ key: String, among children: [String: FieldTree]) -> String {
        let near = Suggestion.nearest(to: key, among: children.keys.sorted())
        if near == nil, let place = properPlace(of: key) {
            return "unknown key '\(key)' here; did you mean '\(place)'?"
        }
        return Suggestion.unknownKey(key, known: children.keys.sorted())
    }

    /// The path up to a key of that name somewhere else: `memory` → `resources.memory`.
    private static func properPlace(of key: String) -> String? {
        for field in all {
            let steps = field.path.split(separator: ".")
            if let index = steps.dropFirst().firstIndex(where: { $0 == key }) {
                return steps[...index].joined(separator: ".")
            }
        }
        return nil
    }

    /// The config as a document: only what is set.
    public static func encode(_ config: InstanceConfig) -> Value {
        encode(config, FieldTree.root) ?? .map([:])
    }

    private static func encode(_ config: InstanceConfig, _ tree: FieldTree) -> Value? {
        switch tree {
        case .field(let field): return field.get(config)
        case .branch(let children):
            let entries = children.compactMapValues { encode(config, $0) }
            return entries.isEmpty ? nil : .map(entries)
        }
    }
}

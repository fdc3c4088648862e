internal import PalEngine
internal import PalModel

/// What is taken of one file: what it says, or what it said before where that is broken now.
struct FileShare {
    /// What the file says.
    let contents: SpecFileContents
    /// What it declares; the last good version of what is broken.
    private(set) var declarations: [Declaration]
    /// The specs with `replicas` that it declares; the last good ones of what is broken.
    private(set) var groups: [String: Int]
    /// Names that it declares in a broken form only.
    private(set) var frozen: [String: [Diagnostic]] = [:]
    /// Whether something that it declares is not known at all.
    private(set) var blocksPruning = false
    /// What it declared when it last was in order; nil where it never was.
    private let lastGood: [Declaration]?

    /// Every name that it says something of.
    var names: [String] { declarations.map(\.config.value.name) + frozen.keys }

    /// - Parameter before: what was taken of the file until now.
    init(_ contents: SpecFileContents, after before: FileShare?) {
        self.contents = contents
        declarations = contents.declarations
        groups = contents.groups
        guard let problem = contents.allProblems.first else {
            lastGood = declarations
            return
        }
        let known = Dictionary(
            (before?.lastGood ?? []).map { ($0.config.value.name, $0) },
            uniquingKeysWith: { first, _ in first })
        guard contents.problems.isEmpty else {
            declarations = known.values.map { $0.stale(because: problem) }
            groups = before?.groups ?? [:]
            blocksPruning = before?.lastGood == nil
            lastGood = before?.lastGood
            return
        }
        var named = Set(contents.declarations.map(\.config.value.name))
        for document in contents.broken {
            guard let name = document.name, let problem = document.problems.first else { continue }
            named.insert(name)
            let replicas = known.values.filter {
                $0.config.value.replicas != nil && Replica.group(of: $0.config.value.name) == name
            }
            if let old = known[name] {
                declarations.append(old.stale(because: problem))
            } else if !replicas.isEmpty {
                declarations += replicas.map { $0.stale(because: problem) }
                named.formUnion(replicas.map(\.config.value.name))
            } else {
                frozen[name] = document.problems
            }
            if let count = before?.groups[name], groups[name] == nil { groups[name] = count }
        }
        // A broken document without a name may be any of those that are missing now.
        if contents.broken.contains(where: { $0.name == nil }) {
            blocksPruning = before?.lastGood == nil
            for (name, count) in before?.groups ?? [:] where groups[name] == nil {
                groups[name] = count
            }
            declarations += known.values.filter { !named.contains($0.config.value.name) }
                .map { $0.stale(because: problem) }
        }
        lastGood = before?.lastGood == nil ? nil : declarations
    }
}

internal import PalEngine
internal import PalModel

/// What is taken of one file: what it says, or what it said before where that is broken now.
struct FileShare {
    /// What the file says.
    let contents: SpecFileContents
    /// What it declares; the last good version of what is broken.
    private(set) var declarations: [Declaration]
    /// Names that it declares in a broken form only.
    private(set) var frozen: [String: [Diagnostic]] = [:]
    /// Whether something that it declares is not known at all.
    private(set) var blocksPruning = false
    /// What it declared when it last was in order; nil where it never was.
    private let lastGood: [Declaration]?

    /// - Parameter before: what was taken of the file until now.
    init(_ contents: SpecFileContents, after before: FileShare?) {
        self.contents = contents
        declarations = contents.declarations
        guard let problem = contents.allProblems.first else {
            lastGood = declarations
            return
        }
        let known = Dictionary(
            (before?.lastGood ?? []).map { ($0.config.name, $0) },
            uniquingKeysWith: { first, _ in first })
        guard contents.problems.isEmpty else {
            declarations = known.values.map { $0.stale(because: problem) }
            blocksPruning = before?.lastGood == nil
            lastGood = before?.lastGood
            return
        }
        for document in contents.broken {
            guard let name = document.name, let problem = document.problems.first else { continue }
            if let old = known[name] {
                declarations.append(old.stale(because: problem))
            } else {
                frozen[name] = document.problems
            }
        }
        // A broken document without a name may be any of those that are missing now.
        if contents.broken.contains(where: { $0.name == nil }) {
            blocksPruning = before?.lastGood == nil
            let named = Set(
                contents.declarations.map(\.config.name) + contents.broken.compactMap(\.name))
            declarations += known.values.filter { !named.contains($0.config.name) }
                .map { $0.stale(because: problem) }
        }
        lastGood = before?.lastGood == nil ? nil : declarations
    }
}

extension Declaration {
    fileprivate func stale(because problem: Diagnostic) -> Declaration {
        var copy = self
        copy.staleBecause = problem
        return copy
    }
}

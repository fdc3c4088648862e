internal import PalEngine
internal import PalModel

/// From what each file says to what the directory declares: a pure function with a memory of what
/// was last good.
struct Merge {
    /// By file: what it declared when it last was in order.
    private(set) var lastGood: [String: [String: Declaration]] = [:]

    /// Puts the files together.
    ///
    /// - A file that is broken as a whole keeps what it last declared; one document that is broken
    ///   keeps the last good version of its instance, and lets the others of the file carry on.
    /// - A broken file that was never seen in order stops all pruning.
    /// - A name that is declared twice is frozen, with every place.
    mutating func desired(
        _ files: [String: SpecFileContents], specsPath: String
    ) -> Desired {
        var desired = Desired(specsPath: specsPath)
        var places: [String: [Declaration]] = [:]
        var blockers: [String] = []
        for (file, contents) in files.sorted(by: { $0.key < $1.key }) {
            desired.problems += contents.allProblems
            let said = declarations(of: contents, file: file)
            for (name, problems) in said.frozen { desired.frozen[name] = problems }
            if said.blocksPruning { blockers.append(file) }
            for declaration in said.declarations {
                places[declaration.config.name, default: []].append(declaration)
            }
            if contents.isGood || (contents.problems.isEmpty && lastGood[file] != nil) {
                lastGood[file] = Dictionary(
                    said.declarations.map { ($0.config.name, $0) },
                    uniquingKeysWith: { first, _ in first })
            }
        }
        lastGood = lastGood.filter { files[$0.key] != nil }
        freezeDuplicates(places, &desired)
        if let first = blockers.first {
            desired.pruneBlock =
                "\(first) cannot be read, and what it declares is not known; mend it first"
        }
        desired.problems.sort()
        return desired
    }

    private struct Said {
        var declarations: [Declaration] = []
        var frozen: [String: [Diagnostic]] = [:]
        var blocksPruning = false
    }

    private func declarations(of contents: SpecFileContents, file: String) -> Said {
        var said = Said()
        let before = lastGood[file]
        if let problem = contents.problems.first {
            said.declarations = (before ?? [:]).values.map { stale($0, problem) }
            said.blocksPruning = before == nil
            return said
        }
        var named: Set<String> = []
        for document in contents.documents {
            if let name = document.name { named.insert(name) }
            switch document {
            case .declaration(let declaration): said.declarations.append(declaration)
            case .broken(let name, let problems):
                guard let name, let problem = problems.first else { continue }
                if let old = before?[name] {
                    said.declarations.append(stale(old, problem))
                } else {
                    said.frozen[name] = problems
                }
            }
        }
        guard !contents.isGood, let problem = contents.allProblems.first else { return said }
        // A broken document without a name may be any of those that are missing now.
        let hasNameless = contents.documents.contains { $0.name == nil }
        if hasNameless {
            said.blocksPruning = before == nil
            for (name, old) in (before ?? [:]) where !named.contains(name) {
                said.declarations.append(stale(old, problem))
            }
        }
        return said
    }

    private func stale(_ declaration: Declaration, _ problem: Diagnostic) -> Declaration {
        var copy = declaration
        copy.staleBecause = problem
        return copy
    }

    private func freezeDuplicates(
        _ places: [String: [Declaration]], _ desired: inout Desired
    ) {
        for (name, declarations) in places {
            guard declarations.count > 1 || desired.frozen[name] != nil else {
                desired.declarations[name] = declarations[0]
                continue
            }
            let locations = declarations.map(\.location).sorted()
            let problems = locations.map { location in
                let others = locations.filter { $0 != location }.map(\.description)
                return Diagnostic(
                    location,
                    "'\(name)' is declared more than once, "
                        + "also at \(others.joined(separator: ", ")); "
                        + "nothing is done to it until one is left", instance: name)
            }
            if declarations.count > 1 {
                desired.problems += problems
                desired.frozen[name, default: []] += problems
            }
        }
    }
}

internal import PalEngine
internal import PalModel

/// From what each file says to what the directory declares: pure, with a memory of what was last
/// good.
///
/// Only files whose contents are another object than the last time are looked at, and only names
/// that these declare or declared are put together anew.
struct Merge {
    /// What is taken of each file.
    private var shares: [String: FileShare] = [:]
    /// By name, what exactly one document declares.
    private var declarations: Declarations = [:]
    /// By name, what is declared more than once, or only in a broken form.
    private var contested: [String: Contest] = [:]
    /// What the files say or said that were taken up this time; nil where nothing was known.
    private var touched: Set<String>?

    /// Puts the files together.
    ///
    /// - A file that is broken as a whole keeps what it last declared; one document that is broken
    ///   keeps the last good version of its instance, and lets the others of the file carry on.
    /// - A broken file that was never seen in order stops all pruning.
    /// - A name that is declared twice is frozen, with every place.
    mutating func desired(_ files: [String: SpecFileContents], specsPath: String) -> Desired {
        touched = shares.isEmpty ? nil : []
        for file in shares.keys where files[file] == nil { take(nil, of: file) }
        for (file, contents) in files where shares[file]?.contents !== contents {
            take(FileShare(contents, after: shares[file]), of: file)
        }
        var desired = Desired(specsPath: specsPath, declarations: declarations)
        desired.changed = touched
        for share in shares.values {
            desired.problems += share.contents.allProblems
            desired.groups.merge(share.groups) { max($0, $1) }
        }
        for (name, contest) in contested {
            let duplicates = contest.duplicates(of: name)
            desired.problems += duplicates
            desired.frozen[name] = contest.reasons + duplicates
        }
        if let first = shares.lazy.filter(\.value.blocksPruning).map(\.key).min() {
            desired.pruneBlock =
                "\(first) cannot be read, and what it declares is not known; mend it first"
        }
        desired.problems.sort()
        return desired
    }

    /// Takes a file's share in the place of the former one; nil where the file is gone.
    private mutating func take(_ share: FileShare?, of file: String) {
        if let old = shares[file] {
            for name in old.names {
                edit(name) { $0.withdraw(file) }
            }
            touched?.formUnion(old.names)
        }
        shares[file] = share
        if touched != nil, let share { touched?.formUnion(share.names) }
        for declaration in share?.declarations ?? [] {
            let name = declaration.config.value.name
            if declarations[name] == nil, contested[name] == nil {
                declarations[name] = declaration
            } else {
                edit(name) { $0.declarations.append(declaration) }
            }
        }
        for (name, problems) in share?.frozen ?? [:] {
            edit(name) { $0.frozen[file] = problems }
        }
    }

    /// Changes what is known of a name, and puts it where it then belongs.
    private mutating func edit(_ name: String, _ change: (inout Contest) -> Void) {
        var contest =
            contested.removeValue(forKey: name)
            ?? Contest(declarations: declarations[name].map { [$0] } ?? [])
        change(&contest)
        if contest.isSettled {
            declarations[name] = contest.declarations.first
        } else {
            declarations[name] = nil
            contested[name] = contest
        }
    }
}

/// Everything that is said of one name.
private struct Contest {
    var declarations: [Declaration]
    /// By file: what is wrong with a document that never was in order.
    var frozen: [String: [Diagnostic]] = [:]

    /// Whether it is no contest: at most one declaration, and nothing broken.
    var isSettled: Bool { declarations.count <= 1 && frozen.isEmpty }

    /// What the last file says is wrong.
    var reasons: [Diagnostic] { frozen.max { $0.key < $1.key }?.value ?? [] }

    /// A problem for each place, where there is more than one.
    func duplicates(of name: String) -> [Diagnostic] {
        guard declarations.count > 1 else { return [] }
        let locations = declarations.map(\.location).sorted()
        return locations.map { location in
            let others = locations.filter { $0 != location }.map(\.description)
            return Diagnostic(
                location,
                "'\(name)' is declared more than once, "
                    + "also at \(others.joined(separator: ", ")); "
                    + "nothing is done to it until one is left", instance: name)
        }
    }

    /// Forgets what a file says.
    mutating func withdraw(_ file: String) {
        declarations.removeAll { $0.location.file == file }
        frozen[file] = nil
    }
}

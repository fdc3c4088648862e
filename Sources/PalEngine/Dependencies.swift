public import PalModel

extension Desired {
    /// What is wrong with `dependsOn`: nobody of that name, or a circle. Sorted.
    public var dependencyProblems: [Diagnostic] {
        var dependencies = Dependencies()
        _ = dependencies.update(self)
        return dependencies.problems.values.sorted()
    }
}

/// What the declarations demand of each other by `dependsOn`: a value without effects.
struct Dependencies {
    /// By name: the instances that must be ready first, sorted.
    private(set) var needs: [String: [String]] = [:]
    /// By name: the instances that wait for it, sorted.
    private(set) var dependents: [String: [String]] = [:]
    /// By name: why its demands can never be met.
    private(set) var problems: [String: Diagnostic] = [:]

    /// Works the graph out anew.
    /// - Returns: The names whose place in it changed.
    mutating func update(_ desired: Desired) -> Set<String> {
        let old = self
        let declaring = desired.declarations.filter {
            $0.value.config.value.dependsOn?.isEmpty == false
        }
        guard !declaring.isEmpty || !old.needs.isEmpty else { return [] }
        self = Dependencies()
        for (name, declaration) in declaring {
            resolve(name, declaration, desired)
        }
        for (name, needed) in needs.sorted(by: { $0.key < $1.key }) {
            for other in needed { dependents[other, default: []].append(name) }
        }
        findCycles(desired)
        let names = Set(needs.keys).union(old.needs.keys)
        return names.filter { needs[$0] != old.needs[$0] || problems[$0] != old.problems[$0] }
    }

    /// A name, or all replicas of a group.
    private mutating func resolve(
        _ name: String, _ declaration: Declaration, _ desired: Desired
    ) {
        var needed: Set<String> = []
        var unknown: [String] = []
        for other in declaration.config.value.dependsOn ?? [] {
            if desired.declarations[other] != nil || desired.frozen[other] != nil {
                needed.insert(other)
            } else if let count = desired.groups[other] {
                needed.formUnion((0..<count).map { Replica.name(other, $0) })
            } else {
                unknown.append(other)
            }
        }
        needs[name] = needed.sorted()
        guard let first = unknown.sorted().first else { return }
        let known = Array(desired.declarations.keys) + desired.groups.keys
        let hint =
            Suggestion.nearest(to: first, among: known.sorted()).map { "; did you mean '\($0)'?" }
            ?? ""
        problems[name] = Diagnostic(
            declaration.location, "dependsOn: no spec declares '\(first)'\(hint)", instance: name)
    }

    /// Every name on a cycle gets a problem that spells the shortest one out.
    private mutating func findCycles(_ desired: Desired) {
        let held = namesThatAreNeverReady()
        for name in held.sorted() where problems[name] == nil {
            if let cycle = cycle(through: name, among: held) { report(cycle, desired) }
        }
    }

    /// What is left when again and again those are taken away that need none of the others: the
    /// names on cycles, and those that wait for one.
    private func namesThatAreNeverReady() -> Set<String> {
        var open = needs.mapValues { $0.count { needs[$0] != nil } }
        var free = open.filter { $0.value == 0 }.map(\.key)
        while let name = free.popLast() {
            open[name] = nil
            for dependent in dependents[name] ?? [] {
                open[dependent]? -= 1
                if open[dependent] == 0 { free.append(dependent) }
            }
        }
        return Set(open.keys)
    }

    /// The shortest way from a name over what it needs back to it; nil where there is none.
    private func cycle(through start: String, among names: Set<String>) -> [String]? {
        var neededBy: [String: String] = [:]
        var line = [start]
        var next = 0
        while next < line.count {
            let name = line[next]
            next += 1
            for other in needs[name] ?? [] where names.contains(other) {
                if other == start { return way(from: start, to: name, neededBy) }
                guard neededBy[other] == nil else { continue }
                neededBy[other] = name
                line.append(other)
            }
        }
        return nil
    }

    private func way(
        from start: String, to end: String, _ neededBy: [String: String]
    ) -> [String] {
        var way = [end]
        while let last = way.last, last != start, let before = neededBy[last] {
            way.append(before)
        }
        return way.reversed()
    }

    private mutating func report(_ cycle: [String], _ desired: Desired) {
        for (offset, name) in cycle.enumerated() where problems[name] == nil {
            let turn = cycle[offset...] + cycle[..<offset] + [name]
            guard let declaration = desired.declarations[name] else { continue }
            problems[name] = Diagnostic(
                declaration.location,
                "dependsOn goes round in a circle: \(turn.joined(separator: " → ")); "
                    + "take one of them out", instance: name)
        }
    }
}

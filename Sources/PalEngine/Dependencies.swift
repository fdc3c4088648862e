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

    /// Every name on a cycle gets a problem that spells the cycle out.
    private mutating func findCycles(_ desired: Desired) {
        var finished: Set<String> = []
        for start in needs.keys.sorted() where !finished.contains(start) {
            var path: [String] = []
            var position: [String: Int] = [:]
            // Each entry: a name on the path, and which of its needs comes next.
            var stack: [(name: String, next: Int)] = [(start, 0)]
            while let top = stack.last {
                if top.next == 0 {
                    position[top.name] = path.count
                    path.append(top.name)
                }
                let needed = needs[top.name] ?? []
                guard top.next < needed.count else {
                    finished.insert(top.name)
                    position[top.name] = nil
                    path.removeLast()
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let other = needed[top.next]
                if let first = position[other] {
                    report(Array(path[first...]), desired)
                } else if !finished.contains(other) {
                    stack.append((other, 0))
                }
            }
        }
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

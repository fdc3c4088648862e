internal import PalModel
internal import PalProvider

/// How news come in.
extension World {
    /// Takes a reading of the specs in.
    /// - Returns: The names that it says something new of.
    func take(_ new: Desired) -> Set<String> {
        let oldBlock = pruneBlock
        let isFirst = desired == nil
        weighEmptiness(new, isFirst: isFirst)
        let old = desired
        desired = new
        if index.specsPath != new.specsPath {
            index.specsPath = new.specsPath
            for key in keys.values { index.refresh(key) }
        }
        var changes = takeDeclarations(new, old)
        changes.names.formUnion(takeFrozen(new, old))
        if isFirst { changes.names.formUnion(keys.keys) }
        if oldBlock != pruneBlock { changes.names.formUnion(undeclared) }
        // A group of none has no declaration, and is demanded all the same.
        if changes.bearsOnDependencies || isFirst || old?.groups != new.groups {
            changes.names.formUnion(dependencies.update(new))
        }
        return changes.names
    }

    private func weighEmptiness(_ new: Desired, isFirst: Bool) {
        guard new.declarations.isEmpty else {
            emptyAtStart = nil
            return
        }
        guard isFirst, keys.values.contains(where: { $0.record?.declaredFrom == new.specsPath })
        else { return }
        emptyAtStart =
            "the specs directory was empty when pal started; restore the files, "
            + "or delete the instances with 'pal approve NAME…'"
    }

    private struct Changes {
        var names: Set<String> = []
        var bearsOnDependencies = false
    }

    private func takeDeclarations(_ new: Desired, _ old: Desired?) -> Changes {
        var changes = Changes()
        if let names = new.changed, let old, old.reading == new.reading - 1 {
            for name in names { take(new.declarations[name], of: name, &changes) }
            return changes
        }
        for (name, declaration) in new.declarations { take(declaration, of: name, &changes) }
        for name in (old?.declarations ?? [:]).keys where new.declarations[name] == nil {
            take(nil, of: name, &changes)
        }
        return changes
    }

    private func take(_ declaration: Declaration?, of name: String, _ changes: inout Changes) {
        let key = keys[name]
        guard key?.declaration != declaration else {
            // It says the same: of two objects one is enough.
            if key?.declaration !== declaration { key?.declaration = declaration }
            return
        }
        note(name, key?.declaration, declaration, &changes)
        self.key(name).declaration = declaration
    }

    private func note(
        _ name: String, _ old: Declaration?, _ new: Declaration?, _ changes: inout Changes
    ) {
        changes.names.insert(name)
        guard !changes.bearsOnDependencies else { return }
        changes.bearsOnDependencies =
            old == nil || new == nil || old?.config.value.dependsOn != new?.config.value.dependsOn
            || old?.config.value.replicas != new?.config.value.replicas
    }

    private func takeFrozen(_ new: Desired, _ old: Desired?) -> Set<String> {
        var names: Set<String> = []
        for (name, reasons) in new.frozen where keys[name]?.frozen != reasons {
            key(name).frozen = reasons
            names.insert(name)
        }
        for name in (old?.frozen ?? [:]).keys where new.frozen[name] == nil {
            keys[name]?.frozen = []
            names.insert(name)
        }
        return names
    }

    private var undeclared: [String] {
        keys.values.filter { $0.declaration == nil }.map(\.name)
    }

    /// Takes a complete list in, or a complete list of certain names.
    ///
    /// - Parameters:
    ///   - since: The count of changes when the list was asked for. What pal touched after that
    ///     must be looked at again.
    ///   - busy: Names whose change is under way: what the list says of them is no news.
    /// - Returns: The names that it says something new of.
    func take(
        _ instances: [VSCodeInstance], of provider: String, names: Set<String>?, since: Int,
        busy: Set<String>
    ) -> Set<String> {
        var concerned: Set<String> = []
        let found = Dictionary(grouping: instances, by: \.name)
        func take(_ key: Key) {
            guard key.touched <= since, !busy.contains(key.name) else { return }
            let isNews = key.take(found[key.name] ?? [], at: provider)
            let wasAwaited = key.mustLookAt.remove(provider) != nil
            if isNews || wasAwaited { concerned.insert(key.name) }
        }
        for name in found.keys where keys[name] == nil { _ = key(name) }
        if let names {
            for name in names { keys[name].map(take) }
        } else {
            for key in keys.values { take(key) }
        }
        return concerned
    }
}

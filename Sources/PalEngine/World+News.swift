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
        // Once all are taken: which providers are needed hangs on all.
        for name in changes.adopting { lookAnew(name) }
        changes.names.formUnion(takeFrozen(new))
        if isFirst { changes.names.formUnion(keys.keys) }
        if oldBlock != pruneBlock { changes.names.formUnion(undeclared) }
        // A group of none, and what is frozen, has no declaration, and is demanded all the same.
        if changes.bearsOnDependencies || isFirst || old?.groups != new.groups
            || old?.frozen.keys != new.frozen.keys
        {
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
        /// What is to be taken over now, and was not before.
        var adopting: Set<String> = []
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
            guard let key, key.declaration !== declaration else { return }
            key.declaration = declaration
            // Whoever wrote the file anew may have mended what is wrong, in other words for the
            // same.
            if key.outcome != .settled { changes.names.insert(name) }
            return
        }
        note(name, key?.declaration, declaration, &changes)
        let adopted = key?.declaration?.config.value.adopt
        self.key(name).declaration = declaration
        // No list that was begun before has what is to be taken over.
        if let new = declaration?.config.value.adopt, new != adopted {
            changes.adopting.insert(name)
        }
    }

    private func lookAnew(_ name: String) {
        guard let key = keys[name] else { return }
        touch(name)
        // Nor is anything else believed that was asked before: all are asked who may have it.
        let homes = [key.home, formerHome(of: key)].compactMap(\.self)
        // One that is not configured would be waited for in vain.
        // The first list of one that was not listed yet may have begun before, and is not believed.
        let unlisted = neededProviders.filter { providers[$0]?.isListed == false }
        key.mustLookAt.formUnion(
            (homes + key.observed.map(\.provider) + unlisted).filter { providers[$0] != nil })
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

    private func takeFrozen(_ new: Desired) -> Set<String> {
        let now = reasonsToFreeze(new)
        var names: Set<String> = []
        for (name, reasons) in now where keys[name]?.frozen != reasons {
            key(name).frozen = reasons
            names.insert(name)
        }
        for name in frozen where now[name] == nil {
            keys[name]?.frozen = []
            names.insert(name)
        }
        frozen = Set(now.keys)
        return names
    }

    /// A broken document may be one with replicas: of what there is of them nobody says that it
    /// should go.
    private func reasonsToFreeze(_ new: Desired) -> [String: [Diagnostic]] {
        var reasons = new.frozen
        guard !reasons.isEmpty else { return [:] }
        for name in keys.keys where reasons[name] == nil && new.declarations[name] == nil {
            guard let group = Replica.group(of: name) else { continue }
            reasons[name] = new.frozen[group]
        }
        return reasons
    }

    private var undeclared: [String] {
        keys.values.filter { $0.declaration == nil }.map(\.name)
    }

    /// Takes a complete list in, or a complete list of certain names.
    ///
    /// - Parameters:
    ///   - since: The count of changes when the list was asked for. What pal touched after that
    ///     must be looked at again.
    ///   - busy: Names whose change is under way: what the list says of them is no news, but for
    ///     one of a provider that the change has nothing to do with.
    /// - Returns: The names that it says something new of.
    func take(
        _ instances: [VSCodeInstance], of provider: String, names: Set<String>?, since: Int,
        busy: Set<String>
    ) -> Set<String> {
        var list = ListByName(instances, isWhole: names == nil)
        if let names {
            for name in list.names() where names.contains(name) { _ = key(name) }
            return take(names.compactMap { keys[$0] }, &list, provider, since, busy).concerned
        }
        let known = take(sorted, &list, provider, since, busy)
        guard known.objects < instances.count else { return known.concerned }
        let new = list.names().filter { keys[$0] == nil }.map(key)
        return known.concerned.union(take(new, &list, provider, since, busy).concerned)
    }

    /// - Returns: The names that the list says something new of, and how many of its objects bear
    ///   one of the names.
    private func take(
        _ keys: [Key], _ list: inout ListByName, _ provider: String, _ since: Int,
        _ busy: Set<String>
    ) -> (concerned: Set<String>, objects: Int) {
        var (concerned, objects): (Set<String>, Int) = ([], 0)
        for (key, news) in zip(keys, list.news(to: keys, of: provider)) {
            objects += news.objects
            guard key.touched <= since,
                !busy.contains(key.name) || key.hasNoBusiness(at: provider)
            else { continue }
            if news.isNews { key.take(list[key], at: provider) }
            let wasAwaited = !key.mustLookAt.isEmpty && key.mustLookAt.remove(provider) != nil
            if news.isNews || wasAwaited { concerned.insert(key.name) }
        }
        return (concerned, objects)
    }
}

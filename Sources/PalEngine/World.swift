internal import PalModel
internal import PalProvider

/// What the engine knows of one name.
struct Key {
    var declaration: Declaration?
    var frozen: [Diagnostic] = []
    var record: InstanceRecord?
    /// The objects that bear the name, by provider.
    var observed: [String: [VSCodeInstance]] = [:]
    /// The world's count of changes when pal last touched it: a list that began earlier is not
    /// believed.
    var touched = 0
    /// Whether the provider must be asked before the next decision.
    var mustLook = false
    /// Whether its plan waits for the provider to have a call to spare.
    var awaitsCall = false
    /// Not before this time: the backoff.
    var notBefore: Duration = .zero
    /// How often it was looked at while it was not ready.
    var looks = 0
    /// Since when it is ready.
    var readySince: Duration?
    /// Whether somebody asked for a restart.
    var restarts = false
    /// Why an update turned out to need a replacement.
    var replaceBecause: String?
    /// Whether the last failure can only be mended by somebody.
    var isHopeless = false
    /// The end that was last counted as a crash.
    var countedExit: ExitReport?
    /// What came of the last decision; nil while a decision is due.
    var outcome: Outcome?
    /// The last problem that was told, so that a repetition is not told again.
    var toldProblem: String?
}

/// What came of one decision on a name.
enum Outcome: Equatable {
    /// As it should be, and ready where it should run.
    case settled
    /// On its way.
    case waiting(String)
    /// It failed and is tried again.
    case retrying(String)
    /// Nothing happens until somebody acts.
    case blocked(String)
}

/// Everything that the engine knows: what is declared, what is observed, what was recorded.
///
/// A value without effects. The methods take news in and tell which names are concerned.
struct World {
    var keys: [String: Key] = [:]
    var desired: Desired?
    var providers: [String: ProviderState]
    /// Why an empty directory prunes nothing, as long as it was never seen with anything in it.
    private(set) var emptyAtStart: String?
    /// Counts what pal did.
    private(set) var changes = 0

    init(providers: [any Provider], records: [InstanceRecord]) {
        self.providers = Dictionary(
            providers.map { ($0.name, ProviderState($0)) }, uniquingKeysWith: { first, _ in first })
        for record in records {
            keys[record.name] = Key(record: record)
        }
    }

    /// Why nothing may be pruned now.
    var pruneBlock: String? { desired?.pruneBlock ?? emptyAtStart }

    // MARK: News

    /// Takes a reading of the specs in.
    mutating func take(_ new: Desired) -> Set<String> {
        let oldBlock = pruneBlock
        let isFirst = desired == nil
        if !new.declarations.isEmpty {
            emptyAtStart = nil
        } else if isFirst, keys.values.contains(where: { $0.record?.declaredFrom == new.specsPath })
        {
            emptyAtStart =
                "the specs directory was empty when pal started; restore the files, "
                + "or delete the instances with 'pal approve NAME…'"
        }
        desired = new
        var concerned: Set<String> = []
        for (name, declaration) in new.declarations where keys[name]?.declaration != declaration {
            keys[name, default: Key()].declaration = declaration
            concerned.insert(name)
        }
        for (name, reasons) in new.frozen where keys[name]?.frozen != reasons {
            keys[name, default: Key()].frozen = reasons
            concerned.insert(name)
        }
        for (name, key) in keys {
            if key.declaration != nil, new.declarations[name] == nil {
                keys[name]?.declaration = nil
                concerned.insert(name)
            }
            if !key.frozen.isEmpty, new.frozen[name] == nil {
                keys[name]?.frozen = []
                concerned.insert(name)
            }
            if isFirst || (oldBlock != pruneBlock && key.declaration == nil) {
                concerned.insert(name)
            }
        }
        return concerned
    }

    /// Takes a complete list in, or a complete list of certain names.
    ///
    /// - Parameter since: The count of changes when the list was asked for. What pal touched after
    ///   that must be looked at again.
    mutating func take(
        _ instances: [VSCodeInstance], of provider: String, names: Set<String>?, since: Int,
        busy: Set<String>
    ) -> Set<String> {
        let byName = Dictionary(grouping: instances, by: \.name)
        var concerned: Set<String> = []
        let affected = names ?? Set(keys.keys).union(byName.keys)
        for name in affected {
            let found = (byName[name] ?? []).sorted {
                $0.providerInstanceId < $1.providerInstanceId
            }
            guard var key = keys[name] ?? (found.isEmpty ? nil : Key()) else { continue }
            guard key.touched <= since, !busy.contains(name) else { continue }
            if (key.observed[provider] ?? []) != found || key.mustLook || keys[name] == nil {
                concerned.insert(name)
            }
            key.observed[provider] = found.isEmpty ? nil : found
            key.mustLook = false
            keys[name] = key
        }
        return concerned
    }

    /// Notes that pal is about to change, or has just changed, the objects of a name.
    mutating func touch(_ name: String) {
        changes += 1
        keys[name]?.touched = changes
    }

    // MARK: Questions

    /// The provider that has or shall have a name.
    func provider(of name: String) -> String {
        keys[name].map(home) ?? ProviderFactory.defaultType.rawValue
    }

    private func home(_ key: Key) -> String {
        key.declaration.map { $0.config.provider ?? ProviderFactory.defaultType.rawValue }
            ?? key.observed.keys.sorted().first ?? key.record?.provider
            ?? ProviderFactory.defaultType.rawValue
    }

    /// The providers that a spec or the ledger names, and that exist.
    var neededProviders: [String] {
        var needed: Set<String> = []
        for key in keys.values {
            let named = [key.declaration.map { _ in home(key) }, key.record?.provider]
            for case let name? in named where providers[name] != nil { needed.insert(name) }
            if needed.count == providers.count { break }
        }
        return needed.sorted()
    }

    /// The names whose deletion the specs ask for now.
    var pruneCandidates: Set<String> {
        guard let path = desired?.specsPath, pruneBlock == nil else { return [] }
        return Set(
            keys.filter { _, key in
                key.declaration == nil && key.frozen.isEmpty && !key.observed.isEmpty
                    && key.record?.declaredFrom == path && key.record?.isApproved == false
                    && key.record?.applied?.protect != true
            }.keys)
    }

    /// All that a decision on a name depends on.
    func input(for name: String, specsPath: String, clock: any EngineClock) -> PlanInput {
        var input = PlanInput(name: name, specsPath: specsPath, now: clock.date())
        guard let key = keys[name] else { return input }
        let home = provider(of: name)
        let state = providers[home]
        input.provider = home
        input.declaration = key.declaration
        input.frozen = key.frozen
        input.record = key.record
        input.observed = key.observed[home] ?? []
        input.elsewhere = key.observed.keys.filter { $0 != home }.sorted()
        input.isObserved = (state?.isListed ?? false) && !key.mustLook
        input.providerProblem = state?.problem
        input.rules = state?.provider
        input.providerNames = providers.keys.sorted()
        input.pruneBlock = pruneBlock
        input.restarts = key.restarts
        input.replaceBecause = key.replaceBecause
        return input
    }
}

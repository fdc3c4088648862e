internal import FoundationEssentials
internal import PalModel
internal import PalProvider

/// Everything that the engine knows: what is declared, what is observed, what was recorded.
///
/// Nothing here has an effect outside. `take` takes news in and tells which names are concerned;
/// what the loop asks at every turn is kept in `index` and costs nothing to answer.
final class World {
    private(set) var keys: [String: Key] = [:] { didSet { inOrder = nil } }
    private var inOrder: [Key]?
    let index = WorldIndex()
    private let clock: any EngineClock
    var desired: Desired?
    var providers: [String: ProviderState]
    /// The names of the providers, sorted.
    let providerNames: [String]
    /// What the declarations demand of each other.
    var dependencies = Dependencies()
    /// Why an empty directory prunes nothing, as long as it was never seen with anything in it.
    var emptyAtStart: String?
    /// The names that a broken document keeps as they are.
    var frozen: Set<String> = []
    /// Counts what pal did.
    private(set) var changes = 0

    init(
        providers: [any Provider], records: [InstanceRecord], state: SwarmState? = nil,
        clock: any EngineClock
    ) {
        self.clock = clock
        self.providers = Dictionary(
            providers.map {
                ($0.name, ProviderState($0, listedAt: state?.providers[$0.name]?.listedAt))
            }, uniquingKeysWith: { first, _ in first })
        providerNames = self.providers.keys.sorted()
        index.providers = Set(providerNames)
        keys.reserveCapacity(records.count)
        for record in records { key(record.name).record = Shared(record) }
    }

    subscript(name: String) -> Key? { keys[name] }

    /// What is known of a name; made where nothing is.
    func key(_ name: String) -> Key {
        if let key = keys[name] { return key }
        let key = Key(name, index)
        keys[name] = key
        return key
    }

    /// Drops a name of which nothing is left.
    func forget(_ name: String) {
        guard let key = keys.removeValue(forKey: name) else { return }
        index.remove(key)
    }

    /// Notes that pal is about to change, or has just changed, the objects of a name.
    func touch(_ name: String) {
        changes += 1
        keys[name]?.touched = changes
    }

    // MARK: Questions

    /// Why nothing may be pruned now.
    var pruneBlock: String? { desired?.pruneBlock ?? emptyAtStart }

    /// The object that counts, of those that bear the name at its provider: the newest.
    func instance(of name: String) -> Shared<VSCodeInstance>? { keys[name]?.instance }

    /// The providers that a spec or the ledger names, and that exist; sorted.
    var neededProviders: [String] { index.neededProviders }

    /// The providers that are to be asked: the needed ones, and those that somebody must still look
    /// at, though their last instance has just moved away, or that others wait for.
    var askedProviders: [String] {
        let needed = neededProviders
        return providerNames.filter {
            needed.contains($0) || providers[$0]?.nextLook != nil
                || providers[$0]?.isAwaited == true
        }
    }

    /// The names whose deletion the specs ask for now; nil where nothing may be pruned.
    var pruneCandidates: Set<String>? { pruneBlock == nil ? index.prunable : nil }

    /// Whether a name is known, and no good declaration of it.
    func isUndeclared(_ name: String) -> Bool {
        keys[name].map { $0.declaration == nil } ?? false
    }

    /// Every name's key, in the order of the names.
    var sorted: [Key] {
        if let inOrder { return inOrder }
        let new = keys.values.sorted { $0.name < $1.name }
        inOrder = new
        return new
    }

    /// Every object that is known, in the order of the names.
    var objects: [Observed] { sorted.flatMap(\.observed) }

    /// By provider: the fields whose value at the platform is compared.
    var comparedFields: [String: FieldSet] {
        providers.mapValues { $0.capabilities.comparedFields }
    }

    /// The decision on a name that still holds; nil where one has to be made.
    func standingPlan(of key: Key) -> InstancePlan? {
        key.standingPlan { providers[$0]?.isListed == true }
    }

    /// All that a decision on a name depends on.
    func input(for key: Key, specsPath: String) -> PlanInput {
        var input = PlanInput(name: key.name, specsPath: specsPath, now: clock.date())
        fill(&input, for: key)
        return input
    }

    private func fill(_ input: inout PlanInput, for key: Key) {
        let home = key.home
        let state = providers[home]
        input.provider = home
        input.declaration = key.declaration
        input.frozen = key.frozen
        input.record = key.record
        input.observed = key.observed(at: home)
        input.elsewhere = key.observed(elsewhereThan: home)
        input.isObserved = isSeen(key) && key.mustLookAt.isEmpty
        let landing = landing(of: key)
        input.isBehind = landing?.provider == home
        input.providerProblem = input.isObserved ? state?.problem : problem(key, state, landing)
        input.rules = state?.rules
        input.wantedHash = key.wantedHash(at: state)
        if state == nil { input.providerNames = providerNames }
        input.pruneBlock = pruneBlock
        input.isScaledDown = isScaledDown(key)
        let attempts = key.attempts
        input.restarts = attempts.restarts
        input.replaceBecause = attempts.replaceBecause
        input.isSuccessorLate = attempts.successorDeadline.map { $0 <= clock.elapsed() } ?? false
        input.isDeletionLate = attempts.deletionDeadline.map { $0 <= clock.elapsed() } ?? false
    }

    /// Why nobody can say what there is of a name.
    private func problem(_ key: Key, _ state: ProviderState?, _ landing: Landing?) -> String? {
        if let landing, landing.provider != key.home { return landing.reason }
        if let problem = state?.problem { return problem }
        if let other = awaitedHome(of: key) {
            return "'\(other)' may have it, and is waited for: \(providers[other]?.problem ?? "")"
        }
        let unseen = isFormerHomeUnseen(of: key) ? formerHome(of: key) : unseenHolder(of: key)
        guard let former = unseen else { return nil }
        return "'\(former)', which had it, cannot be asked: "
            + (providers[former].map { $0.problem ?? "it was not asked yet" }
                ?? "it is not configured any more; put it back")
    }

    /// Another provider than its own where a creation was at least begun: as long as that one was
    /// not asked, it may have the instance.
    func formerHome(of key: Key) -> String? {
        guard let record = key.record else { return nil }
        if let landing = record.landing, landing.provider != key.home { return landing.provider }
        // What was adopted is older than any generation.
        let hasOne = record.generation > 0 || record.adopted?.isOver == false
        return record.provider != key.home && hasOne ? record.provider : nil
    }

    /// Whether everyone who may have a name was listed.
    func isSeen(_ key: Key) -> Bool {
        let home = key.home
        guard providers[home]?.isListed == true else { return false }
        // As nearly every name.
        if key.isOnly(at: home) { return true }
        guard !isFormerHomeUnseen(of: key), unseenHolder(of: key) == nil,
            awaitedHome(of: key) == nil
        else { return false }
        return landing(of: key).map { $0.provider == key.home } ?? true
    }

    /// A creation that may still take effect, or show; nil where there is none, it is seen, or it
    /// is too long ago.
    func landing(of key: Key) -> Landing? {
        guard let landing = key.record?.landing, !isOver(landing), !key.shows(landing) else {
            return nil
        }
        return landing
    }

    /// Whether a creation is too long ago to take effect any more.
    func isOver(_ landing: Landing) -> Bool {
        // Farther ahead than it can be: the clock was set back meanwhile.
        let left = landing.until.timeIntervalSince(clock.date())
        return left <= 0 || left > landing.seconds
    }

    /// Whether that other provider was not listed, so that nobody knows what it has.
    func isFormerHomeUnseen(of key: Key) -> Bool {
        formerHome(of: key).map { providers[$0]?.isListed != true } ?? false
    }

    /// Another provider that had an object of the name when it was last listed, and cannot be asked
    /// now whether it still has.
    func unseenHolder(of key: Key) -> String? {
        key.observed(elsewhereThan: key.home).first { providers[$0.provider]?.isListed != true }?
            .provider
    }

    /// Another provider that will soon list, for the first time to this ledger, what it has; nil
    /// where a name was made before. With its ledger lost, it may stand there.
    func awaitedHome(of key: Key) -> String? {
        guard key.record?.applied == nil, key.record?.generation ?? 0 == 0 else { return nil }
        return providerNames.first { $0 != key.home && providers[$0]?.isAwaited == true }
    }

    /// Whether the providers that may have a name can be asked and have not been. Any of them may
    /// have what this ledger knows nothing of, also one that is not needed any more since it was
    /// asked.
    func awaitsList(_ key: Key) -> Bool {
        var concerned: [String] = []
        if key.record?.applied == nil {
            let needed = neededProviders
            concerned = providerNames.filter {
                needed.contains($0) || providers[$0]?.isListing == true
            }
        }
        // What nothing declares, and nothing was ever noted of, has no home that could be asked.
        if key.declaration != nil || key.record != nil { concerned.append(key.home) }
        if let former = formerHome(of: key) { concerned.append(former) }
        return concerned.contains { name in
            guard let state = providers[name] else { return false }
            return state.problem == nil && !state.isListed
        }
    }

    /// Whether a name is gone because its `replicas` became fewer, not because its file went.
    func isScaledDown(_ key: Key) -> Bool {
        guard key.declaration == nil, key.record?.lastTerms?.replicas != nil,
            let group = Replica.group(of: key.name)
        else { return false }
        return desired?.groups[group] != nil
    }
}

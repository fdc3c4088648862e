public import PalModel
internal import PalProvider

/// What the engine knows of one name.
final class Key {
    let name: String
    private let index: WorldIndex
    /// What the index holds of this name.
    fileprivate(set) var facts = WorldIndex.Facts()

    var declaration: Declaration? {
        didSet {
            cachedHash = nil
            shareObserved()
            loseReadiness()
            change()
        }
    }
    var frozen: [Diagnostic] = [] { didSet { change() } }
    var record: Shared<InstanceRecord>? { didSet { change() } }
    /// The objects that bear the name, the oldest generation first.
    private(set) var observed: [Observed] = [] {
        didSet {
            loseReadiness()
            change()
        }
    }
    /// What came of the last decision; nil while a decision is due.
    var outcome: Outcome? { didSet { change() } }
    /// Whether the last decision was that it is as declared, and there was nothing to say of it.
    /// Whatever changes of the name ends that.
    private(set) var isPlain = false

    /// The world's count of changes when pal last touched it: a list that began earlier is not
    /// believed.
    var touched = 0
    /// Where in the last whole list its object was: where the next one is looked at first.
    var place = 0
    /// The providers that must be asked before the next decision.
    var mustLookAt: Set<String> = []
    /// Since when it is ready; set when that was told to those that wait for it.
    var readySince: Duration?
    private var cachedHash: SpecHash?
    private var storedAttempts: Shared<Attempts>?

    init(_ name: String, _ index: WorldIndex) {
        self.name = name
        self.index = index
    }

    /// Whether nobody changes anything of it at a provider, as far as is known.
    func hasNoBusiness(at provider: String) -> Bool {
        ![home, record?.provider, record?.landing?.provider].contains(provider)
            && observed(at: provider).isEmpty
    }

    private func change() {
        isPlain = false
        index.refresh(self)
    }

    /// Notes that a decision says nothing at all, as nearly all do, of the one object that there is
    /// and nobody holds.
    func keep(_ plan: InstancePlan) {
        guard outcome == .settled, declaration != nil, record?.hold == nil, isOnly(at: home),
            plan == InstancePlan(name: name, provider: home)
        else { return }
        isPlain = true
    }

    /// Whether its one object is at a provider, and nothing says that another may have any.
    func isOnly(at provider: String) -> Bool {
        guard observed.count == 1, observed[0].provider == provider, let record else {
            return false
        }
        return record.value.provider == provider && record.value.landing == nil
            && record.value.applied != nil
    }

    /// The decision that was made and still holds, where it was that there is nothing to do and
    /// nothing to say; nil where one has to be made.
    ///
    /// - Parameter isListed: Whether everything of a provider is known.
    func standingPlan(_ isListed: (String) -> Bool) -> InstancePlan? {
        guard isPlain, mustLookAt.isEmpty, isUndisturbed, isListed(observed[0].provider) else {
            return nil
        }
        return InstancePlan(name: name, provider: observed[0].provider)
    }

    /// What became of it lately; of most names there is nothing, and nothing is kept.
    var attempts: Attempts {
        get { storedAttempts?.value ?? Attempts() }
        set { storedAttempts = newValue == Attempts() ? nil : Shared(newValue) }
    }

    /// Whether nothing that was tried lately bears on what is decided.
    var isUndisturbed: Bool {
        guard let attempts = storedAttempts else { return true }
        return !attempts.restarts && attempts.replaceBecause == nil
            && attempts.successorDeadline == nil
    }

    static let defaultHome = ProviderFactory.defaultType.rawValue

    /// The provider that has or shall have it.
    var home: String {
        if let declaration { return declaration.config.value.provider ?? Self.defaultHome }
        return observed.first?.provider ?? record?.provider ?? Self.defaultHome
    }

    /// The objects that other providers have.
    func observed(elsewhereThan provider: String) -> [Observed] {
        if observed.count == 1, observed[0].provider == provider { return [] }
        return observed.filter { $0.provider != provider }
    }

    /// The objects at a provider, the oldest generation first.
    func observed(at provider: String) -> [Shared<VSCodeInstance>] {
        // Nearly every name has one object in one place.
        if observed.count == 1 {
            return observed[0].provider == provider ? [observed[0].instance] : []
        }
        return observed.filter { $0.provider == provider }.map(\.instance)
    }

    /// Whether the editor answers, as far as was seen and told.
    var isReady: Bool { readySince != nil && instance?.value.isServing == true }

    /// What is not ready any more is told anew when it is, however short that was.
    private func loseReadiness() {
        if readySince != nil, !isReady { readySince = nil }
    }

    /// The newest object at its provider.
    var instance: Shared<VSCodeInstance>? {
        let home = home
        return observed.last(where: { $0.provider == home })?.instance
    }

    /// Whether what a creation made is seen.
    func shows(_ landing: Landing) -> Bool {
        observed.contains {
            guard $0.provider == landing.provider else { return false }
            // A list that is behind may still have one of the same generation that went.
            if let object = landing.object { return $0.instance.providerInstanceId == object }
            return $0.instance.ownership.generation >= record?.generation ?? 0
        }
    }

    /// Takes in which objects a provider has.
    /// - Returns: Whether that is news.
    @discardableResult
    func take(_ instances: some Collection<VSCodeInstance>, at provider: String) -> Bool {
        guard !hasExactly(instances, at: provider) else { return false }
        var new = observed.filter { $0.provider != provider }
        new += instances.sorted(by: Self.isOlder).map {
            Observed(provider: provider, instance: Shared(sharing($0)))
        }
        observed = new.sorted { $0.provider < $1.provider }
        return true
    }

    /// Whether these are the objects that are known already.
    func hasExactly(_ instances: some Collection<VSCodeInstance>, at provider: String) -> Bool {
        let known = observed(at: provider)
        return known.count == instances.count
            && zip(known, instances.sorted(by: Self.isOlder)).allSatisfy { $0.value == $1 }
    }

    /// Whether this is the only object there, and known already.
    func hasOnly(_ instance: UnsafePointer<VSCodeInstance>, at provider: String) -> Bool {
        guard observed.count == 1, observed[0].provider == provider else {
            return hasExactly(CollectionOfOne(instance.pointee), at: provider)
        }
        return VSCodeInstance.isSame(observed[0].instance, as: instance)
    }

    /// The same, with what the platform says as declared held once.
    private func sharing(_ instance: VSCodeInstance) -> VSCodeInstance {
        guard let declared = declaration?.config else { return instance }
        var instance = instance
        instance.config.share(with: declared)
        return instance
    }

    /// What was listed before it was declared shares what it can, too, and so does the record.
    private func shareObserved() {
        guard !observed.isEmpty, declaration != nil else { return }
        let before = instance
        observed = observed.map {
            Observed(provider: $0.provider, instance: Shared(sharing($0.instance.value)))
        }
        guard before != nil, record?.observed == before else { return }
        record?.observed = instance
    }

    private static func isOlder(_ a: VSCodeInstance, than b: VSCodeInstance) -> Bool {
        (a.ownership.generation, a.providerInstanceId)
            < (b.ownership.generation, b.providerInstanceId)
    }

    /// The hash of what is declared; worked out once for each declaration.
    func wantedHash(at provider: ProviderState?) -> SpecHash? {
        if let cachedHash { return cachedHash }
        guard let declaration, let provider else { return nil }
        cachedHash = provider.capabilities.hash(of: declaration.config.value)
        return cachedHash
    }
}

/// An object that a provider has, and which provider that is.
public struct Observed: Sendable, Hashable {
    /// The provider's configured name.
    public var provider: String
    /// The object.
    public var instance: Shared<VSCodeInstance>

    /// Makes one of its parts.
    public init(provider: String, instance: Shared<VSCodeInstance>) {
        self.provider = provider
        self.instance = instance
    }
}

/// What came of one decision on a name.
enum Outcome: Equatable {
    /// As it should be, and ready where it should run.
    case settled
    /// On its way.
    case waiting(String)
    /// Not before these are ready.
    case waitingFor([String])
    /// It failed and is tried again.
    case retrying(String)
    /// Nothing happens until somebody acts.
    case blocked(String)
}

/// The answers to what the loop asks of all names at every turn, kept up with each change of a key.
final class WorldIndex {
    /// What counts of one name.
    struct Facts: Equatable {
        /// Where it is declared.
        var declaredHome: String?
        /// Where else it is recorded, where a creation may still take effect, which is asked before
        /// its name is decided on, and where it was seen, as what went there is seen only by who
        /// asks.
        var otherHomes: [String] = []
        var isPrunable = false
        var isUnsettled = false
        var isAdopting = false

        var homes: [String] { (declaredHome.map { [$0] } ?? []) + otherHomes }
    }

    /// The providers that exist.
    var providers: Set<String> = []
    /// The directory that declarations come from; keys must be refreshed when it changes.
    var specsPath: String?
    private var needs: [String: Int] = [:]
    private(set) var neededProviders: [String] = []
    /// Names that would be pruned now, were nothing in the way.
    private(set) var prunable: Set<String> = []
    /// Names that are not as they should be, or not decided on.
    private(set) var unsettled: Set<String> = []
    /// Names that may have an object that does not carry pal's marks.
    private(set) var adopting: Set<String> = []

    func refresh(_ key: Key) {
        let facts = facts(of: key)
        guard facts != key.facts else { return }
        replace(key.facts, by: facts, key.name)
        key.facts = facts
    }

    func remove(_ key: Key) {
        replace(key.facts, by: Facts(), key.name)
        key.facts = Facts()
    }

    private func facts(of key: Key) -> Facts {
        var facts = Facts()
        if key.declaration != nil { facts.declaredHome = key.home }
        for home in [key.record?.provider, key.record?.landing?.provider].compactMap(\.self)
        where home != facts.declaredHome {
            facts.otherHomes.append(home)
        }
        // Also of what nobody declares it must be seen when it goes.
        for place in key.observed
        where place.provider != facts.declaredHome && !facts.otherHomes.contains(place.provider) {
            facts.otherHomes.append(place.provider)
        }
        facts.isPrunable = isPrunable(key)
        facts.isUnsettled = key.outcome != .settled
        facts.isAdopting =
            key.declaration?.config.value.adopt != nil || key.record?.adopted?.isOver == false
        return facts
    }

    private func isPrunable(_ key: Key) -> Bool {
        guard key.declaration == nil, key.frozen.isEmpty, let record = key.record, let specsPath,
            record.declaredFrom == specsPath, record.lastTerms?.protect != true
        else { return false }
        // What was there when it was last seen counts before anybody was asked again.
        guard !key.observed.isEmpty else { return record.observed != nil }
        guard let newest = key.instance?.value else { return false }
        return !record.value.agrees(toDelete: newest)
            && record.issuedHashes.contains(newest.ownership.specHash)
    }

    private func replace(_ old: Facts, by new: Facts, _ name: String) {
        if old.homes != new.homes {
            need(old, -1)
            need(new, 1)
            neededProviders = needs.keys.filter { providers.contains($0) }.sorted()
        }
        if old.isPrunable != new.isPrunable { set(&prunable, name, new.isPrunable) }
        if old.isUnsettled != new.isUnsettled { set(&unsettled, name, new.isUnsettled) }
        if old.isAdopting != new.isAdopting { set(&adopting, name, new.isAdopting) }
    }

    private func need(_ facts: Facts, _ change: Int) {
        for provider in facts.homes {
            needs[provider, default: 0] += change
            if needs[provider] == 0 { needs[provider] = nil }
        }
    }

    private func set(_ names: inout Set<String>, _ name: String, _ isIn: Bool) {
        if isIn { names.insert(name) } else { names.remove(name) }
    }
}

extension VSCodeInstance {
    /// Whether it runs and answers.
    var isServing: Bool { status == .running && readiness.isReady }

    /// What it is; with how its run ended, else with the platform's own word where that is another:
    /// one that is stopped may be paused.
    var statusText: String {
        let word = metadata["state"].flatMap { $0 == status.rawValue ? nil : $0 }
        let more = status == .running ? nil : exit?.text ?? word
        return status.rawValue + (more.map { " (\($0))" } ?? "")
    }
    /// Whether an editor may be at work in it.
    var isUp: Bool { [.running, .starting, .updating].contains(status) }
}

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
            index.refresh(self)
        }
    }
    var frozen: [Diagnostic] = [] { didSet { index.refresh(self) } }
    var record: InstanceRecord? { didSet { index.refresh(self) } }
    /// The objects that bear the name, the oldest generation first.
    private(set) var observed: [Observed] = [] { didSet { index.refresh(self) } }
    /// What came of the last decision; nil while a decision is due.
    var outcome: Outcome? { didSet { index.refresh(self) } }

    /// The world's count of changes when pal last touched it: a list that began earlier is not
    /// believed.
    var touched = 0
    /// The providers that must be asked before the next decision.
    var mustLookAt: Set<String> = []
    /// Whether its plan waits for the provider to have a call to spare.
    var awaitsCall = false
    /// Not before this time: the backoff.
    var notBefore: Duration = .zero
    /// Why the last change was made, until it was seen to last.
    var madeBecause: [String]?
    /// How often in a row a call found that somebody else had been there first.
    var conflicts = 0
    /// How often it was looked at while it was not ready.
    var looks = 0
    /// Since when it is ready.
    var readySince: Duration?
    /// When a new generation that stands beside the old one must be ready.
    var successorDeadline: Duration?
    /// Whether somebody asked for a restart.
    var restarts = false
    /// Why an update turned out to need a replacement.
    var replaceBecause: String?
    /// Whether the last failure can only be mended by somebody.
    var isHopeless = false
    /// The end that was last counted as a crash.
    var countedExit: ExitReport?
    /// What the last attempt failed of.
    var lastFailure: String?
    /// The last problem that was told, so that a repetition is not told again.
    var toldProblem: String?
    private var cachedHash: SpecHash?

    init(_ name: String, _ index: WorldIndex) {
        self.name = name
        self.index = index
    }

    static let defaultHome = ProviderFactory.defaultType.rawValue

    /// The provider that has or shall have it.
    var home: String {
        if let declaration { return declaration.config.value.provider ?? Self.defaultHome }
        return observed.first?.provider ?? record?.provider ?? Self.defaultHome
    }

    /// The objects at a provider, the oldest generation first.
    func observed(at provider: String) -> [Shared<VSCodeInstance>] {
        observed.filter { $0.provider == provider }.map(\.instance)
    }

    /// Whether the editor answers, as far as was seen and told.
    var isReady: Bool { readySince != nil && instance?.value.isServing == true }

    /// The newest object at its provider.
    var instance: Shared<VSCodeInstance>? {
        let home = home
        return observed.last { $0.provider == home }?.instance
    }

    /// Takes in which objects a provider has.
    /// - Returns: Whether that is news.
    @discardableResult
    func take(_ instances: [VSCodeInstance], at provider: String) -> Bool {
        let before = observed(at: provider)
        let sorted = instances.count > 1 ? instances.sorted(by: Self.isOlder) : instances
        let isSame =
            before.count == sorted.count && zip(before, sorted).allSatisfy { $0.value == $1 }
        guard !isSame else { return false }
        var new = observed.filter { $0.provider != provider }
        new += sorted.map { Observed(provider: provider, instance: Shared($0)) }
        observed = new.sorted { $0.provider < $1.provider }
        return true
    }

    private static func isOlder(_ a: VSCodeInstance, than b: VSCodeInstance) -> Bool {
        (a.ownership.generation, a.providerInstanceId)
            < (b.ownership.generation, b.providerInstanceId)
    }

    /// The hash of what is declared; worked out once for each declaration.
    func wantedHash(_ capabilities: Capabilities) -> SpecHash? {
        guard let declaration else { return nil }
        if let cachedHash { return cachedHash }
        let hash = SpecHash(of: declaration.config.value, fields: capabilities.hashedFields)
        // Mostly it is what the object has, and one text is enough.
        let known = instance?.value.ownership.specHash
        cachedHash = known == hash ? known : hash
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
        var declaredHome: String?
        var recordedHome: String?
        var isPrunable = false
        var isUnsettled = false
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
        facts.recordedHome = key.record?.provider
        facts.isPrunable = isPrunable(key)
        facts.isUnsettled = key.outcome != .settled
        return facts
    }

    private func isPrunable(_ key: Key) -> Bool {
        guard key.declaration == nil, key.frozen.isEmpty, let record = key.record, let specsPath,
            record.declaredFrom == specsPath, record.lastTerms?.protect != true
        else { return false }
        // What was there when it was last seen counts before anybody was asked again.
        guard !key.observed.isEmpty else { return record.observed != nil }
        guard let newest = key.instance?.value else { return false }
        return !record.agrees(toDelete: newest)
            && record.issuedHashes.contains(newest.ownership.specHash)
    }

    private func replace(_ old: Facts, by new: Facts, _ name: String) {
        if old.declaredHome != new.declaredHome || old.recordedHome != new.recordedHome {
            need(old, -1)
            need(new, 1)
            neededProviders = needs.keys.filter { providers.contains($0) }.sorted()
        }
        if old.isPrunable != new.isPrunable { set(&prunable, name, new.isPrunable) }
        if old.isUnsettled != new.isUnsettled { set(&unsettled, name, new.isUnsettled) }
    }

    private func need(_ facts: Facts, _ change: Int) {
        for case let provider? in [facts.declaredHome, facts.recordedHome] {
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
    /// Whether an editor may be at work in it.
    var isUp: Bool { [.running, .starting, .updating].contains(status) }
}

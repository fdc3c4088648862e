public import FoundationEssentials
public import PalModel
internal import PalProvider

/// All that a decision on one name depends on.
public struct PlanInput: Sendable {
    /// The name that is decided on.
    public var name: String
    /// The provider that has or shall have it.
    public var provider = ProviderFactory.defaultType.rawValue
    /// What the specs say of it; nil where they hold no good declaration.
    public var declaration: Declaration?
    /// Why nothing may be done to this name, where that is so.
    public var frozen: [Diagnostic] = []
    /// The objects that bear the name at the provider that has or shall have it, the oldest
    /// generation first.
    public var observed: [Shared<VSCodeInstance>] = []
    /// The objects of this name that other providers have.
    public var elsewhere: [Observed] = []
    /// Whether `observed` is the whole truth. Nothing is created or deleted while it is not.
    public var isObserved = false
    /// Whether it does not show yet what was made there last.
    public var isBehind = false
    /// Why the provider cannot be reached, where that is so.
    public var providerProblem: String?
    /// What the ledger keeps of it; nil where pal never had it.
    public var record: Shared<InstanceRecord>?
    /// The rules of the provider that the declaration names; nil where there is none of that name.
    public var rules: RuleBook?
    /// The hash of what is declared, where the caller has it at hand; else it is worked out.
    public var wantedHash: SpecHash?
    /// The names of the providers that there are.
    public var providerNames: [String] = []
    /// The directory that declarations come from.
    public var specsPath: String
    /// Why nothing may be pruned now.
    public var pruneBlock: String?
    /// Whether the name is gone because its `replicas` became fewer.
    public var isScaledDown = false
    /// Whether somebody asked for a restart.
    public var restarts = false
    /// Why an update turned out to need a replacement.
    public var replaceBecause: String?
    /// Whether a new generation beside the old one had all its time to become ready.
    public var isSuccessorLate = false
    /// Whether a deletion that somebody else began had all its time to be over.
    public var isDeletionLate = false
    /// The date of the decision, for holds that end.
    public var now: Date

    /// An input about which nothing is known yet.
    public init(name: String, specsPath: String, now: Date) {
        self.name = name
        self.specsPath = specsPath
        self.now = now
    }
}

/// A declaration beside the rules that it is judged by: what most of the planner works on.
struct Wanted {
    let config: Shared<InstanceConfig>
    let book: RuleBook
    let hash: SpecHash
    /// The declaration's state, unless somebody holds it.
    let state: DesiredState

    var rules: any ProviderRules { book.rules }
    var capabilities: Capabilities { book.capabilities }

    init(
        _ input: borrowing PlanInput, _ config: Shared<InstanceConfig>, _ book: RuleBook
    ) {
        self.config = config
        self.book = book
        hash = input.wantedHash ?? book.capabilities.hash(of: config.value)
        let declared = config.state ?? .running
        let isHeld = input.record?.hold?.holds(at: input.now, state: config.state) == true
        state = declared == .running && isHeld ? .stopped : declared
    }
}

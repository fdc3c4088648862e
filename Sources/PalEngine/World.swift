internal import PalModel
internal import PalProvider

/// What the engine knows of one name.
struct Key {
    var declaration: Declaration?
    var record: InstanceRecord?
    /// The objects that bear the name, by provider.
    var observed: [String: [VSCodeInstance]] = [:]
    /// Counts the changes that pal made, so that a list that began before one is not believed.
    var changes = 0
    /// Whether the provider must be asked before the next decision.
    var mustLook = true
    /// Not before this time: the backoff.
    var notBefore: Duration = .zero
    /// How often it was looked at while it was not ready.
    var looks = 0
    /// Since when it is ready, by the clock.
    var readySince: Duration?
    var restarts = false
    /// What came of the last decision.
    var outcome: Outcome?
    /// The last message that an event was written of, so that a repetition is not written again.
    var lastProblem: String?
}

/// What came of one reconcile of a name.
enum Outcome: Equatable {
    /// As it should be, and ready where it should run.
    case settled
    /// On its way: it was changed or is not ready yet.
    case waiting(String)
    /// It failed and is tried again.
    case retrying(String)
    /// Nothing happens until somebody acts.
    case blocked(String)
}

/// What the engine knows of one provider.
struct ProviderState {
    let provider: any Provider
    var isInitialized = false
    /// Whether a complete list has been seen since the last failure.
    var isListed = false
    var problem: String?
    var failures = 0
    /// When it is to be listed again, whatever happens.
    var nextList: Duration = .zero
    /// Whether a list is under way.
    var isListing = false
    /// Names to look at before the next full list, and when.
    var looks: Set<String> = []
    var nextLook: Duration?
    /// Whether its event stream is open.
    var hasEvents = false
    var isWatched = false
    var listedAt: ProviderHealth?
    /// Calls under way.
    var calls = 0

    init(_ provider: any Provider) { self.provider = provider }
}

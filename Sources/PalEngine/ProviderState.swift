internal import DequeModule
internal import FoundationEssentials
internal import PalProvider

/// What the engine knows of one provider.
struct ProviderState {
    let provider: any Provider
    let capabilities: Capabilities
    var isInitialized = false
    /// Whether a complete list has been seen since the last failure.
    var isListed = false
    /// Why it cannot be reached; nil where it can, or was not asked yet.
    var problem: String?
    /// Attempts to reach it that failed, in a row.
    var failures = 0
    /// When everything is to be listed again, whatever is heard.
    var nextList: Duration = .zero
    var isListing = false
    /// Names to look at before that, and when.
    var looks: Set<String> = []
    var nextLook: Duration?
    /// Whether somebody listens to its events, and whether the stream is open.
    var isWatched = false
    var hasEvents = false
    var listedAt: Date?
    /// Counts the complete lists.
    var lists = 0
    /// Calls under way that change something.
    var calls = 0
    /// Names whose plans wait for a call to spare, the longest waiting first.
    var waiting: Deque<String> = []

    init(_ provider: any Provider) {
        self.provider = provider
        capabilities = provider.getCapabilities()
    }

    /// When it is to be asked again. Before it was listed there is nothing to look at.
    var nextTime: Duration {
        guard isListed, let nextLook else { return nextList }
        return min(nextList, nextLook)
    }

    /// Whether another call may be begun.
    var hasCallToSpare: Bool { calls < capabilities.maximumConcurrentCalls }

    /// Asks for a look at a name at a time.
    mutating func look(at name: String, at time: Duration) {
        looks.insert(name)
        nextLook = min(time, nextLook ?? time)
    }
}

internal import DequeModule
internal import FoundationEssentials
internal import PalModel
internal import PalProvider

/// What the engine knows of one provider.
final class ProviderState {
    let provider: any Provider
    let rules: RuleBook
    var isInitialized = false
    /// Whether a complete list has been seen since the last failure.
    var isListed = false
    /// Why it cannot be reached; nil where it can, or was not asked yet.
    var problem: String?
    /// Attempts to reach it that failed, in a row.
    var failures = 0
    /// Whether it answers, and will soon list what this ledger never saw: nothing is made elsewhere
    /// for the first time before that.
    var isAwaited = false
    /// When everything is to be listed again, whatever is heard.
    var nextList: Duration = .zero
    var isListing = false
    /// Until when it is left alone: it had too many calls, and said so.
    private(set) var pausedUntil: Duration = .zero
    /// Names to look at before that, and when.
    var looks: Set<String> = []
    var nextLook: Duration?
    /// Whether somebody listens to its events, and whether the stream is open.
    var isWatched = false
    var hasEvents = false
    /// When it was last listed completely to this ledger; nil for never.
    var listedAt: Date?
    /// Counts the complete lists.
    var lists = 0
    /// Whether it is to be asked for what is newer, and whether it is being asked.
    var isFollowDue = false
    var isFollowing = false
    /// Calls under way that change something.
    var calls = 0
    /// Names whose plans wait for a call to spare, the longest waiting first.
    var waiting: Deque<String> = []

    init(_ provider: any Provider, listedAt: Date? = nil) {
        self.provider = provider
        self.listedAt = listedAt
        rules = RuleBook(provider)
    }

    /// What it can do.
    var capabilities: Capabilities { rules.capabilities }

    /// When it is to be asked again. Before it was listed there is nothing to look at.
    var nextTime: Duration {
        guard isListed, let nextLook else { return max(nextList, pausedUntil) }
        return max(min(nextList, nextLook), pausedUntil)
    }

    /// The longest pause that is kept because a platform asked for it.
    private static let longestPause = 3600.0

    /// Keeps the pause that a refusal asks for.
    func heed(_ failure: ProviderFailure, at now: Duration) {
        guard let error = failure.error, error.kind == .provider, error.code == .rateLimited,
            let seconds = error.retryAfter, seconds > 0
        else { return }
        pausedUntil = max(pausedUntil, now + .seconds(min(seconds, Self.longestPause)))
    }

    /// Notes that it could not be asked.
    /// - Parameter most: How many failures in a row are waited out where another attempt may help.
    func fail(_ message: String, isPassing: Bool, most: Int) {
        problem = message
        isListed = false
        isInitialized = false
        failures += 1
        isAwaited = isPassing && listedAt == nil && failures < most
    }

    /// Whether another call may be begun.
    var hasCallToSpare: Bool { calls < capabilities.maximumConcurrentCalls }

    /// How long a look waits for the calls under way, since one list answers for all that end
    /// meanwhile, and costs a platform as much for one as for many. Where nothing is under way
    /// nobody is waited for.
    /// - Parameter delay: The wait for one call.
    func gathering(_ delay: Duration) -> Duration { delay * min(calls, Self.mostGathered) }

    /// However much is under way, what happened is not left unseen for longer than for so many.
    private static let mostGathered = 8

    /// Asks for a look at a name at a time.
    func look(at name: String, at time: Duration) {
        looks.insert(name)
        nextLook = min(time, nextLook ?? time)
    }

    /// Takes the wishes for looks back: a list that is begun now answers them.
    /// - Returns: The names that somebody wanted to look at.
    @discardableResult
    func takeLooks() -> Set<String> {
        defer { (looks, nextLook) = ([], nil) }
        return looks
    }
}

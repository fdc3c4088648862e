/// The rules that the operator sets for a swarm.
public struct Policy: Sendable, Hashable {
    /// More deletions at once than this, and more than `prunePercent`, wait for consent.
    public var pruneCount = 5
    /// In percent of the names that are declared, go or went just now.
    public var prunePercent = 25
    /// Deletions within this time count as "at once".
    public var pruneWindow: Duration = .seconds(60)
    /// How often a provider is listed though nothing was heard of it.
    public var resync: Duration = .seconds(60)
    /// The wait between failures of an instance.
    public var retry = Backoff(first: .seconds(1), limit: .seconds(300))
    /// The wait between attempts to reach a provider.
    public var reconnect = Backoff(first: .milliseconds(500), limit: .seconds(15))
    /// The wait between looks at an instance that is not ready yet.
    public var readiness = Backoff(first: .milliseconds(150), limit: .seconds(5))
    /// Failures in a row, of the instance's or the spec's own making, after which it is `Stalled`.
    public var stallAfter = 12
    /// How long a new generation beside the old one may take to become ready before it is given
    /// up and the old one goes on.
    public var progressDeadline: Duration = .seconds(600)
    /// How long a deletion that somebody else began may take before it is taken for broken off.
    public var deletionGrace: Duration = .seconds(10)
    /// Decisions between two looks at requests and news.
    public var decisionsPerTurn = 1000
    /// Names that are worked on at once.
    public var maximumParallel = 64
    /// How long a look waits after an event, and for each call under way, so that one list answers
    /// for many.
    public var eventDelay: Duration = .milliseconds(30)
    /// How long after a creation without an answer its effect may still show.
    public var landing: Duration = .seconds(120)
    /// How long after a creation was answered a list may not show it yet.
    public var listLag: Duration = .seconds(20)
    /// Failures in a row of a provider that answers, and never listed anything to this ledger, for
    /// which the first creation of a name elsewhere waits.
    public var firstLists = 8
    /// The wait before what the ledger did not take is written again.
    public var ledgerRetry: Duration = .seconds(1)
    /// How often the ledger is told of the swarm's state where only times have changed.
    public var statePause: Duration = .seconds(1)
    /// How often the ledger is told of more of the same progress.
    public var progressPause: Duration = .seconds(1)
    /// How long calls in flight may take at a shutdown.
    public var shutdownGrace: Duration = .seconds(6)
    /// An instance that was ready for so long has no failures in a row any more.
    public var settledAfter: Duration = .seconds(60)

    /// The rules where pal.yaml says nothing.
    public init() {}
}

internal import PalModel

/// What pal lately tried for one name, and what came of it.
struct Attempts: Sendable, Hashable {
    /// Whether its plan waits for the provider to have a call to spare.
    var awaitsCall = false
    /// Not before this time: the backoff.
    var notBefore: Duration = .zero
    /// Why the last change was made, until it was seen to last.
    var madeBecause: [String]?
    /// Failures in a row that were not the spec's: the platform's, the ledger's, somebody else's
    /// who had been there first.
    var otherFailures = 0
    /// When it was last changed: for a while after that a list may be behind.
    var changedAt: Duration?
    /// How often it was looked at while it was not ready.
    var looks = 0
    /// Since when it is not ready, and whether it was said that this is too long.
    var unreadySince: Duration?
    var isToldLate = false
    /// Whether it was started, and did not answer since.
    var awaitsReady = false
    /// When a new generation that stands beside the old one must be ready.
    var successorDeadline: Duration?
    /// When a deletion that somebody else began must be over.
    var deletionDeadline: Duration?
    /// Whether somebody asked for a restart.
    var restarts = false
    /// Why an update turned out to need a replacement.
    var replaceBecause: String?
    /// Whether the last failure can only be mended by somebody.
    var isHopeless = false
    /// The end that was last counted as a crash.
    var countedExit: ExitReport?
    /// When its progress was last saved.
    var progressSaved: Duration?
    /// Why it was not learned whether there is something newer to be made from.
    var followProblem: String?
    /// What the last attempt failed of.
    var lastFailure: String?
    /// The last problem that was told, so that a repetition is not told again.
    var toldProblem: String?
}

/// A deliberately broken engine: proof that a checker can fail.
///
/// Each is broken where the engine meets the rest, so that the engine itself need not be built
/// anew: by a decorated ledger, provider, source or policy.
public enum Mutant: String, CaseIterable, Sendable {
    /// The intent is written when the call has returned.
    case intentAfterEffect
    /// A list that broke off is taken for a whole one.
    case believesPartialLists
    /// What others put there is taken for its own.
    case noOwnershipCheck
    /// Any number of instances may be deleted at once.
    case noPruneBudget
    /// The pause after failures doubles for ever.
    case backoffWithoutCap
    /// What a broken file or a missing directory does not say is gone.
    case believesBrokenFiles
    /// A generated password stands in the record.
    case writesSecrets
    /// Deletions are sent twice at once.
    case twoCallsAtOnce
    /// A deletion takes the storage along.
    case deletesStorage
    /// A creation that finds its name taken goes on under another one.
    case createsAgain
    /// Nothing is looked at unless an event tells.
    case noResync
    /// A value is read back as another one.
    case neverSatisfied
    /// Intents are never closed.
    case leavesIntentsOpen

    /// The fault that brings it to light, where one is needed; the others are drawn as usual.
    var faults: Set<Fault> {
        switch self {
        case .believesPartialLists: [.partialList, .failedPage]
        case .noOwnershipCheck: [.unknownHashObject, .foreignDelete]
        case .noPruneBudget: [.massRemoval]
        case .backoffWithoutCap: [.unlabelledObject]
        case .believesBrokenFiles: [.brokenFile, .missingDirectory, .unreadableDirectory]
        case .createsAgain: [.duplicateDelivery, .errorAfterEffect, .staleList]
        case .noResync: [.foreignStop, .lostEvent, .lostFileEvent]
        default: []
        }
    }
}

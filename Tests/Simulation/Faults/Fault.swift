/// What can go wrong in a run. Each can be switched by its name.
public enum Fault: String, CaseIterable, Sendable {
    // A call.
    case serverError, rateLimit, notFound, conflict, precondition
    case errorAfterEffect, timeOut, duplicateDelivery, slowCall, stuckCall
    case surpriseReplacement, missingImage

    // A list.
    case staleList, partialList, failedPage

    // Events.
    case lostEvent, lateEvent, reorderedEvent, doubledEvent, brokenStream

    // The platform.
    case providerRestart, rateWindow, crashingInstance, slowStart, stuckProvisioning, idReuse

    // Others, at the platform.
    case foreignEdit, foreignStop, foreignDelete
    case unlabelledObject, otherSwarmObject, unknownHashObject

    // Files.
    case tornFile, brokenFile, duplicateName, movedFile, symlinkSwap, lostFileEvent
    case missingDirectory, emptyDirectory, unreadableDirectory, unreadableFile, massRemoval

    // The machine.
    case clockJump, diskFull, readOnlyLedger

    // The controller.
    case crash, zombieCall, lostLedger, shutdown, secondController

    // What came later; a fault draws from the seed in its place here.
    case halfCreation, serverDefaults, unreadableLedger, engineRestart
    case missingSecret

    /// How likely it is at one opportunity; for what happens by itself, its weight among the rest.
    var likelihood: Double {
        switch self {
        case .serverError, .errorAfterEffect, .duplicateDelivery, .slowCall, .failedPage: 0.1
        case .rateLimit, .notFound, .conflict, .precondition, .timeOut, .partialList: 0.05
        case .stuckCall, .missingImage: 0.03
        case .surpriseReplacement, .staleList: 0.15
        case .lostEvent, .lateEvent, .reorderedEvent, .doubledEvent, .lostFileEvent: 0.2
        case .slowStart, .crashingInstance: 0.1
        case .stuckProvisioning: 0.05
        case .idReuse, .zombieCall, .serverDefaults: 0.5
        case .halfCreation, .missingSecret: 0.1
        case .lostLedger: 0.4
        case .crash: 3
        default: 1
        }
    }
}

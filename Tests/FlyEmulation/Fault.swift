import Synchronization

/// What a call does, as faults and the list of calls name it.
public enum Action: String, Sendable, Hashable, CaseIterable {
    /// Apps.
    case createApp, getApp
    /// Machines.
    case createMachine, listMachines, getMachine, updateMachine, startMachine, stopMachine
    /// More of machines.
    case suspendMachine, deleteMachine, wait, exec, lease, metadata
    /// Volumes.
    case createVolume, listVolumes, getVolume, extendVolume, deleteVolume
    /// Addresses, and what machines say and did.
    case listIPs, assignIP, logs, events
}

/// Something that goes wrong at a later call.
public enum Fault: Sendable, Hashable {
    /// It is done, and the answer is 500.
    case effectThen500(Action)
    /// It is done, and the answer is 408.
    case timeoutAfterEffect(Action)
    /// Nothing is done, and the answer is of this status.
    case serverErrorBefore(Action, Int)
    /// It is done, and the connection ends without an answer.
    case dropAnswer(Action)
    /// Nothing is done, and the answer is 429 though there were few calls.
    case tooMany(Action, retryAfter: Int?)
    /// The next list of machines shows how they were before the last call that changed any.
    case staleList
    /// 422 on create.
    case insufficientCapacity
    /// 409 on update.
    case insufficientMemoryOnHost
    /// 503 on update or start.
    case maintenance
    /// 412 on the creation of a machine with a volume.
    case volumeStillClaimed
    /// 400 on the creation of a machine with a volume that is there.
    case volumeNotFoundYet
    /// 409 on update.
    case concurrentUpdate
    /// The next machine created starts only after more than a minute.
    case slowBoot
    /// The next machine deleted reads `destroyed` for a while before it is 404.
    case destroyedLingers
    /// A list or a get shows this state for the newest machine.
    case unknownState(String)
}

/// The faults that are armed.
final class Faults: Sendable {
    private let armed = Mutex<[(fault: Fault, left: Int)]>([])

    func arm(_ fault: Fault, times: Int) {
        guard times > 0 else { return }
        armed.withLock { $0.append((fault, times)) }
    }

    var left: [Fault] { armed.withLock { $0.map(\.fault) } }

    func clear() { armed.withLock { $0 = [] } }

    /// Uses up the first that fits.
    func take(where fits: (Fault) -> Bool) -> Fault? {
        armed.withLock { armed in
            guard let index = armed.firstIndex(where: { fits($0.fault) }) else { return nil }
            let fault = armed[index].fault
            armed[index].left -= 1
            if armed[index].left == 0 { armed.remove(at: index) }
            return fault
        }
    }

    /// Uses up this one.
    func take(_ fault: Fault) -> Bool { take { $0 == fault } != nil }

    /// Uses up one that keeps a call from being done.
    func takeBefore(_ action: Action) -> Answer? {
        let fault = take {
            switch $0 {
            case .serverErrorBefore(action, _), .tooMany(action, _): true
            default: false
            }
        }
        switch fault {
        case .serverErrorBefore(_, let status):
            return Answer.error(status, "internal: no effect")
        case .tooMany(_, let seconds): return Answer.tooMany(retryAfter: seconds)
        default: return nil
        }
    }

    /// Uses up one that spoils the answer to a call that was done.
    func takeAfter(_ action: Action) -> Answer? {
        let fault = take {
            switch $0 {
            case .effectThen500(action), .timeoutAfterEffect(action), .dropAnswer(action): true
            default: false
            }
        }
        switch fault {
        case .effectThen500: return Answer.error(500, "internal: answer lost")
        case .timeoutAfterEffect:
            return Answer.error(408, "deadline_exceeded: context deadline exceeded")
        case .dropAnswer: return Answer(status: 0)
        default: return nil
        }
    }
}

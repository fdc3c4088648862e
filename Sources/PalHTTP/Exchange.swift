import Synchronization

/// Where one transfer, which runs on the curl thread, and the task that waits for it meet.
///
/// The thread puts the head, the bytes and at last the outcome in; only the thread ends an
/// exchange. One task at a time waits and takes out. Whoever takes the waiter out of the state,
/// under its lock, resumes it: so that happens exactly once.
final class Exchange: Sendable {
    /// What happens to bytes for which there is no room.
    enum Overflow: Sendable {
        /// The answer is kept whole; one that is larger is an error.
        case fail(beyond: Int)
        /// The answer is taken out in pieces; the transfer pauses until some were taken.
        case pause(beyond: Int)
    }

    /// What a task waits for. The outcome ends every wait.
    enum Milestone {
        case head, bytes, outcome
    }

    /// What became of bytes that were put in. Paused ones were not taken.
    enum Verdict {
        case taken, paused, tooLarge
    }

    private struct State {
        var head: ResponseHead?
        var bytes: [UInt8] = []
        var outcome: Result<Void, HTTPError>?
        var isPaused = false
        var waiter: (milestone: Milestone, continuation: CheckedContinuation<Bool, Never>)?

        func hasReached(_ milestone: Milestone) -> Bool {
            if outcome != nil { return true }
            return switch milestone {
            case .head: head != nil
            case .bytes: !bytes.isEmpty
            case .outcome: false
            }
        }

        mutating func takeReadyWaiter() -> CheckedContinuation<Bool, Never>? {
            guard let waiter, hasReached(waiter.milestone) else { return nil }
            self.waiter = nil
            return waiter.continuation
        }
    }

    let endpoint: Endpoint
    let overflow: Overflow
    let tls: TLSFiles?
    private let mailbox: Mailbox
    private let state = Mutex(State())

    init(endpoint: Endpoint, overflow: Overflow, tls: TLSFiles?, mailbox: Mailbox) {
        self.endpoint = endpoint
        self.tls = tls
        self.overflow = overflow
        self.mailbox = mailbox
    }

    /// Whether this is a stream: it may be endless, and never counts as an ordinary request.
    var isStream: Bool {
        if case .pause = overflow { true } else { false }
    }
}

// MARK: The thread's side

extension Exchange {
    func receive(_ head: ResponseHead) {
        let ready = state.withLock { state in
            state.head = head
            return state.takeReadyWaiter()
        }
        ready?.resume(returning: true)
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        let (verdict, ready) = state.withLock { state in
            let size = state.bytes.count + bytes.count
            switch overflow {
            case .fail(let limit) where size > limit:
                return (Verdict.tooLarge, nil as CheckedContinuation<Bool, Never>?)
            case .pause(let limit) where size > limit && !state.bytes.isEmpty:
                state.isPaused = true
                return (.paused, nil)
            default:
                state.bytes.append(contentsOf: bytes)
                return (.taken, state.takeReadyWaiter())
            }
        }
        ready?.resume(returning: true)
        return verdict
    }

    /// Ends the exchange. Only the first outcome counts.
    func finish(_ outcome: Result<Void, HTTPError>) {
        let ready = state.withLock { state in
            state.outcome = state.outcome ?? outcome
            return state.takeReadyWaiter()
        }
        ready?.resume(returning: true)
    }
}

// MARK: The task's side

extension Exchange {
    /// Asks the thread to end the transfer and to close its connection. Does not wait.
    func cancel() {
        guard state.withLock({ $0.outcome == nil }) else { return }
        mailbox.post(.cancel(self))
    }

    /// Waits for the whole answer.
    func response() async throws(HTTPError) -> HTTPResponse {
        try await wait(for: .outcome)
        let (head, bytes) = try result { state in (state.head, state.bytes) }
        return HTTPResponse(
            status: head?.status ?? 0, headers: head?.headers ?? HTTPHeaders(), body: bytes)
    }

    /// Waits for the status and the headers.
    func head() async throws(HTTPError) -> ResponseHead {
        try await wait(for: .head)
        if let head = state.withLock({ $0.head }) { return head }
        return try result { $0.head } ?? ResponseHead()
    }

    /// Waits for bytes and takes all there are; nil at the end.
    func nextBytes() async throws(HTTPError) -> [UInt8]? {
        guard !Task.isCancelled else {
            cancel()
            throw HTTPError.cancelled(endpoint, sent: true)
        }
        while true {
            try await wait(for: .bytes)
            let (bytes, wasPaused, outcome) = state.withLock { state in
                let taken = (state.bytes, state.isPaused, state.outcome)
                state.bytes = []
                state.isPaused = false
                return taken
            }
            if wasPaused { mailbox.post(.resume(self)) }
            if !bytes.isEmpty { return bytes }
            // Neither bytes nor an outcome: another reader was quicker.
            guard let outcome else { continue }
            try outcome.get()
            return nil
        }
    }

    /// What `read` finds in an exchange that ended well, or the error with which it ended.
    private func result<Value: Sendable>(
        _ read: @Sendable (State) -> Value
    ) throws(HTTPError) -> Value {
        let (outcome, value) = state.withLock { ($0.outcome, read($0)) }
        try outcome?.get()
        return value
    }

    /// Waits for a milestone. Cancelling the task ends the transfer, and that ends the wait.
    private func wait(for milestone: Milestone) async throws(HTTPError) {
        let isAlone = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.hasReached(milestone) { return true }
                    guard state.waiter == nil else { return false }
                    state.waiter = (milestone, continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            cancel()
        }
        guard isAlone else { throw .invalid("two tasks read one stream of \(endpoint).") }
    }
}

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A connection over which bytes go both ways, on a thread of its own.
///
/// One task reads and one writes, at the same time if they like. What is held of either way is
/// bounded: beyond 256 KiB that nobody read the other side has to wait, and a writer waits until
/// most of what it wrote has gone. Cancelling a task that reads or writes ends the connection.
final class RawConnection: Sendable {
    /// What is held of each way, in bytes, before somebody has to wait.
    static let bound = 256 << 10

    /// What a task waits for.
    enum Side: Hashable {
        case opening, reading, writing
    }

    /// What the thread has to do.
    struct Turn {
        var outgoing: [UInt8]
        var hasRoom: Bool
        var finishes: Bool
        var isOver: Bool
        /// When it is given up; nil for never.
        var deadline: ContinuousClock.Instant?
    }

    private struct State {
        var isOpen = false
        var incoming: [UInt8] = []
        var outgoing: [UInt8] = []
        /// Bytes that the thread has taken and not sent yet.
        var underWay = 0
        var finishes = false
        var deadline: ContinuousClock.Instant?
        var outcome: Result<Void, HTTPError>?
        var waiters: [Side: CheckedContinuation<Void, Never>] = [:]
        /// The end of a pipe on whose other end the thread sleeps.
        var bell: Int32?

        func isReached(_ side: Side) -> Bool {
            if outcome != nil { return true }
            return switch side {
            case .opening: isOpen
            case .reading: !incoming.isEmpty
            case .writing: outgoing.count + underWay < RawConnection.bound
            }
        }

        mutating func takeReady() -> [CheckedContinuation<Void, Never>] {
            let ready = waiters.keys.filter(isReached)
            return ready.compactMap { waiters.removeValue(forKey: $0) }
        }

        func ring() {
            if let bell { wake(bell) }
        }
    }

    let endpoint: Endpoint
    private let state = Mutex(State())

    init(endpoint: Endpoint) { self.endpoint = endpoint }

    // MARK: The task's side

    /// Waits until the connection is made.
    func opened() async throws(HTTPError) {
        try await wait(for: .opening)
        try state.withLock { $0.outcome }?.get()
    }

    /// All that came, never empty; nil at the end.
    func read() async throws(HTTPError) -> [UInt8]? {
        while true {
            try await wait(for: .reading)
            let (bytes, outcome) = state.withLock { state in
                let taken = (state.incoming, state.outcome)
                if state.incoming.count >= Self.bound { state.ring() }
                state.incoming = []
                return taken
            }
            if !bytes.isEmpty { return bytes }
            guard let outcome else { continue }
            try outcome.get()
            return nil
        }
    }

    /// Hands bytes over, and returns when there is room for more.
    func write(_ bytes: [UInt8]) async throws(HTTPError) {
        try await wait(for: .writing)
        let outcome = state.withLock { state in
            if state.outcome == nil {
                state.outgoing += bytes
                state.ring()
            }
            return state.outcome
        }
        try outcome?.get()
        if outcome != nil {
            throw HTTPError(
                .broken(sent: true), message: "\(endpoint) has closed the connection.")
        }
        try await wait(for: .writing)
    }

    /// Tells the other side, after all that was written, that nothing more comes.
    func finishWriting() {
        state.withLock { state in
            state.finishes = true
            state.ring()
        }
    }

    /// Gives the connection up after so long; nil for never.
    func setLimit(_ limit: Duration?) {
        state.withLock { state in
            state.deadline = limit.map { .now + $0 }
            state.ring()
        }
    }

    /// Ends the connection; who waits or calls later gets the error, unless it had an end before.
    func end(_ error: HTTPError) { finish(.failure(error)) }

    private func wait(for side: Side) async throws(HTTPError) {
        let isAlone = await withTaskCancellationHandler {
            let isAlone = Mutex(true)
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    if state.isReached(side) { return false }
                    if state.waiters[side] != nil {
                        isAlone.withLock { $0 = false }
                        return false
                    }
                    state.waiters[side] = continuation
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
            return isAlone.withLock { $0 }
        } onCancel: {
            end(.cancelled(endpoint, sent: true))
        }
        guard isAlone else { throw .invalid("two tasks use one end of \(endpoint).") }
    }

    // MARK: The thread's side

    /// Names what wakes the thread. Nil before it goes away.
    func setBell(_ descriptor: Int32?) { state.withLock { $0.bell = descriptor } }

    func open() { change { $0.isOpen = true } }

    func receive(_ bytes: UnsafeRawBufferPointer) {
        change { $0.incoming.append(contentsOf: bytes) }
    }

    /// Ends it. Only the first outcome counts.
    func finish(_ outcome: Result<Void, HTTPError>) {
        change { state in
            state.outcome = state.outcome ?? outcome
            state.ring()
        }
    }

    /// Says that so many bytes of what was taken went out.
    func sent(_ count: Int) { change { $0.underWay -= count } }

    /// Takes what there is to do.
    func takeTurn() -> Turn {
        state.withLock { state in
            let outgoing = state.outgoing
            state.outgoing = []
            state.underWay += outgoing.count
            return Turn(
                outgoing: outgoing, hasRoom: state.incoming.count < Self.bound,
                finishes: state.finishes, isOver: state.outcome != nil,
                deadline: state.deadline)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let ready = state.withLock { state in
            body(&state)
            return state.takeReady()
        }
        for continuation in ready { continuation.resume() }
    }
}

/// Writes a byte into a pipe; one that is full wakes its reader as well.
private func wake(_ descriptor: Int32) {
    var byte: UInt8 = 1
    _ = write(descriptor, &byte, 1)
}

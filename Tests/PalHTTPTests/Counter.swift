import Synchronization

/// Counts, from any thread.
final class Counter: Sendable {
    private let state = Mutex((now: 0, most: 0))

    /// One more; the new value.
    @discardableResult
    func next() -> Int { add(1) }

    @discardableResult
    func add(_ amount: Int) -> Int {
        state.withLock { state in
            state.now += amount
            state.most = max(state.most, state.now)
            return state.now
        }
    }

    var value: Int { state.withLock { $0.now } }
    /// The highest value there ever was.
    var most: Int { state.withLock { $0.most } }
}

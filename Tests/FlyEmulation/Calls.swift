import Synchronization

/// A call that came in.
public struct Call: Sendable, Hashable {
    /// Such as `POST`.
    public var method: String
    /// Without query.
    public var path: String
    /// As it came, without the question mark; empty where there was none.
    public var query: String
    /// Zero while there is no answer, and where the connection ended without one.
    public var status: Int
    /// Since the emulation was made, on its clock.
    public var at: Duration
    /// What it does; `nil` for a call that no fault concerns.
    public var action: Action?
}

/// The calls so far, in the order they came.
final class Calls: Sendable {
    private struct State {
        var calls: [Call] = []
        /// How many were taken, so that a late answer finds its call.
        var taken = 0
    }
    private let state = Mutex(State())

    var all: [Call] { state.withLock { $0.calls } }

    func begin(_ call: Call) -> Int {
        state.withLock { state in
            state.calls.append(call)
            return state.taken + state.calls.count - 1
        }
    }

    func end(_ number: Int, status: Int) {
        state.withLock { state in
            guard number >= state.taken else { return }
            state.calls[number - state.taken].status = status
        }
    }

    func take() -> [Call] {
        state.withLock { state in
            state.taken += state.calls.count
            defer { state.calls = [] }
            return state.calls
        }
    }
}

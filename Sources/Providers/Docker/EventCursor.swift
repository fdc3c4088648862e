import Synchronization

/// How far the Engine's events were heard, so that a new stream goes on from there: without a gap,
/// as far as the Engine remembers, and without hearing one twice.
final class EventCursor: Sendable {
    private struct State {
        /// Of the last event, in nanoseconds since 1970 by the Engine's clock, which may be set
        /// back.
        var last: Int?
        var heard: Set<EngineEvent> = []
        /// The same, oldest first.
        var order: [EngineEvent] = []
    }

    private let state = Mutex(State())

    /// As many as an Engine can say again.
    private static let memory = 256

    /// The stream's parameter `since`: events of that very time come again. Nil where nothing was
    /// heard yet.
    var since: String? {
        state.withLock(\.last).map { last in
            let fraction = String(last % 1_000_000_000)
            let zeros = String(repeating: "0", count: max(0, 9 - fraction.utf8.count))
            return "\(last / 1_000_000_000).\(zeros)\(fraction)"
        }
    }

    /// Whether an event was not heard before. Notes it.
    func isNew(_ event: EngineEvent) -> Bool {
        guard let at = event.nanoseconds, at > 0 else { return true }
        return state.withLock { state in
            guard state.heard.insert(event).inserted else { return false }
            state.last = at
            state.order.append(event)
            if state.order.count > Self.memory { state.heard.remove(state.order.removeFirst()) }
            return true
        }
    }
}

import PalProvider

/// Who listens to a platform's events, and what becomes of the events on the way.
final class EventStreams: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<ProviderEvent>.Continuation] = [:]
        var count = 0
        var random: SeededRandom
    }

    private let state: Confined<State>
    private let clock: VirtualClock
    private let faults: FaultPlan

    init(_ clock: VirtualClock, _ faults: FaultPlan, _ random: SeededRandom) {
        self.clock = clock
        self.faults = faults
        state = Confined(State(random: random))
    }

    /// Opens a stream. It ends when it breaks.
    func open() -> (id: Int, events: AsyncStream<ProviderEvent>) {
        let (events, continuation) = AsyncStream.makeStream(of: ProviderEvent.self)
        state.value.count += 1
        state.value.listeners[state.value.count] = continuation
        return (state.value.count, events)
    }

    func close(_ id: Int) { state.value.listeners.removeValue(forKey: id)?.finish() }

    /// Ends every stream.
    func breakAll() {
        for id in state.value.listeners.keys.sorted() { close(id) }
    }

    /// Sends an event on its way.
    func send(_ event: ProviderEvent) {
        guard !state.value.listeners.isEmpty, !faults.strikes(.lostEvent) else { return }
        // In order as a rule: every event takes equally long.
        var delay = Duration.milliseconds(3)
        if faults.strikes(.reorderedEvent) { delay = faults.time(.reorderedEvent, 0...200) }
        if faults.strikes(.lateEvent) { delay = faults.time(.lateEvent, 1000...20_000) }
        deliver(event, after: delay)
        if faults.strikes(.doubledEvent) {
            deliver(event, after: delay + faults.time(.doubledEvent, 0...500))
        }
    }

    private func deliver(_ event: ProviderEvent, after delay: Duration) {
        let ids = state.value.listeners.keys.sorted()
        clock.after(delay) { [self] in
            for id in ids { _ = state.value.listeners[id]?.yield(event) }
        }
    }
}

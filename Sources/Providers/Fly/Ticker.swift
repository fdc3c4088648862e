/// Time as the provider sees it, from any clock.
struct Ticker: Sendable {
    /// Time since the provider was made; never jumps.
    let elapsed: @Sendable () -> Duration
    /// Waits; throws only when the task is cancelled.
    let sleep: @Sendable (Duration) async throws -> Void

    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
    }
}

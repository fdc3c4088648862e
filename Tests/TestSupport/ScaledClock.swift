/// A clock that goes faster than everybody's.
public struct ScaledClock: Clock {
    /// Time since the clock was made.
    public struct Instant: InstantProtocol {
        /// How long.
        public var offset: Duration
        /// A later one.
        public func advanced(by duration: Duration) -> Instant {
            Instant(offset: offset + duration)
        }
        /// How long until another one.
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        /// Whether it is the earlier one.
        public static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private let factor: Int
    private let start = ContinuousClock.now

    /// - Parameter factor: How many times faster.
    public init(factor: Int) { self.factor = factor }

    /// The time now.
    public var now: Instant { Instant(offset: start.duration(to: .now) * factor) }
    /// As exact as can be.
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// Waits; throws only when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await ContinuousClock().sleep(until: start + deadline.offset / factor)
    }
}

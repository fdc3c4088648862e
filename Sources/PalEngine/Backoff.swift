/// How long to wait after failures in a row: doubling, capped, with jitter, for ever.
public struct Backoff: Sendable, Hashable {
    /// The wait after the first failure.
    public var first: Duration
    /// The longest wait.
    public var limit: Duration

    /// Makes one of its parts.
    public init(first: Duration, limit: Duration) {
        self.first = first
        self.limit = limit
    }

    /// The wait after so many failures: between half of the doubled time and the whole of it.
    public func delay(after failures: Int, _ random: any RandomSource) -> Duration {
        guard failures > 0 else { return .zero }
        let whole = min(first * (1 << min(failures - 1, 30)), limit)
        let share = Double(random.next() % 1024) / 1024
        return whole / 2 + whole / 2 * share
    }
}

public import FoundationEssentials

/// Time as the engine sees it: everything that waits, waits on this.
public protocol EngineClock: Sendable {
    /// Time since a fixed moment; never jumps.
    func elapsed() -> Duration
    /// The date, for people and for records.
    func date() -> Date
    /// Waits; throws only when the task is cancelled.
    func sleep(for duration: Duration) async throws
}

/// The machine's own clock.
public struct SystemClock: EngineClock {
    private let start = ContinuousClock.now

    /// A clock whose elapsed time starts now.
    public init() {}
    /// Time since the clock was made; goes on while the machine sleeps.
    public func elapsed() -> Duration { ContinuousClock.now - start }
    /// The machine's date.
    public func date() -> Date { Date() }
    /// Waits in real time; throws only when the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        try await ContinuousClock().sleep(for: duration)
    }
}

/// Where randomness comes from: jitter and new ids. A simulation seeds it.
public protocol RandomSource: Sendable {
    /// A uniformly random number.
    func next() -> UInt64
}

/// The system's randomness.
public struct SystemRandom: RandomSource {
    /// There is nothing to set.
    public init() {}
    /// A number from the system's generator.
    public func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}

extension RandomSource {
    /// A new id: 16 letters and digits, so that a clash is not to be expected in a swarm's life.
    func newID() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        var text = String(alphabet[Int(next() % 26)])
        while text.count < 16 { text.append(alphabet[Int(next() % 36)]) }
        return text
    }
}

/// The same numbers for the same seed (SplitMix64): a failure is reproduced by its seed.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator of its own for each seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension SeededGenerator {
    /// True once in so many times.
    public mutating func isOnce(in times: Int) -> Bool {
        Int.random(in: 0..<times, using: &self) == 0
    }

    /// One of these, each as likely as another.
    public mutating func one<T>(of choices: T...) -> T {
        choices[Int.random(in: choices.indices, using: &self)]
    }

    /// A number of this range.
    public mutating func number(_ range: ClosedRange<Int>) -> Int {
        .random(in: range, using: &self)
    }
}

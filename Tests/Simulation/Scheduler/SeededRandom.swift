import PalEngine

/// Random numbers from a seed (SplitMix64): the same ones on every machine.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A stream of its own: what one part of a run draws shifts nothing in another.
    init(seed: UInt64, for purpose: String) {
        var hash = RunningHash()
        hash.add(purpose)
        var mixer = SeededRandom(seed: seed ^ hash.value)
        state = mixer.next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True with a probability from 0 to 1.
    mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) / Double(1 << 53) < probability
    }

    /// An integer of a range.
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// A time span of a range in milliseconds.
    mutating func time(_ milliseconds: ClosedRange<Int>) -> Duration {
        .milliseconds(number(milliseconds))
    }

    /// One of the elements; nil where there is none.
    mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[number(0...elements.count - 1)]
    }

    /// One of the elements, or what is given where there is none.
    mutating func pick<Element>(_ elements: [Element], or fallback: Element) -> Element {
        pick(elements) ?? fallback
    }
}

/// The engine's randomness in a run.
struct RunRandom: RandomSource {
    private let random: Confined<SeededRandom>

    init(_ random: SeededRandom) { self.random = Confined(random) }

    func next() -> UInt64 { random.value.next() }
}

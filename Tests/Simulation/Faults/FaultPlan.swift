/// Which faults a run has, how often they strike, and how often they did.
///
/// Each fault draws from a stream of its own, so that switching one off leaves the others as they
/// were as far as that can be.
final class FaultPlan: Sendable {
    private struct State {
        var intensity: [Fault: Double] = [:]
        var random: [Fault: SeededRandom] = [:]
        var strikes: [Fault: Int] = [:]
        var isOver = false
    }

    private let state = Confined(State())
    private let trace: Trace

    /// - Parameter allowed: The faults that may be drawn.
    /// - Parameter all: Every allowed one is in; otherwise each run draws its own half of them, so
    ///   that one fault does not always hide another.
    init(
        seed: UInt64, allowed: Set<Fault>, all: Bool, trace: Trace
    ) {
        self.trace = trace
        var draw = SeededRandom(seed: seed, for: "fault plan")
        for fault in Fault.allCases {
            let isDrawn = draw.chance(0.4)
            let strength = draw.pick([0.4, 1, 1, 2], or: 1)
            guard allowed.contains(fault), isDrawn || all else {
                continue
            }
            state.value.intensity[fault] = fault.likelihood * strength
            state.value.random[fault] = SeededRandom(seed: seed, for: fault.rawValue)
        }
    }

    /// Whether a fault happens at this opportunity; then it is counted.
    func strikes(_ fault: Fault) -> Bool {
        guard !state.value.isOver, let chance = state.value.intensity[fault],
            state.value.random[fault]?.chance(chance) == true
        else { return false }
        count(fault)
        return true
    }

    /// Counts a fault that is made to happen.
    func count(_ fault: Fault) {
        state.value.strikes[fault, default: 0] += 1
        trace.add(.struck(fault))
    }

    /// The weight of a fault that happens by itself; 0 where the run has none of it.
    func weight(_ fault: Fault) -> Double { state.value.intensity[fault] ?? 0 }

    /// A random time for one strike of a fault, in milliseconds.
    func time(_ fault: Fault, _ range: ClosedRange<Int>) -> Duration {
        state.value.random[fault]?.time(range) ?? .milliseconds(range.lowerBound)
    }

    /// From here on nothing goes wrong any more.
    func end() { state.value.isOver = true }

    /// Whether the faults have ended.
    var isOver: Bool { state.value.isOver }

    /// How often each struck.
    var strikes: [Fault: Int] { state.value.strikes }
}

import PalEngine

/// What differs from run to run beside the faults; drawn from the seed.
struct Setup: Sendable {
    var policy = Policy()
    /// How many names there are to play with.
    var names = 6
    /// How long things happen.
    var duration = Duration.seconds(60)
    /// How many things happen by themselves in that time.
    var deeds = 15
    /// Whether somebody approves what waits for consent, in the end.
    var isAttended = true
    /// Whether something is declared in the end that its platform does not make.
    var hasHopeless = false
    /// Whether somebody looks at plans in the end, and asks for them.
    var looksAtPlans = false

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed, for: "setup")
        names = random.number(2...14)
        let seconds = random.pick([15, 15, 40, 40, 90, 90, 240, 240, 900, 3000], or: 40)
        duration = .seconds(seconds)
        deeds = random.number(3...30)
        isAttended = random.chance(0.7)
        policy.retry.limit = random.pick(
            [
                .seconds(15), .seconds(60), .seconds(300),
            ], or: .seconds(60))
        policy.retry.first = random.pick([.seconds(1), .seconds(5)], or: .seconds(1))
        policy.stallAfter = random.pick([4, 12], or: 12)
        policy.resync = random.pick([.seconds(20), .seconds(60)], or: .seconds(60))
        policy.pruneCount = random.number(1...5)
        policy.progressDeadline = random.pick([.seconds(60), .seconds(600)], or: .seconds(60))
        policy.maximumParallel = random.pick([1, 4, 64], or: 64)
        var last = SeededRandom(seed: seed, for: "attempts")
        hasHopeless = last.chance(0.2)
        looksAtPlans = last.chance(0.3)
    }

    /// The longest time until all is as declared, once nothing goes wrong any more: the longest
    /// pause between attempts, twice, what a platform takes for the slowest start, a few lists.
    var patience: Duration {
        policy.retry.limit * 2 + policy.resync * 4 + policy.progressDeadline * 2
            + .seconds(500)
    }
}

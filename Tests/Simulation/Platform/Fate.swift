import PalProvider

/// What will become of one call that changes something; drawn when it is sent.
struct Fate: Sendable {
    /// The time until it arrives; nil for never.
    var out: Duration? = .zero
    /// The time until the answer arrives, after the platform is done.
    var back = Duration.zero
    /// What the platform answers without doing anything.
    var refusal: ProviderFailure?
    /// Whether the connection breaks before the answer.
    var losesAnswer = false
    /// Whether there is no answer at all, until the caller gives up.
    var isSilent = false
    /// When it arrives a second time, after the first.
    var again: Duration?
    /// Whether the second answer is the one that is seen.
    var secondAnswers = false
    /// Whether it still arrives after the controller's death.
    var outlivesCaller = false

    /// When a caller gives up.
    static let patience = Duration.seconds(60)

    /// Draws a fate.
    static func draw(_ faults: FaultPlan, _ random: inout SeededRandom) -> Fate {
        var fate = Fate()
        fate.out = random.time(1...30)
        fate.back = random.time(1...30)
        let coin = random.chance(0.5)
        let late = random.time(1000...65_000)
        if faults.strikes(.slowCall) { fate.out = faults.time(.slowCall, 500...20_000) }
        if faults.strikes(.stuckCall) { fate.out = coin ? nil : late }
        fate.refusal = refusal(faults)
        guard fate.refusal == nil else { return fate }
        if faults.strikes(.errorAfterEffect) {
            fate.losesAnswer = true
        } else if faults.strikes(.timeOut) {
            fate.isSilent = true
        }
        if faults.strikes(.duplicateDelivery) {
            fate.again = faults.time(.duplicateDelivery, 0...2000)
            fate.secondAnswers = coin
        }
        if faults.strikes(.zombieCall) {
            fate.outlivesCaller = true
            fate.out = max(fate.out ?? .zero, faults.time(.zombieCall, 0...6000))
        }
        return fate
    }

    private static func refusal(_ faults: FaultPlan) -> ProviderFailure? {
        if faults.strikes(.serverError) { return .platform(.platformFailure, "it hiccups") }
        if faults.strikes(.rateLimit) {
            let seconds = faults.time(.rateLimit, 500...20_000).seconds
            return .platform(.rateLimited, "too many calls", after: seconds)
        }
        if faults.strikes(.notFound) { return .notThere }
        if faults.strikes(.conflict) { return .wrongState("a removal is in progress") }
        if faults.strikes(.precondition) { return .wrongState("it changed meanwhile") }
        if faults.strikes(.missingImage) { return .imageMissing }
        return nil
    }
}

/// One life of the controller's process: from its start to its end or its crash.
///
/// From a crash on nothing that it does has an effect. What was on its way to a platform then may
/// still arrive.
final class Controller: Sendable {
    private struct State {
        var isAlive = true
        /// How many steps are left before it crashes; nil where it does not.
        var stepsLeft: Int?
        var steps = 0
    }

    /// Counts from 1; 0 stands for a reader that is no controller.
    let number: Int
    /// Yields once when it has crashed.
    let death: AsyncStream<Void>
    /// Whether calls that only ask have places to crash at, too.
    let crashesAtQuestions: Bool
    private let dying: AsyncStream<Void>.Continuation
    private let state = Confined(State())
    private let trace: Trace
    private let faults: FaultPlan

    init(_ number: Int, trace: Trace, faults: FaultPlan, crashesAtQuestions: Bool = false) {
        self.number = number
        self.crashesAtQuestions = crashesAtQuestions
        self.trace = trace
        self.faults = faults
        (death, dying) = AsyncStream.makeStream(of: Void.self)
    }

    var isAlive: Bool { state.value.isAlive }
    /// How many steps it has taken.
    var steps: Int { state.value.steps }

    /// Lets it crash at the step after so many more.
    func crash(afterSteps steps: Int) {
        guard state.value.stepsLeft == nil else { return }
        state.value.stepsLeft = steps
    }

    /// Lets it live.
    func spare() { state.value.stepsLeft = nil }

    /// Marks a place between two effects: the last one, perhaps.
    func step(_ place: @autoclosure () -> String) {
        guard state.value.isAlive else { return }
        state.value.steps += 1
        guard let left = state.value.stepsLeft else { return }
        state.value.stepsLeft = left - 1
        if left <= 0 { crash(place()) }
    }

    /// Marks a place before or after a call that only asks.
    func questionStep(_ place: @autoclosure () -> String) {
        if crashesAtQuestions { step(place()) }
    }

    /// Crashes now.
    func crash(_ place: String) {
        guard state.value.isAlive else { return }
        state.value.isAlive = false
        faults.count(.crash)
        trace.add(.crashed(place), by: number)
        dying.yield()
        dying.finish()
    }

    /// It has ended in good order: nothing comes of it any more either.
    func end() {
        state.value.isAlive = false
        dying.finish()
    }
}

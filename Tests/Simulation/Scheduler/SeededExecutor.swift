/// Runs the jobs of tasks and actors one after the other, the next one picked at random: any order
/// that a pool of threads could have given, and the same one again for the same seed.
final class SeededExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var random: SeededRandom
    }

    private let state: Confined<State>

    init(_ random: SeededRandom) { state = Confined(State(random: random)) }

    /// How many jobs could run now.
    var count: Int { state.value.jobs.count }

    func enqueue(_ job: consuming ExecutorJob) { state.value.jobs.append(UnownedJob(job)) }

    /// Runs one job.
    /// - Returns: False where there is none.
    func runOne() -> Bool {
        guard !state.value.jobs.isEmpty else { return false }
        let index = state.value.random.number(0...state.value.jobs.count - 1)
        state.value.jobs.swapAt(index, state.value.jobs.count - 1)
        let job = state.value.jobs.removeLast()
        job.runSynchronously(on: asUnownedTaskExecutor())
        return true
    }
}

/// The one thread of a run: jobs first, and when none can run, time.
struct Scheduler {
    let executor: SeededExecutor
    let clock: VirtualClock

    /// So many jobs and timers without any time passing are a loop that never ends.
    private static let maximumSpin = 400_000

    init(_ seed: UInt64) {
        executor = SeededExecutor(SeededRandom(seed: seed, for: "jobs"))
        clock = VirtualClock(SeededRandom(seed: seed, for: "timers"))
    }

    /// What a run of the loop came to.
    enum End { case time, told, spinning }

    /// Runs until a virtual time, or until it is told to end.
    func run(until limit: Duration, unless isOver: () -> Bool = { false }) -> End {
        var spin = 0
        var now = clock.elapsed()
        while true {
            while executor.runOne() {
                spin += 1
                if spin > Self.maximumSpin { return .spinning }
            }
            if isOver() { return .told }
            guard clock.advance(upTo: limit) else { return .time }
            if clock.elapsed() > now {
                now = clock.elapsed()
                spin = 0
            }
        }
    }

    /// Starts a task whose jobs, and all of its children's, run here.
    func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: executor) { await body() }
    }
}

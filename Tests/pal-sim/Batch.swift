import Dispatch
import Simulation
import Synchronization

/// Runs seeds on all cores. A seed's run has one thread of its own from its beginning to its end.
enum Batch {
    /// What came of each seed, in their order; a second time where that is asked for.
    static func run(
        _ seeds: Range<UInt64>, twice: Bool, _ run: @Sendable (UInt64) -> Outcome
    ) -> [(first: Outcome, again: Outcome?)] {
        let results = Mutex([UInt64: (first: Outcome, again: Outcome?)]())
        DispatchQueue.concurrentPerform(iterations: seeds.count) { index in
            let seed = seeds.lowerBound + UInt64(index)
            let first = run(seed)
            let again = twice ? run(seed) : nil
            results.withLock { $0[seed] = (first, again) }
        }
        return results.withLock { all in seeds.compactMap { all[$0] } }
    }
}

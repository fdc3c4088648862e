import PalEngine
import PalLedger
import PalModel
import PalProvider

/// How long a running controller takes to look at everything anew where nothing has changed,
/// against one raw list of the same containers.
struct Reconcile: Sendable {
    let bench: BenchSwarm
    let count: Int
    let pairs: Int

    private static let limit = Duration.seconds(900)

    /// Makes the instances, stopped, in a controller, and then measures in alternating pairs.
    func figure() async throws -> Figure {
        let names = (1...count).map { "r\($0)" }
        let specs = try bench.writeSpecs(
            names, "state: stopped\nresources: { storage: { persistent: false } }\n")
        let ledger = TellingLedger(try bench.makeLedger())
        let reconciler = try bench.makeReconciler(specs: specs, ledger: ledger)
        let series = try await withThrowingTaskGroup(of: (pal: Series, raw: Series)?.self) {
            group in
            group.addTask {
                await reconciler.run()
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: Self.limit)
                await reconciler.stop()
                return nil
            }
            group.addTask { try await measure(ledger) }
            do {
                let first = try await group.next() ?? nil
                await reconciler.stop()
                group.cancelAll()
                return first
            } catch {
                await reconciler.stop()
                throw error
            }
        }
        guard let series else { throw BenchmarkFailure("the controller ended, or was too slow") }
        return Figure(
            "reconcile",
            "reconcile of \(count) unchanged instances in a running controller / one raw list call",
            value: series.pal.median / series.raw.median, aim: 1.5,
            parts: [
                "palMs": series.pal.median, "rawMs": series.raw.median, "pairs": Double(pairs),
            ])
    }

    private func measure(_ ledger: TellingLedger) async throws -> (pal: Series, raw: Series) {
        tell("making \(count) stopped instances")
        let making = try await timed { try await ledger.settle(.apply) }
        tell("made in \(Int(making.milliseconds)) ms")
        let driver = RawDriver(swarm: bench.swarm, concurrency: 1)
        // The first of each is for connections and caches.
        try await ledger.settle(.once)
        _ = try await driver.list()
        var (pal, raw) = (Series(), Series())
        for pair in 0..<pairs {
            if pair.isMultiple(of: 2) {
                pal.add(try await timed { try await ledger.settle(.once) })
            }
            raw.add(try await timed { _ = try await driver.list() })
            if !pair.isMultiple(of: 2) {
                pal.add(try await timed { try await ledger.settle(.once) })
            }
        }
        tell(
            "reconcile \(count): pal \(pal.values.map { Int($0) }) ms, "
                + "raw list \(raw.values.map { Int($0) }) ms")
        return (pal, raw)
    }
}

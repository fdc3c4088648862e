import PalEngine
import PalLedger
import PalModel

/// How long it takes until so many declared containers answer, against the raw API at its best.
struct Converge: Sendable {
    let bench: BenchSwarm
    let count: Int
    let rounds: Int

    /// The raw driver is as good as the best of these.
    private static let concurrencies = [2, 4, 8, 16]
    private static let limit = Duration.seconds(600)

    private var names: [String] { (1...count).map { "c\($0)" } }

    /// Measures alternately, in rounds, the order turning; clears up after each, untimed.
    func figure() async throws -> Figure {
        let specs = try bench.writeSpecs(names)
        var pal = Series()
        var raw = Self.concurrencies.map { _ in Series() }
        for round in 0..<rounds {
            for place in 0...Self.concurrencies.count {
                let turn = (place + round * 2) % (Self.concurrencies.count + 1)
                try Task.checkCancellation()
                let time: Duration
                let who: String
                if turn == Self.concurrencies.count {
                    time = try await timed { try await converge(specs) }
                    pal.add(time)
                    who = "pal"
                } else {
                    let concurrency = Self.concurrencies[turn]
                    time = try await timed {
                        try await RawDriver(swarm: bench.swarm, concurrency: concurrency)
                            .converge(names)
                    }
                    raw[turn].add(time)
                    who = "raw API, \(concurrency) at once"
                }
                tell("converge \(count), round \(round + 1): \(who): \(Int(time.milliseconds)) ms")
                try await bench.clearEngine()
            }
        }
        return figure(pal, raw)
    }

    private func figure(_ pal: Series, _ raw: [Series]) -> Figure {
        let medians = zip(Self.concurrencies, raw.map(\.median))
        let best = medians.min { $0.1 < $1.1 } ?? (0, .nan)
        return Figure(
            "converge",
            "time until \(count) declared containers answer / the raw API at its best concurrency",
            value: pal.median / best.1, aim: 1.1,
            parts: [
                "palMs": pal.median, "rawMs": best.1, "rawConcurrency": Double(best.0),
                "rounds": Double(rounds),
            ])
    }

    /// What `pal apply` does: from nothing known to everything ready.
    private func converge(_ specs: String) async throws {
        let ledger = try bench.makeLedger()
        let reconciler = try bench.makeReconciler(specs: specs, ledger: ledger)
        var request = ControlRequest(verb: .apply, by: "pal-bench")
        request.number = try ledger.ask(request)
        let asked = request
        let reply = await withTaskGroup(of: ControlReply?.self) { group in
            group.addTask { await reconciler.perform(asked, only: nil) }
            group.addTask {
                try? await Task.sleep(for: Self.limit)
                await reconciler.stop()
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        try Task.checkCancellation()
        guard let reply, reply.isDone else {
            throw BenchmarkFailure(
                "pal did not converge: \(reply?.messages.joined(separator: "; ") ?? "too slow")")
        }
    }
}

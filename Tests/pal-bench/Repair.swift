import Foundation
import PalEngine
import PalHTTP
import TestSupport

/// From the moment the Engine says that a container is gone to the moment pal begins to make it
/// again, many times.
struct Repair: Sendable {
    let bench: BenchSwarm
    let times: Int

    private static let limit = Duration.seconds(900)
    private static let aim = 50.0

    func figure() async throws -> Figure {
        let specs = try bench.writeSpecs(
            ["victim"], "resources: { storage: { persistent: false } }\n")
        let ledger = TellingLedger(try bench.makeLedger())
        let reconciler = try bench.makeReconciler(specs: specs, ledger: ledger)
        let latencies = try await withThrowingTaskGroup(of: [Double]?.self) { group in
            group.addTask {
                await reconciler.run()
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: Self.limit)
                return nil
            }
            group.addTask { try await measure(ledger) }
            let first: [Double]?
            do { first = try await group.next() ?? nil } catch {
                await reconciler.stop()
                throw error
            }
            await reconciler.stop()
            group.cancelAll()
            return first
        }
        guard let latencies else {
            throw BenchmarkFailure("the controller ended, or was too slow")
        }
        let sorted = latencies.sorted()
        let percentile = sorted[min(sorted.count - 1, (sorted.count * 99 + 99) / 100 - 1)]
        return Figure(
            "repair",
            "ms from the Engine's destroy event to the first step of the repair, 99th percentile",
            value: percentile, aim: Self.aim,
            parts: [
                "medianMs": sorted[sorted.count / 2], "mostMs": sorted.last ?? .nan,
                "times": Double(times),
            ])
    }

    private func measure(_ ledger: TellingLedger) async throws -> [Double] {
        try await ledger.settle(.apply)
        let heard = AsyncStream<ContinuousClock.Instant>.makeStream()
        let listening = Task { try await listen { heard.continuation.yield($0) } }
        defer { listening.cancel() }
        var events = heard.stream.makeAsyncIterator()
        var creations = ledger.creations.makeAsyncIterator()
        var latencies: [Double] = []
        _ = await creations.next()
        // Until the stream is open nothing is heard of.
        try await Task.sleep(for: .seconds(1))
        for round in 0..<times {
            guard let id = try await DockerEngine.shared.containers(swarm: bench.swarm).first?.Id
            else { throw BenchmarkFailure("there is no container") }
            try await DockerEngine.shared.call("DELETE", "/containers/\(id)?force=1&v=1")
            guard let gone = await events.next(), let begun = await creations.next() else {
                throw BenchmarkFailure("nothing was heard")
            }
            latencies.append((begun - gone).milliseconds)
            try await ledger.settle(.apply)
            if (round + 1).isMultiple(of: 25) { tell("repaired \(round + 1) times") }
        }
        return latencies
    }

    /// Tells when each `destroy` of a container of the swarm is heard.
    private func listen(_ told: (ContinuousClock.Instant) -> Void) async throws {
        let filter =
            #"{"label":["pal.swarm=\#(bench.swarm)"],"event":["destroy"],"type":["container"]}"#
            .addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let stream = try await HTTPClient().stream(
            HTTPRequest("GET", "/v1.41/events?filters=\(filter)", timeout: .seconds(30)),
            to: .unixSocket(path: "/var/run/docker.sock"))
        for try await bytes in stream where bytes.contains(UInt8(ascii: "{")) {
            told(ContinuousClock.now)
        }
    }
}

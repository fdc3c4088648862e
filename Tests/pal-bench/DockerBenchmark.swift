import ArgumentParser
@preconcurrency import Dispatch
import Foundation
import Glibc
import TestSupport

/// `pal-bench docker`.
struct DockerBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docker",
        abstract: "Measure pal on the Docker Engine against the Engine's API driven directly.",
        discussion: """
            Needs an Engine at /var/run/docker.sock and Debian's busybox-static; with Debian's \
            docker-compose it is measured, too. Works in swarms of its own, and removes what it \
            made, also when it is interrupted.
            """)

    @Option(name: .shortAndLong, help: "table or json.") var output = OutputFormat.table
    @Option(help: "Containers that are made, changed and deleted.") var containers = 40
    @Option(help: "Unchanged instances that are reconciled.") var instances = 500
    @Option(help: "Rounds; each is one run of pal, Compose and each raw driver. Six are balanced.")
    var rounds = 6
    @Option(help: "Containers that somebody deletes, one after the other.") var repairs = 100
    @Option(help: "Pairs of one reconcile and one raw list.") var pairs = 20

    func run() async throws {
        try await BusyboxImage.ensure()
        let bench = try BenchSwarm()
        let interrupted = Interruption()
        let result = await withTaskGroup(of: Result<[Figure], any Error>?.self) { group in
            group.addTask { await measure(bench) }
            group.addTask {
                await interrupted.wait()
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        tell("removing what was made")
        await bench.clear()
        guard let result else { throw ExitCode(130) }
        print(try Figures(benchmark: "docker", figures: result.get()).text(output))
    }

    private func measure(_ bench: BenchSwarm) async -> Result<[Figure], any Error> {
        do {
            var figures: [Figure] = []
            if containers > 0 {
                figures += try await Cycle(count: containers, rounds: rounds).figures()
            }
            if instances > 0 {
                figures.append(
                    try await Reconcile(bench: bench, count: instances, pairs: pairs).figure())
                try await bench.clearEngine()
            }
            if repairs > 0 {
                figures.append(try await Repair(bench: bench, times: repairs).figure())
            }
            return .success(figures)
        } catch {
            return .failure(error)
        }
    }
}

/// The signals that end a benchmark early, so that it can clear up.
final class Interruption: Sendable {
    private let signals: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        self.signals = signals
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
    }

    /// Returns at the first signal, or when the task is cancelled.
    func wait() async {
        for await _ in signals { return }
    }
}

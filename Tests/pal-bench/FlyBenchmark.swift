import ArgumentParser
import FlyEmulation
import FlyProvider
import Foundation
import Logging
import PalEngine
import PalLedger
import PalModel
import PalProvider
import PalSpecs
import TestSupport

/// `pal-bench fly`.
struct FlyBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fly",
        abstract: "Make many machines under Fly.io's limits, against the least time they allow.",
        discussion: """
            Runs against the emulation, whose clock and pal's go faster than everybody's. Each
            instance has a volume of its own.
            """)
    @Option(help: "How many machines.") var instances = 200
    @Option(help: "How many times faster the clocks go.") var speed = 5
    @Option(name: .shortAndLong, help: "table or json.") var output = OutputFormat.table

    func run() async throws {
        let clock = ScaledClock(factor: speed)
        let fly = try FlyEmulation(Self.options, clock: clock)
        try await fly.start()
        let scratch = try Scratch()
        let begin = clock.now
        let reply = try await converge(fly, clock, scratch)
        let time = begin.duration(to: clock.now)
        let calls = fly.calls
        let made = fly.machines(app: "pal-bench").count { $0.state == "started" }
        await fly.stop()
        guard reply.isDone, made == instances else {
            throw BenchmarkFailure("\(made) of \(instances) run: \(reply.messages.prefix(3))")
        }
        // The first three at once, and one more each second.
        let least = Double(instances - 3)
        let refused = calls.filter { $0.status == 429 }
        for call in refused { tell("refused: \(call.method) \(call.path) at \(call.at)") }
        let refusals = Double(refused.count)
        let figures = Figures(
            benchmark: "fly",
            figures: [
                Figure(
                    "converge",
                    "time until \(instances) machines with volumes are ready / the least time that "
                        + "the limits allow",
                    value: time.milliseconds / 1000 / least, aim: 1.2,
                    parts: [
                        "palS": time.milliseconds / 1000, "leastS": least,
                        "calls": Double(calls.count),
                    ]),
                Figure(
                    "refusals", "calls that Fly.io refused as too many", value: refusals, aim: 0,
                    parts: [:]),
            ])
        print(try figures.text(output))
    }

    /// Delays of the real ones' kind.
    private static var options: FlyEmulation.Options {
        var options = FlyEmulation.Options()
        options.delays.boot = .seconds(2)
        options.delays.check = .seconds(1)
        options.delays.volumeReady = .seconds(1)
        options.delays.appVisible = .seconds(3)
        return options
    }

    private func converge(
        _ fly: FlyEmulation, _ clock: ScaledClock, _ scratch: Scratch
    ) async throws -> ControlReply {
        let specs = (1...instances).map { index in
            """
            name: i\(index)
            provider: fly
            image: registry.example.org/editor:1
            editor: custom
            network: { port: 8080 }
            health: { path: /ok }
            """
        }
        try FileManager.default.createDirectory(
            atPath: scratch["specs"], withIntermediateDirectories: true)
        _ = try scratch.write(specs.joined(separator: "\n---\n"), to: "specs/all.yaml")
        var logger = Logger(label: "pal-bench")
        logger.logLevel = .error
        let provider = try FlyProviderClass(clock: clock).makeProvider(
            ProviderSettings(
                type: "fly", name: "fly", region: "fra", swarm: "bench",
                dataDirectory: scratch["data"],
                environment: [
                    "FLY_API_TOKEN": "fm2_test", "FLY_FLAPS_BASE_URL": fly.origin,
                    "FLY_API_BASE_URL": fly.origin,
                ]), logger: logger)
        let ledger = try SQLiteLedger.open(directory: scratch["state"])
        let reconciler = try Reconciler(
            .init(
                swarm: "bench", source: SpecDirectory(path: scratch["specs"]),
                providers: [provider], ledger: ledger, clock: ScaledEngineClock(clock),
                logger: logger))
        var request = ControlRequest(verb: .apply, by: "pal-bench")
        request.number = try ledger.ask(request)
        let reply = await reconciler.perform(request, only: nil)
        await provider.shutdown()
        guard let reply else { throw BenchmarkFailure("the controller gave no answer") }
        return reply
    }
}

/// The engine's clock, as fast as a platform's.
private struct ScaledEngineClock: EngineClock {
    private let clock: ScaledClock
    private let start = Date()

    init(_ clock: ScaledClock) { self.clock = clock }

    func elapsed() -> Duration { clock.now.offset }

    func date() -> Date { start + clock.now.offset.milliseconds / 1000 }

    func sleep(for duration: Duration) async throws { try await clock.sleep(for: duration) }
}

import ArgumentParser
import Foundation
import Glibc
import Logging
import PalEngine
import PalModel
import PalSpecs

/// One part of `pal-bench scale`, in a process of its own; prints what it measured.
struct ScalePart: AsyncParsableCommand {
    enum Part: String, ExpressibleByArgument, CaseIterable {
        /// Rest, changes of files, and many reconciles.
        case engine
        /// A list of everything that says nothing new, and a decision on everything.
        case plan
        /// Looking at everything anew.
        case resync
        /// Nothing at all.
        case idle
    }

    static let configuration = CommandConfiguration(
        commandName: "scale-part", abstract: "A part of 'scale'.", shouldDisplay: false)

    @Argument var part: Part
    @Option var specs: Int
    @Option var files: Int
    @Option var path: String
    @Option var state: String

    private static let fileChanges = 7
    private static let reconciles = (warm: 2_000, counted: 10_000, atOnce: 500)
    private static let resyncs = 5
    /// With two resyncs in it, and two rescans.
    private static let idleTime = Duration.seconds(120)

    func run() async throws {
        let tree = SpecFiles(existing: path, specs: specs, files: files)
        var logger = Logger(label: "pal-bench")
        logger.logLevel = .error
        let platform = SimPlatform(swarm: ScaleSwarm.swarm, logger: logger)
        let empty = try Usage.resident()
        platform.populate(specs)
        let simulator = try Usage.resident() - empty
        let swarm = try ScaleSwarm(tree, state: state, platform)
        var values =
            try await swarm.running {
                try await swarm.ledger.settle(.apply)
                return switch part {
                case .engine: try await engine(swarm)
                case .plan: try await plan(swarm)
                case .resync: try await resync(swarm)
                case .idle: try await idle()
                }
            }
        values["simulatorBytes"] = simulator
        print(String(decoding: try JSONEncoder().encode(values), as: UTF8.self))
    }

    // MARK: - A large swarm

    private func engine(_ swarm: ScaleSwarm) async throws -> [String: Double] {
        try await swarm.ledger.settle(.once)
        var values = ["restBytes": try await atRest()]
        let calls = swarm.platform.observeChanges()
        values.merge(try await changeFiles(swarm, calls)) { $1 }
        values["beforeBytes"] = try await reconcile(swarm, Self.reconciles.warm, calls)
        values["afterBytes"] = try await reconcile(swarm, Self.reconciles.counted, calls)
        return values
    }

    /// Changes one instance in one file, several times, and times the way to the provider.
    private func changeFiles(
        _ swarm: ScaleSwarm, _ calls: AsyncStream<Int>
    ) async throws -> [String: Double] {
        var series = Series()
        var (parsed, planned) = (0, 0)
        var calls = calls.makeAsyncIterator()
        for change in 0..<Self.fileChanges {
            try await swarm.ledger.settle(.once)
            let before = (parsed: swarm.parsed.value, planned: swarm.platform.plans)
            let file = change % files
            try swarm.tree.write(file, firstLimit: 4096 + change)
            guard let number = await calls.next(), let start = swarm.debounce.end else {
                throw BenchmarkFailure("the platform was not called")
            }
            series.add(ContinuousClock.now - start)
            parsed = max(parsed, swarm.parsed.value - before.parsed)
            planned = max(planned, swarm.platform.plans - before.planned)
            guard number == specs * file / files else {
                throw BenchmarkFailure("the wrong instance was changed")
            }
        }
        // As they were, for what is measured next.
        for change in 0..<Self.fileChanges {
            try swarm.tree.write(change % files)
            _ = await calls.next()
        }
        try await swarm.ledger.settle(.once)
        return [
            "changeMs": series.median, "parsedFiles": Double(parsed),
            "plannedKeys": Double(planned),
        ]
    }

    /// Has others change instances behind pal's back, and pal change them back: the same instances
    /// again and again, so that what is kept of each is there before anything is counted.
    private func reconcile(
        _ swarm: ScaleSwarm, _ count: Int, _ calls: AsyncStream<Int>
    ) async throws -> Double {
        var next = 0
        var iterator = calls.makeAsyncIterator()
        for start in stride(from: 0, to: count, by: Self.reconciles.atOnce) {
            let different = min(Self.reconciles.warm, specs)
            let size = min(Self.reconciles.atOnce, count - start, different)
            let numbers = (0..<size).map { (next + $0) % different }
            next = (next + size) % different
            swarm.platform.interfere(with: numbers, limit: 3000)
            for _ in numbers { _ = await iterator.next() }
        }
        try await swarm.ledger.settle(.once)
        return try await atRest()
    }

    /// Bytes of memory once spare memory was given back: the median of some seconds, as a list of
    /// everything that comes meanwhile takes more until that is given back, too.
    private func atRest() async throws -> Double {
        try await Task.sleep(for: ScaleSwarm.memoryInterval * 1.5)
        var samples: [Double] = []
        for _ in 0..<21 {
            samples.append(try Usage.resident())
            try await Task.sleep(for: ScaleSwarm.memoryInterval * 0.15)
        }
        return samples.sorted()[samples.count / 2]
    }

    private func resync(_ swarm: ScaleSwarm) async throws -> [String: Double] {
        var (wall, processor) = (Series(), Series())
        for _ in 0..<Self.resyncs {
            let before = Usage.processorTime()
            wall.add(try await timed { try await swarm.ledger.settle(.once) })
            processor.add(Usage.processorTime() - before)
        }
        return ["wallMs": wall.median, "processorMs": processor.median]
    }

    private func idle() async throws -> [String: Double] {
        // What came of the start has ended by then.
        try await Task.sleep(for: .seconds(3))
        let (before, start) = (Usage.processorTime(), ContinuousClock.now)
        try await Task.sleep(for: Self.idleTime)
        let share =
            (Usage.processorTime() - before).milliseconds
            / (ContinuousClock.now - start).milliseconds
        return ["percent": share * 100]
    }

    // MARK: - Planning

    /// Takes a whole new list in, which says nothing new, and then plans all names: what is known
    /// to be as it should be stands; and once more with a decision on every one of them.
    private func plan(_ swarm: ScaleSwarm) async throws -> [String: Double] {
        var (comparing, planning, deciding) = (Series(), Series(), Series())
        var preview = await swarm.reconciler.preview()
        swarm.platform.keepAnswers()
        for _ in 0..<Self.resyncs {
            let listing = swarm.platform.listingTime
            let time = try await timed { try await swarm.ledger.settle(.once) }
            comparing.add(time - (swarm.platform.listingTime - listing))
            let start = ContinuousClock.now
            let new = await swarm.reconciler.preview()
            planning.add(ContinuousClock.now - start)
            preview = new
            let again = ContinuousClock.now
            let anew = await swarm.reconciler.preview(anew: true)
            deciding.add(ContinuousClock.now - again)
            guard anew.plans == preview.plans else {
                throw BenchmarkFailure("what stood was not what is decided")
            }
            let steps = preview.plans.reduce(0) { $0 + $1.steps.count }
            guard preview.plans.count == specs, steps == 0 else {
                throw BenchmarkFailure("\(preview.plans.count) planned, with \(steps) steps")
            }
        }
        return [
            "compareMs": comparing.median, "previewMs": planning.median,
            "planMs": comparing.median + planning.median, "decideMs": deciding.median,
        ]
    }
}

import Foundation

/// One way to bring containers about, take them through their life, and take them away again.
protocol Contender {
    /// What it is called in what is printed.
    var name: String { get }
    /// Makes all, from nothing, and returns when every editor answers.
    mutating func fromNothing() async throws
    /// Makes sure that all is as it should be, when it is.
    mutating func nothingToDo() async throws
    /// How often that is measured in a round: what takes milliseconds, more often.
    var looks: Int { get }
    /// How often one is changed in a round.
    var changes: Int { get }
    /// Whether a raw list goes with each look, of the same containers in the same second, and a raw
    /// change with each change.
    var isPaired: Bool { get }
    /// Gives the first one another environment, which takes a new container, and returns when it
    /// answers.
    mutating func changeOne(to value: Int) async throws
    /// Stops and deletes all.
    mutating func deleteAll() async throws
    /// Gives back what it holds; called however the cycle ended.
    mutating func end() async
}

/// The life of so many containers, by pal, by the Engine's API driven directly at several
/// concurrencies, and by Compose, in one run on one Engine.
struct Cycle {
    let count: Int
    let rounds: Int

    /// The raw driver is as good as the best of these, row by row.
    private static let concurrencies = [2, 4, 8, 16]
    private static let rawList = "one raw list"
    private static let rawChange = "one raw change"

    private var names: [String] { (1...count).map { "c\($0)" } }

    /// Measures in rounds, in another order each time; clears up after each, untimed.
    ///
    /// A machine is faster in one minute than in the next, so what is compared is what was measured
    /// in the same round, and the figure is the median of the rounds.
    func figures() async throws -> [Figure] {
        var times = CycleTimes()
        try await warmUp()
        for round in 0..<rounds {
            for index in Self.order(of: Self.contenders.count, round) {
                try await Task.sleep(for: Self.pause)
                // Of its own: an Engine keeps a network now and then that nobody is in.
                try await inSwarm { bench in
                    guard var contender = try Self.contenders[index](bench, names) else { return }
                    let result: Result<Void, any Error>
                    do {
                        try await play(&contender, bench.swarm) {
                            times.add($2, of: $1, $0, round)
                        }
                        result = .success(())
                    } catch { result = .failure(error) }
                    await contender.end()
                    try result.get()
                    let words = CycleRow.allCases.compactMap { row in
                        times.last(of: contender.name, row, round).map {
                            "\(row.rawValue) \($0) ms"
                        }
                    }
                    tell("round \(round + 1), \(contender.name): \(words.joined(separator: ", "))")
                }
            }
        }
        return CycleRow.allCases.flatMap { figures($0, times) }
    }

    /// After a swarm is cleared away the kernel goes on ending its networks for seconds, and what
    /// comes next waits for it.
    private static let pause = Duration.seconds(4)

    /// An Engine that was just started is slower.
    private func warmUp() async throws {
        try await inSwarm { bench in
            let driver = RawDriver(swarm: bench.swarm, concurrency: 8)
            try await driver.converge(names)
            try await driver.delete(names)
        }
    }

    /// Who comes when. In as many rounds as there are contenders each one comes once after each
    /// other one of its round, where their number is even (a Williams design): what one leaves
    /// behind slows no other one more than the rest.
    static func order(of count: Int, _ round: Int) -> [Int] {
        (0..<count).map { place in
            let half = (place + 1) / 2
            return ((place.isMultiple(of: 2) ? count - half : half) + round) % count
        }
    }

    /// Does something in a swarm of its own, and clears up after it, also where it was cancelled.
    private func inSwarm(_ body: (BenchSwarm) async throws -> Void) async throws {
        let bench = try BenchSwarm()
        let result: Result<Void, any Error>
        do { result = .success(try await body(bench)) } catch { result = .failure(error) }
        await Task { await bench.clear() }.value
        try result.get()
    }

    private typealias Make = @Sendable (BenchSwarm, [String]) throws -> (any Contender)?

    /// None, where that is not installed.
    private static let contenders: [Make] =
        [{ PalContender($0, $1) }]
        + concurrencies.map { number -> Make in
            { RawContender($0.swarm, $1, concurrency: number) }
        }
        + [{ try ComposeContender($0, $1) }]

    private func play(
        _ contender: inout any Contender, _ swarm: String,
        _ add: (CycleRow, _ name: String, Duration) -> Void
    ) async throws {
        let name = contender.name
        add(.fromNothing, name, try await timed { try await contender.fromNothing() })
        // The first is for connections and caches.
        try await contender.nothingToDo()
        let driver = RawDriver(swarm: swarm, concurrency: 1)
        if contender.isPaired { _ = try await driver.list() }
        for _ in 0..<contender.looks {
            add(.nothingToDo, name, try await timed { try await contender.nothingToDo() })
            guard contender.isPaired else { continue }
            add(.nothingToDo, Self.rawList, try await timed { _ = try await driver.list() })
        }
        if contender.changes > 0 {
            try await inSwarm { try await playChanges(&contender, beside: $0, add) }
        }
        try await Task.sleep(for: Self.pause)
        add(.deleteAll, name, try await timed { try await contender.deleteAll() })
    }

    /// Changes one beside another swarm as large; where it is paired, by turns after that or before
    /// the raw driver changes one there.
    private func playChanges(
        _ contender: inout any Contender, beside bench: BenchSwarm,
        _ add: (CycleRow, _ name: String, Duration) -> Void
    ) async throws {
        var raw = RawContender(bench.swarm, names, concurrency: 8)
        try await raw.fromNothing()
        try await Task.sleep(for: Self.pause)
        for value in 1...contender.changes {
            let pair = value.isMultiple(of: 2) ? [true, false] : [false, true]
            for isRaw in contender.isPaired ? pair : [false] {
                let time = try await timed {
                    if isRaw {
                        try await raw.changeOne(to: value)
                    } else {
                        try await contender.changeOne(to: value)
                    }
                }
                add(.changeOne, isRaw ? Self.rawChange : contender.name, time)
            }
        }
    }

    /// What the raw driver is called whose best this is.
    private func best(_ row: CycleRow, _ times: CycleTimes) -> String {
        switch row {
        case .nothingToDo: return Self.rawList
        // Of one container nothing can be done at once.
        case .changeOne: return Self.rawChange
        case .fromNothing, .deleteAll:
            let raw = Self.concurrencies.map(RawContender.title)
            return raw.min { times.median(of: $0, row) < times.median(of: $1, row) } ?? ""
        }
    }

    private func figures(_ row: CycleRow, _ times: CycleTimes) -> [Figure] {
        let isLook = row == .nothingToDo
        let raw = ratio(row, "raw", best(row, times), times, aim: isLook ? 1.5 : 1.05)
        guard times.has(ComposeContender.title) else { return [raw] }
        let compose = ComposeContender.title
        return [raw, ratio(row, "compose", compose, times, aim: isLook ? 0.05 : 1)]
    }

    private func ratio(
        _ row: CycleRow, _ other: String, _ contender: String, _ times: CycleTimes, aim: Double
    ) -> Figure {
        let isRaw = other == "raw"
        let ratios = Series(times.ratios(of: PalContender.title, to: contender, row))
        return Figure(
            row.rawValue + (isRaw ? "" : "Compose"),
            "\(row.words(count)): pal / \(isRaw ? "the raw API at its best" : "docker-compose")",
            value: ratios.median, aim: aim,
            parts: [
                "palMs": times.median(of: PalContender.title, row),
                other + "Ms": times.median(of: contender, row),
                "rounds": Double(rounds), "least": ratios.least, "most": ratios.most,
            ])
    }
}

extension Contender {
    var changes: Int { 5 }
    var isPaired: Bool { false }
}

/// The Engine's API driven directly.
struct RawContender: Contender {
    static func title(_ concurrency: Int) -> String { "raw API, \(concurrency) at once" }
    let name: String
    private let driver: RawDriver
    private let names: [String]

    init(_ swarm: String, _ names: [String], concurrency: Int) {
        name = Self.title(concurrency)
        driver = RawDriver(swarm: swarm, concurrency: concurrency)
        self.names = names
    }

    mutating func fromNothing() async throws { try await driver.converge(names) }
    mutating func nothingToDo() async throws { _ = try await driver.list() }
    // Measured beside pal's.
    var looks: Int { 0 }
    var changes: Int { 0 }
    mutating func changeOne(to value: Int) async throws {
        try await driver.change(names[0], to: value)
    }
    mutating func deleteAll() async throws { try await driver.delete(names) }
    mutating func end() async {}
}

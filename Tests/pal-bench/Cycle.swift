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
    /// Whether a raw list follows each look, of the same containers in the same second.
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
    private static let changes = 5

    enum Row: String, CaseIterable {
        case fromNothing, nothingToDo, changeOne, deleteAll

        var words: String {
            switch self {
            case .fromNothing: "time until %d declared containers answer"
            case .nothingToDo: "looking at %d containers that are as declared"
            case .changeOne: "another environment for one of %d, until it answers"
            case .deleteAll: "stopping and deleting %d"
            }
        }
    }

    private var names: [String] { (1...count).map { "c\($0)" } }

    /// Measures in rounds, the order turning; clears up after each, untimed.
    func figures() async throws -> [Figure] {
        var times: [String: [Row: Series]] = [:]
        let raw = Self.concurrencies.map { "raw API, \($0) at once" }
        for round in 0..<rounds {
            let shift = (round * 2) % Self.contenders.count
            for make in Self.contenders[shift...] + Self.contenders[..<shift] {
                try Task.checkCancellation()
                // Of its own: an Engine keeps a network now and then that nobody is in.
                let bench = try BenchSwarm()
                guard var contender = try make(bench, names) else {
                    await bench.clear()
                    continue
                }
                let result: Result<Void, any Error>
                do {
                    try await play(&contender, bench.swarm, &times)
                    result = .success(())
                } catch { result = .failure(error) }
                await contender.end()
                // Also where all this was cancelled.
                await Task { await bench.clear() }.value
                try result.get()
                let words = Row.allCases.map {
                    "\($0.rawValue) \(times[contender.name]?[$0]?.last ?? 0) ms"
                }
                tell("round \(round + 1), \(contender.name): \(words.joined(separator: ", "))")
            }
        }
        return Row.allCases.flatMap { row in
            var all = raw.compactMap { times[$0]?[row] }
            // Of one container nothing can be done at once: they are all the same driver.
            if row == .changeOne { all = [Series(all.flatMap(\.times))] }
            if row == .nothingToDo { all = times[Self.rawList].map { [$0[row] ?? Series()] } ?? [] }
            let best = all.map(\.median).min() ?? .nan
            return figures(row, best, times)
        }
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
        _ contender: inout any Contender, _ swarm: String, _ times: inout [String: [Row: Series]]
    ) async throws {
        func add(_ row: Row, _ time: Duration, of name: String) {
            times[name, default: [:]][row, default: Series()].add(time)
        }
        let name = contender.name
        add(.fromNothing, try await timed { try await contender.fromNothing() }, of: name)
        // The first is for connections and caches.
        try await contender.nothingToDo()
        let driver = RawDriver(swarm: swarm, concurrency: 1)
        if contender.isPaired { _ = try await driver.list() }
        for _ in 0..<contender.looks {
            add(.nothingToDo, try await timed { try await contender.nothingToDo() }, of: name)
            guard contender.isPaired else { continue }
            add(.nothingToDo, try await timed { _ = try await driver.list() }, of: Self.rawList)
        }
        for value in 1...Self.changes {
            add(.changeOne, try await timed { try await contender.changeOne(to: value) }, of: name)
        }
        add(.deleteAll, try await timed { try await contender.deleteAll() }, of: name)
    }

    private func figures(
        _ row: Row, _ best: Double, _ times: [String: [Row: Series]]
    ) -> [Figure] {
        let pal = times[PalContender.title]?[row]?.median ?? .nan
        let words = row.words.replacing("%d", with: String(count))
        var figures = [
            Figure(
                row.rawValue, "\(words): pal / the raw API at its best", value: pal / best,
                aim: row == .nothingToDo ? 1.5 : 1.05,
                parts: ["palMs": pal, "rawMs": best, "rounds": Double(rounds)])
        ]
        if let compose = times[ComposeContender.title]?[row]?.median {
            figures.append(
                Figure(
                    row.rawValue + "Compose", "\(words): pal / docker-compose",
                    value: pal / compose, aim: row == .nothingToDo ? 0.05 : 1,
                    parts: ["palMs": pal, "composeMs": compose]))
        }
        return figures
    }
}

extension Contender {
    var looks: Int { 20 }
    var isPaired: Bool { false }
}

/// The Engine's API driven directly.
struct RawContender: Contender {
    let name: String
    private let driver: RawDriver
    private let names: [String]

    init(_ swarm: String, _ names: [String], concurrency: Int) {
        name = "raw API, \(concurrency) at once"
        driver = RawDriver(swarm: swarm, concurrency: concurrency)
        self.names = names
    }

    mutating func fromNothing() async throws { try await driver.converge(names) }
    mutating func nothingToDo() async throws { _ = try await driver.list() }
    // Measured beside pal's.
    var looks: Int { 0 }
    mutating func changeOne(to value: Int) async throws {
        try await driver.change(names[0], to: value)
    }
    mutating func deleteAll() async throws { try await driver.delete(names) }
    mutating func end() async {}
}

import PalEngine
import PalLedger

/// pal: a running controller, whose specs change.
struct PalContender: Contender {
    static let title = "pal"
    let name = title
    let looks = 40
    let changes = 10
    let isPaired = true
    private let bench: BenchSwarm
    private let names: [String]
    private var running: Running?

    private struct Running {
        var specs: String
        var ledger: TellingLedger
        var reconciler: Reconciler
        var task: Task<Void, Never>
    }

    init(_ bench: BenchSwarm, _ names: [String]) {
        self.bench = bench
        self.names = names
    }

    mutating func fromNothing() async throws {
        let specs = try bench.writeSpecs(names)
        let ledger = TellingLedger(try bench.makeLedger())
        let reconciler = try bench.makeReconciler(specs: specs, ledger: ledger)
        let task = Task { await reconciler.run() }
        running = Running(specs: specs, ledger: ledger, reconciler: reconciler, task: task)
        try await ledger.settle(.apply)
    }

    mutating func nothingToDo() async throws { try await settle(.once) }

    mutating func changeOne(to value: Int) async throws {
        try write(names.prefix(1), "env: { CHANGED: \"\(value)\" }\n")
        try await settle(.apply)
    }

    mutating func deleteAll() async throws {
        try write(names[...], "state: absent\n")
        try await settle(.apply)
    }

    mutating func end() async {
        await running?.reconciler.stop()
        await running?.task.value
        running = nil
    }

    private func settle(_ verb: ControlRequest.Verb) async throws {
        guard let running else { throw BenchmarkFailure("pal does not run") }
        try await running.ledger.settle(verb)
    }

    private func write(_ names: ArraySlice<String>, _ more: String) throws {
        guard let running else { throw BenchmarkFailure("pal does not run") }
        for name in names { try bench.writeSpec(name, more, in: running.specs) }
    }
}

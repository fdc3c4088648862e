import PalModel
import PalEngine
import PalLedger

/// While nothing happens nothing is done, and no queue and no table grows.
struct Growth {
    static let promise = "nothing grows while nothing happens"
    /// How long nothing happens.
    static let time = Duration.seconds(400)

    private struct Measure {
        var entries: Int
        var calls: Int
        var timers: Int
        var events: Int64
        /// What the engine keeps in mind, table by table.
        var tables: [String: Int]
    }

    private let world: World
    private let before: Measure

    init(_ world: World) {
        self.world = world
        before = Self.measure(world)
    }

    private static func measure(_ world: World) -> Measure {
        Measure(
            entries: world.trace.count, calls: world.life.value.calls.value,
            timers: world.clock.pending,
            events: (try? world.life.value.ledger.newestEvent()) ?? 0, tables: tables(world))
    }

    private static func tables(_ world: World) -> [String: Int] {
        guard let reconciler = world.life.value.reconciler else { return [:] }
        let sizes = Confined([String: Int]())
        _ = world.scheduler.start { sizes.value = await reconciler.tableSizes }
        _ = world.scheduler.run(until: world.clock.elapsed()) { !sizes.value.isEmpty }
        return sizes.value
    }

    /// What grew, by name.
    mutating func found() -> [(name: String, what: String)] {
        let after = Self.measure(world)
        let lists = Int(Self.time.seconds / world.setup.policy.resync.seconds) + 2
        var found: [(String, String)] = []
        func limit(_ what: String, _ growth: Int, _ most: Int) {
            if growth > most { found.append(("-", "\(growth) \(what), more than \(most)")) }
        }
        limit("calls that change something", after.calls - before.calls, 0)
        limit("new events", Int(after.events - before.events), 4)
        limit("more timers", after.timers - before.timers, 4)
        // A list, its mark in the state, a look at the files: for each provider, each time.
        limit("entries in the trace", after.entries - before.entries, lists * 12)
        for (table, size) in after.tables.sorted(by: { $0.key < $1.key }) {
            limit("more \(table) in mind", size - before.tables[table, default: 0], 2)
        }
        if after.tables.isEmpty { found.append(("-", "the engine does not say what it keeps")) }
        let ledger = world.life.value.ledger
        limit("open intents", (try? ledger.openIntents().count) ?? 0, 0)
        limit("open requests", (try? ledger.openRequests().count) ?? 0, 0)
        let names = Set(world.tree.instances.map(\.name))
            .union(world.platforms.flatMap(\.objects).compactMap(\.name))
        for record in world.life.value.mirror.sorted
        where !names.contains(record.name) && !keepsStorage(record) {
            found.append(
                (
                    record.name,
                    "its record stays, and nothing else of it is left" + Convergence.says(record)
                ))
        }
        return found
    }

    /// Whether storage is left that was to go as well, and that nobody lets go.
    private func keepsStorage(_ record: InstanceRecord) -> Bool {
        record.discardsStorageSince != nil
            && record.conditions.contains { $0.kind == .parked }
            && world.platforms.flatMap(\.volumes).contains { $0.instance == record.name }
    }
}

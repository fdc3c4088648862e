import PalEngine
import PalLedger
import PalModel

/// Two controllers of one swarm that know nothing of each other: both read the same specs, and each
/// has a ledger of its own, as on two machines, so that no lock keeps them apart.
///
/// What one rule says of one controller cannot hold for two; judged is what the platforms show: one
/// live instance for a name, no data lost without permission, and an end to it.
public enum Rivals {
    /// How long people change specs.
    private static let time = Duration.seconds(60)
    /// How long nothing may be done in the end.
    private static let rest = Duration.seconds(400)
    private static let deeds = 12
    /// What may go wrong beside the rival itself.
    private static let faults: Set<Fault> = [
        .serverError, .slowCall, .failedPage, .partialList, .staleList, .lostEvent, .lateEvent,
        .slowStart, .crashingInstance, .halfCreation, .serverDefaults, .lostFileEvent,
    ]

    /// Runs one seed.
    /// - Returns: What is wrong, and how much both did; nothing wrong where all is well.
    public static func run(seed: UInt64) throws -> (complaints: [String], effects: [Int]) {
        try RivalRun(seed).play()
    }

    /// One run of the two.
    private struct RivalRun {
        let world: World
        let outside: Outside
        let other: Controller
        let safety = Confined<[any Checker]>([OneLiveInstance(), PersistentData()])
        let complaints = Confined([String]())
        let effects = Confined([0, 0])

        init(_ seed: UInt64) throws {
            var setup = Setup(seed: seed)
            setup.duration = Rivals.time
            setup.deeds = 0
            var options = Options()
            options.faults = Rivals.faults
            world = try World(seed: seed, setup, options)
            outside = Outside(world)
            other = Controller(1000, trace: world.trace, faults: world.faults)
            let (safety, complaints, effects) = (safety, complaints, effects)
            world.trace.observe { [scene = world.scene] entry in
                scene.lineage.value.see(entry)
                if case .took(_, let effect) = entry.fact, effect != .nothing {
                    effects.value[entry.controller == 1000 ? 1 : 0] += 1
                }
                for index in safety.value.indices {
                    guard let breach = safety.value[index].see(entry, scene) else { continue }
                    complaints.value.append(
                        "at \(entry.at.milliseconds) ms, \(breach.name): \(breach.what)")
                }
            }
        }

        func play() throws -> (complaints: [String], effects: [Int]) {
            outside.begin()
            for _ in 0..<Rivals.deeds {
                let deed = outside.random.value.number(0...3)
                world.clock.after(outside.random.value.time(0...Int(Rivals.time.milliseconds))) {
                    switch deed {
                    case 0: outside.addSpec()
                    case 1: outside.removeSpec()
                    default: outside.changeSpec()
                    }
                }
            }
            let second = try world.reconciler(other, SQLiteLedger.inMemory(), Mirror())
            let tasks = [
                world.scheduler.start { await world.keepControlling() },
                world.scheduler.start { await second.run() },
            ]
            run(for: Rivals.time)
            world.faults.end()
            run(for: world.setup.patience)
            let before = effects.value
            run(for: Rivals.rest)
            if effects.value != before {
                complaints.value.append("they never come to rest: \(before), \(effects.value)")
            }
            world.life.value.isOver = true
            world.shutDown()
            _ = world.scheduler.start { await second.stop() }
            run(for: .seconds(60))
            for task in tasks { task.cancel() }
            run(for: .seconds(60))
            world.trace.observe(nil)
            return (complaints.value, effects.value)
        }

        private func run(for time: Duration) {
            _ = world.scheduler.run(until: world.clock.elapsed() + time)
        }
    }
}

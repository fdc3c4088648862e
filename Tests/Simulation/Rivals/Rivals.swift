import PalEngine
import PalLedger
import PalModel

/// Two controllers of one swarm that know nothing of each other: both read the same specs, and each
/// has a ledger of its own, as on two machines, so that no lock keeps them apart.
///
/// What the platforms show must hold whoever did it: one live instance for a name, no data lost
/// without permission, and an end to it. What a controller promises of its own deeds is judged of
/// each of the two; not what depends on how things stand at that moment (whether an editor runs, or
/// is ready), which the other may have changed since.
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

    /// The number of the second controller in the trace; the first one counts from 1.
    private static let second = 1000

    /// Runs one seed.
    public static func run(seed: UInt64, _ options: Options = Options()) -> Outcome {
        Outcome(seed: seed) { outcome throws in
            let run = try RivalRun(seed, options)
            try run.play()
            run.tell(&outcome)
        }
    }

    /// One run of the two.
    private struct RivalRun {
        let world: World
        let outside: Outside
        let other: Controller
        let judges: Confined<Judges>
        let tally = Confined(Tally())
        let findings = Confined([Finding]())

        init(_ seed: UInt64, _ options: Options) throws {
            var setup = Setup(seed: seed)
            setup.duration = Rivals.time
            setup.deeds = 0
            var options = options
            options.faults.formIntersection(Rivals.faults)
            world = try World(seed: seed, setup, options)
            outside = Outside(world)
            other = Controller(Rivals.second, trace: world.trace, faults: world.faults)
            judges = Confined(Judges(setup.policy))
            let (judges, tally, scene) = (judges, tally, world.scene)
            world.trace.observe { entry in
                scene.lineage.value.see(entry)
                judges.value.see(entry, scene)
                tally.value.see(entry)
            }
        }

        func play() throws {
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
            let before = judges.value.effects
            run(for: Rivals.rest)
            if judges.value.effects != before {
                broken("they come to rest", "\(before) effects, then \(judges.value.effects)")
            }
            world.life.value.isOver = true
            world.shutDown()
            _ = world.scheduler.start { await second.stop() }
            run(for: .seconds(60))
            for task in tasks { task.cancel() }
            run(for: .seconds(60))
            world.trace.observe(nil)
        }

        func tell(_ outcome: inout Outcome) {
            outcome.findings = judges.value.findings + findings.value
            outcome.take(world, tally.value)
            outcome.coverage["effects of the first"] = judges.value.effects[0]
            outcome.coverage["effects of the second"] = judges.value.effects[1]
        }

        private func run(for time: Duration) {
            let end = world.scheduler.run(until: world.clock.elapsed() + time)
            guard end == .spinning else { return }
            broken("time goes on", "something is done again and again without any time passing")
        }

        private func broken(_ promise: String, _ what: String) {
            findings.value.append(
                Finding(
                    promise: promise, at: world.clock.elapsed().milliseconds, name: "-",
                    what: what))
        }
    }

    /// Who judges the two.
    private struct Judges {
        private var both: Safety
        private var each: [Safety]
        private(set) var effects = [0, 0]

        var findings: [Finding] { both.findings + each.flatMap(\.findings) }

        init(_ policy: Policy) {
            both = Safety([OneInstanceOfRivals(), PersistentData(), NoSecrets()])
            each = (0..<2).map { _ in
                Safety([
                    OwnObjectsOnly(), OneChangeInFlight(), CompleteReads(), PruneBudget(policy),
                    IntentFirst(), PausesAfterFailures(policy), LooksBeforeRepeating(),
                    KeepsPauses(),
                ])
            }
        }

        mutating func see(_ entry: Entry, _ scene: Scene) {
            both.see(entry, scene)
            let isSecond = entry.controller == Rivals.second
            // What others do beside them concerns both.
            if entry.controller == 0 || !isSecond { each[0].see(entry, scene) }
            if entry.controller == 0 || isSecond { each[1].see(entry, scene) }
            if case .took(_, let effect) = entry.fact, effect != .nothing {
                effects[isSecond ? 1 : 0] += 1
            }
        }
    }
}

import FoundationEssentials
import Logging
import PalEngine
import PalLedger
import PalModel
import PalProvider

/// One simulated world: platforms, files, disk, and the controllers that come and go in it.
final class World: Sendable {
    static let swarm = "sim"

    let seed: UInt64
    let setup: Setup
    let scheduler: Scheduler
    let trace: Trace
    let faults: FaultPlan
    let platforms: [SimulatedPlatform]
    let tree: SimulatedTree
    let disk: Disk
    let bells = Bells()
    let lineage = Confined(Lineage())
    let life: Confined<Life>

    /// The controller's side of the world.
    struct Life {
        var ledger: SQLiteLedger
        var mirror = Mirror()
        var controller: Controller?
        var reconciler: Reconciler?
        var controllers = 0
        var isOver = false
        /// Whether a ledger was lost, and with it what the user set once.
        var hasForgotten = false
        var random: SeededRandom
        var calls = Confined(0)
        /// What could not even begin, for the end of the run.
        var startFailures = 0
        /// At which of its steps the next controller crashes; nil where it does not.
        var crashesAfter: Int?
    }

    var clock: VirtualClock { scheduler.clock }
    var scene: Scene { Scene(platforms: platforms, swarm: Self.swarm, lineage: lineage) }

    init(seed: UInt64, _ setup: Setup, _ options: Options) throws {
        self.seed = seed
        self.setup = setup
        scheduler = Scheduler(seed)
        let clock = scheduler.clock
        trace = Trace(clock, keepsLines: options.keepsTrace)
        faults = FaultPlan(
            seed: seed, allowed: options.faults, all: options.usesAllFaults,
            trace: trace)
        let (trace, faults) = (trace, faults)
        platforms = [PlatformKind.container, .machine].map {
            SimulatedPlatform(
                $0, swarm: Self.swarm, seed: seed, clock: clock, faults: faults, trace: trace)
        }
        tree = SimulatedTree(clock: clock, faults: faults, trace: trace)
        disk = Disk(clock)
        life = Confined(
            Life(
                ledger: try SQLiteLedger.inMemory(),
                random: SeededRandom(seed: seed, for: "controllers")))
    }

    // MARK: Controllers

    /// One controller after the other, until the run is over.
    func keepControlling() async {
        while !life.value.isOver {
            if let (controller, reconciler) = begin() {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await reconciler.run() }
                    group.addTask { for await _ in controller.death {} }
                    await group.next()
                    group.cancelAll()
                }
                controller.end()
                trace.add(.ended, by: controller.number)
                life.value.controller = nil
                life.value.reconciler = nil
            }
            guard !life.value.isOver else { return }
            let pause = life.value.random.time(10...8000)
            try? await clock.sleep(for: pause)
            loseLedger()
        }
    }

    private func begin() -> (Controller, Reconciler)? {
        life.value.controllers += 1
        let controller = Controller(life.value.controllers, trace: trace, faults: faults)
        let guardian = SecretScan(trace: trace)
        let ledger = SimulatedLedger(
            base: life.value.ledger, mirror: life.value.mirror, disk: disk, bells: bells,
            controller: controller,
            trace: trace, guardian: guardian)
        let logger = CapturingLog.logger(guardian)
        do {
            let reconciler = try Reconciler(
                .init(
                    swarm: Self.swarm,
                    source: SimulatedSource(
                        tree, controller: controller.number),
                    providers: providers(controller, logger), ledger: ledger, clock: clock,
                    random: RunRandom(SeededRandom(seed: life.value.random.next())),
                    logger: logger), policy: enginePolicy)
            let isNew = try ledger.records().isEmpty
            trace.add(.began(ledgerIsNew: isNew), by: controller.number)
            if let steps = life.value.crashesAfter { controller.crash(afterSteps: steps) }
            life.value.crashesAfter = nil
            life.value.controller = controller
            life.value.reconciler = reconciler
            return (controller, reconciler)
        } catch {
            life.value.startFailures += 1
            return nil
        }
    }

    /// What the engine is given; checkers go by the setup's own.
    private var enginePolicy: Policy {
        setup.policy
    }

    /// The providers as one controller has them.
    func providers(_ controller: Controller, _ logger: Logger) -> [any Provider] {
        platforms.map { platform in
            let wire = Wire(
                platform: platform, controller: controller,
                random: Confined(SeededRandom(seed: life.value.random.next())),
                calls: life.value.calls)
            return platform.kind.capabilities.features.contains(.events)
                ? EventfulSimulatedProvider(wire: wire, logger: logger)
                : SimulatedProvider(wire: wire, logger: logger)
        }
    }

    /// Now and then the state directory is gone when pal starts again.
    private func loseLedger() {
        if faults.strikes(.lostLedger) { forget() }
    }

    /// From now on there is another ledger, and nothing in it.
    func forget() {
        guard let fresh = try? SQLiteLedger.inMemory() else { return }
        life.value.ledger = fresh
        life.value.hasForgotten = true
        life.value.mirror = Mirror()
    }

    /// Ends the controller in good order; another one follows, unless the run is over.
    func shutDown() {
        guard let reconciler = life.value.reconciler else { return }
        _ = scheduler.start { await reconciler.stop() }
    }

    /// Leaves a request, as a command does.
    func ask(_ request: ControlRequest) {
        guard disk.problem == nil,
            (try? life.value.ledger.ask(request, at: clock.date())) != nil
        else { return }
        trace.add(.requested(request))
        clock.after(.milliseconds(2)) { [bells] in bells.ring() }
    }
}

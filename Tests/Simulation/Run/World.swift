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
        var isLocked = false
        var isOver = false
        /// Whether a ledger was lost, and with it what the user set once.
        var hasForgotten = false
        var random: SeededRandom
        var calls = Confined(0)
        /// What could not even begin, for the end of the run.
        var startFailures = 0
        /// At which of its steps the next controller crashes; nil where it does not.
        var crashesAfter: Int?
        /// Whether controllers can crash at calls that only ask.
        var crashesAtQuestions = false
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

    /// A supervisor, which starts pal again whenever it has ended, until the run is over.
    func keepControlling() async {
        while !life.value.isOver {
            let wasFree = !life.value.isLocked
            await control()
            guard !life.value.isOver else { return }
            // Where somebody else controls, there is no hurry.
            let pause = life.value.random.time(wasFree ? 10...8000 : 30_000...60_000)
            try? await clock.sleep(for: pause)
            loseLedger()
        }
    }

    /// One start of pal: its whole life as the controller, or nothing where there is one. Whoever
    /// starts it, what holds the kernel's lock is the controller, until it ends however it ends.
    func control() async {
        guard !life.value.isLocked else {
            trace.add(.refusedSecond)
            return
        }
        life.value.isLocked = true
        defer { life.value.isLocked = false }
        guard let (controller, reconciler) = begin() else { return }
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

    private func begin() -> (Controller, Reconciler)? {
        life.value.controllers += 1
        let controller = Controller(
            life.value.controllers, trace: trace, faults: faults,
            crashesAtQuestions: life.value.crashesAtQuestions)
        do {
            let reconciler = try reconciler(controller, life.value.ledger, life.value.mirror)
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

    /// The engine of one controller, on the ledger that it has.
    func reconciler(
        _ controller: Controller, _ base: SQLiteLedger, _ mirror: Mirror
    ) throws -> Reconciler {
        let guardian = SecretScan(trace: trace)
        let ledger = SimulatedLedger(
            base: base, mirror: mirror, disk: disk, bells: bells, controller: controller,
            trace: trace, guardian: guardian)
        let logger = CapturingLog.logger(guardian)
        let source = SimulatedSource(tree, controller: controller.number)
        let random = RunRandom(SeededRandom(seed: life.value.random.next()))
        let reconciler = try Reconciler(
            .init(
                swarm: Self.swarm, source: source, providers: providers(controller, logger),
                ledger: ledger, clock: clock, random: random, logger: logger),
            policy: setup.policy)
        trace.add(.began(ledgerIsNew: try ledger.records().isEmpty), by: controller.number)
        return reconciler
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
        guard !life.value.isLocked else { return }
        if faults.strikes(.lostLedger) { forget() }
    }

    /// From now on there is another ledger, and nothing in it.
    func forget() {
        guard let fresh = try? SQLiteLedger.inMemory() else { return }
        life.value.ledger = fresh
        life.value.hasForgotten = true
        for platform in platforms { platform.forgetAdoptions() }
        life.value.mirror = Mirror()
    }

    /// Ends the controller in good order; another one follows, unless the run is over.
    func shutDown() {
        guard let reconciler = life.value.reconciler else { return }
        _ = scheduler.start { await reconciler.stop() }
    }

    /// Leaves a request, as a command does.
    /// - Returns: The request's number; nil where it could not be left.
    @discardableResult
    func ask(_ request: ControlRequest) -> Int64? {
        guard disk.problem == nil,
            let number = try? life.value.ledger.ask(request, at: clock.date())
        else { return nil }
        var request = request
        request.number = number
        trace.add(.requested(request))
        clock.after(.milliseconds(2)) { [bells] in bells.ring() }
        return number
    }
}

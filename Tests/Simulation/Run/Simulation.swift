import PalEngine

/// One seed's run: things happen, things go wrong; then nothing goes wrong any more, and all must
/// become as it is declared.
public enum Simulation {
    /// Runs a seed. Nothing in it depends on anything but the seed and the options, and nothing
    /// waits for real time.
    public static func run(seed: UInt64, _ options: Options = Options()) -> Outcome {
        Outcome(seed: seed) { outcome throws in
            let run = try Run(seed, options)
            run.play()
            run.tell(&outcome)
        }
    }
}

extension Outcome {
    /// What comes of a run; where it cannot begin, that is what was found.
    init(seed: UInt64, _ run: (inout Outcome) throws -> Void) {
        self.init(seed: seed)
        do {
            try run(&self)
        } catch {
            findings = [Finding(promise: "the run begins", at: 0, name: "-", what: "\(error)")]
        }
    }

    /// Takes in what a world and a tally show at the end, all but the findings.
    mutating func take(_ world: World, _ tally: Tally) {
        traceHash = world.trace.hash
        trace = world.trace.lines
        virtualTime = world.clock.elapsed().milliseconds
        effects = tally.effects
        strikes = world.faults.strikes
        coverage = tally.seen
    }
}

/// The phases of a run.
struct Run {
    let world: World
    let outside: Outside
    let safety: Confined<Safety>
    let tally = Confined(Tally())
    let findings = Confined([Finding]())

    init(_ seed: UInt64, _ options: Options) throws {
        self.init(try World(seed: seed, Setup(seed: seed), options))
    }

    /// - Parameter also: Sees every entry of the trace, after the checkers.
    init(_ world: World, also: @escaping @Sendable (Entry) -> Void = { _ in }) {
        self.world = world
        outside = Outside(world)
        safety = Confined(Safety(world.setup.policy))
        let (safety, tally, scene) = (safety, tally, world.scene)
        world.trace.observe { entry in
            scene.lineage.value.see(entry)
            safety.value.see(entry, scene)
            tally.value.see(entry)
            also(entry)
        }
    }

    func play() {
        outside.begin()
        let world = world
        let root = world.scheduler.start { await world.keepControlling() }
        if run(for: world.setup.duration) {
            heal()
            // What is stuck ends, and fails, when its time is over.
            if run(for: max(Plans.longestWait, Fate.patience)),
                converge(withSomebody: world.setup.isAttended)
            {
                rest()
                if world.setup.looksAtPlans { LookedAtPlans(self).check() }
                if world.setup.hasHopeless { tryInVain() }
            }
        }
        end(root)
    }

    /// Ends the controller, and all that still waits in the world.
    func end(_ root: Task<Void, Never>) {
        world.life.value.isOver = true
        world.shutDown()
        // What is in flight gets its time, and what was written then a moment.
        let grace = world.setup.policy.shutdownGrace + .seconds(1)
        let hasEnded = { world.life.value.controller == nil }
        if !run(for: grace, unless: hasEnded) || !hasEnded() {
            broken("pal ends when it is told to", "the controller still runs after its grace")
        }
        root.cancel()
        _ = world.scheduler.run(until: world.clock.elapsed() + .seconds(60))
        // The observer holds the world that holds it.
        world.trace.observe(nil)
    }

    /// Lets time pass.
    /// - Returns: False where that never ends.
    func run(for time: Duration, unless isOver: () -> Bool = { false }) -> Bool {
        let end = world.scheduler.run(until: world.clock.elapsed() + time, unless: isOver)
        guard end == .spinning else { return true }
        broken("time goes on", "something is done again and again without any time passing")
        return false
    }

    func heal() {
        world.faults.end()
        outside.mendFiles()
        outside.removeStrangers()
        world.disk.heal()
        world.life.value.controller?.spare()
        world.trace.add(.outside("from here on nothing goes wrong any more"))
    }

    /// Waits until all is as it should be, and stays so.
    /// - Parameter somebody: Whether a person consents to what waits for that.
    func converge(withSomebody somebody: Bool) -> Bool {
        let end = world.clock.elapsed() + world.setup.patience
        var state = Convergence(world)
        while world.clock.elapsed() < end {
            guard run(for: .seconds(5)) else { return false }
            if somebody { outside.care() }
            if state.isReached(), state.hasEmptyPlan(self) { return true }
        }
        for (name, what) in state.unmet { broken(Convergence.promise, what, name) }
        for (name, what) in state.left { broken("the next plan is empty", what, name) }
        return false
    }

    /// Nothing happens for a while: nothing may be done, and nothing may grow.
    func rest() {
        // Deletions that are held back go on when the ones before them are long enough ago.
        if !world.setup.isAttended, !run(for: world.setup.policy.pruneWindow * 6) { return }
        var growth = Growth(world)
        guard run(for: Growth.time) else { return }
        for (name, what) in growth.found() { broken(Growth.promise, what, name) }
    }

    func broken(_ promise: String, _ what: String, _ name: String = "-") {
        findings.value.append(
            Finding(
                promise: promise, at: world.clock.elapsed().milliseconds, name: name, what: what))
    }

    func tell(_ outcome: inout Outcome) {
        outcome.findings = safety.value.findings + findings.value
        outcome.take(world, tally.value)
    }
}

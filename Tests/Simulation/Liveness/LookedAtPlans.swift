import PalEngine
import PalLedger
import PalModel

/// A plan that somebody looked at is carried out while nothing has moved, and refused where the
/// specs or the instances have.
struct LookedAtPlans {
    static let promise = "a plan is carried out as it was looked at, or refused"
    /// A file that was not there when somebody looked.
    private static let late = "late"
    /// How long an answer may take.
    private static let patience = Duration.seconds(120)

    private let run: Run

    init(_ run: Run) { self.run = run }

    private var world: World { run.world }

    /// Looks and asks three times: with nothing moved, with another spec, with an instance gone.
    func check() {
        guard let still = look() else { return }
        expect(nil, of: still)
        guard run.converge(withSomebody: world.setup.isAttended), let before = look() else {
            return
        }
        world.tree.write("\(Self.late).yaml", [InstanceConfig(name: Self.late)])
        expect("the specs", of: before)
        guard run.converge(withSomebody: world.setup.isAttended), let whole = look() else { return }
        guard removeOne() else { return }
        expect("the instances", of: whole)
        guard run.converge(withSomebody: world.setup.isAttended) else { return }
        checkWithSteps()
    }

    /// The same of a plan that has something to do: while nobody controls somebody looks at it and
    /// asks for it, and whoever controls then does that and nothing else; or nothing.
    private func checkWithSteps() {
        guard let preview = lookWhileNobodyControls(after: "later") else { return }
        // What waits for others that are never ready goes on waiting.
        let steps = preview.plans.filter { $0.waitsFor == nil }.reduce(0) { $0 + $1.steps.count }
        guard steps > 0 else { return run.broken(Self.promise, "a new spec is no step of a plan") }
        let before = run.tally.value.effects
        expect(nil, of: Self.bound(preview))
        let made = run.tally.value.effects - before
        if made != steps {
            run.broken(Self.promise, "it had \(steps) steps, and \(made) calls had an effect")
        }
        guard run.converge(withSomebody: world.setup.isAttended),
            let old = lookWhileNobodyControls(after: "last"), removeOne()
        else { return }
        let unmoved = run.tally.value.effects
        expect("the instances", of: Self.bound(old))
        if run.tally.value.effects != unmoved {
            run.broken(Self.promise, "something was done before it was refused")
        }
        _ = run.converge(withSomebody: world.setup.isAttended)
    }

    /// Ends the controller, writes another file, and looks at the plan. The next controller comes
    /// when its supervisor tries again.
    private func lookWhileNobodyControls(after name: String) -> Preview? {
        world.shutDown()
        let hasEnded = { world.life.value.controller == nil }
        guard run.run(for: world.setup.policy.shutdownGrace, unless: hasEnded), hasEnded() else {
            return nil
        }
        world.life.value.isLocked = true
        defer { world.life.value.isLocked = false }
        world.tree.write("\(name).yaml", [InstanceConfig(name: name)])
        // Until it counts as written.
        guard run.run(for: .seconds(1)) else { return nil }
        return run.preview()
    }

    /// The plan of this moment; nil where no controller runs.
    private func look() -> BoundPlan? {
        guard let reconciler = world.life.value.reconciler else { return nil }
        let plan = Confined(BoundPlan?.none)
        _ = world.scheduler.start { plan.value = Self.bound(await reconciler.preview()) }
        guard run.run(for: .seconds(1), unless: { plan.value != nil }) else { return nil }
        return plan.value
    }

    private static func bound(_ preview: Preview) -> BoundPlan {
        let steps = preview.plans.filter { !$0.steps.isEmpty }.map { ($0.name, $0.steps) }
        return BoundPlan(
            preview.digest, steps: Dictionary(steps, uniquingKeysWith: { first, _ in first }))
    }

    /// Somebody deletes an instance by hand that stands where it is declared.
    private func removeOne() -> Bool {
        for config in world.tree.instances where config.suspend != true && config.state == nil {
            let home = config.provider ?? "docker"
            guard let platform = world.platforms.first(where: { $0.kind.name == home }),
                let object = platform.objects.first(where: {
                    $0.name == config.name && $0.ownership?.swarm == World.swarm
                        && $0.status == .running
                })
            else { continue }
            platform.remove(object, in: .milliseconds(1))
            return run.run(for: .milliseconds(2))
        }
        return false
    }

    /// Asks for a plan, and judges the answer.
    ///
    /// - Parameter moved: What has moved since it was looked at; nil for nothing.
    private func expect(_ moved: String?, of plan: BoundPlan) {
        var request = ControlRequest(
            verb: .apply, names: plan.steps.keys.sorted(), by: "eve")
        request.plan = plan
        guard let number = world.ask(request) else {
            return run.broken(Self.promise, "it could not be asked for")
        }
        let ledger = world.life.value.ledger
        let reply = Confined(ControlReply?.none)
        func isAnswered() -> Bool {
            reply.value = try? ledger.reply(to: number)
            return reply.value != nil
        }
        guard run.run(for: Self.patience, unless: isAnswered), let reply = reply.value else {
            return run.broken(Self.promise, "nobody answers whoever asked for it")
        }
        let refusal = reply.messages.first { $0.contains("since the plan was made") }
        switch (moved, refusal) {
        case (nil, nil): return
        case (let moved?, let refusal?) where !reply.isDone && refusal.hasPrefix(moved): return
        default:
            run.broken(
                Self.promise,
                "\(moved ?? "nothing") moved, and the answer was: "
                    + (reply.isDone ? "done" : reply.messages.joined(separator: "; ")))
        }
    }
}

import Logging
import PalEngine
import PalModel
import PalProvider

extension Run {
    /// What `pal plan` shows, which is no controller and may run beside one; nil where it cannot
    /// within a minute.
    func preview() -> Preview? {
        let preview = Confined(Preview?.none)
        let reader = Controller(0, trace: world.trace, faults: world.faults)
        let logger = CapturingLog.logger(SecretScan(trace: world.trace))
        let providers = world.providers(reader, logger)
        let ledger = world.life.value.ledger
        let task = world.scheduler.start { [world] in
            let source = SimulatedSource(world.tree, controller: 0)
            preview.value = try? await Preview.make(
                source: source, providers: providers, ledger: ledger, clock: world.clock,
                policy: world.setup.policy)
        }
        guard run(for: .seconds(60), unless: { preview.value != nil }) else { return nil }
        task.cancel()
        return preview.value
    }
}

/// When everything has converged, the next plan is empty: nothing is done again and again.
extension Convergence {
    /// Makes the plan that `pal plan` would show.
    mutating func hasEmptyPlan(_ run: Run) -> Bool {
        guard let made = run.preview()?.plans else {
            left = [("-", "no plan could be made within a minute")]
            return false
        }
        let own = planOfTheController(run.world)
        let undone = (made + own).filter { !$0.steps.isEmpty }
        left = undone.filter { !waits($0.name) && !isAskedFor($0.name) }.map { plan in
            let causes = plan.causes.map(\.message).joined(separator: "; ")
            return (plan.name, "\(plan.action.rawValue): \(causes)")
        }
        return left.isEmpty
    }

    /// What the controller would do now, which knows what was seen and has not been told since.
    private func planOfTheController(_ world: World) -> [InstancePlan] {
        guard let reconciler = world.life.value.reconciler else { return [] }
        let plans = Confined([InstancePlan]())
        _ = world.scheduler.start { plans.value = await reconciler.preview().plans }
        _ = world.scheduler.run(until: world.clock.elapsed() + .milliseconds(1))
        return plans.value
    }

    /// Whether it waits for somebody who never comes. Why it does may be known from a call alone,
    /// and not to a plan that makes none.
    private func isAskedFor(_ name: String) -> Bool {
        guard !world.setup.isAttended, let record = world.life.value.mirror.records[name] else {
            return false
        }
        return waitsForSomebody(record)
    }

    /// Whether it waits for others to be ready.
    private func waits(_ name: String) -> Bool {
        world.tree.instances.contains {
            $0.name == name && !areServing($0.dependsOn ?? [], seen: [name])
        }
    }
}

extension FieldSupport {
    /// Whether a platform makes a field true.
    var isHonoured: Bool { if case .honoured = self { true } else { false } }
}

import Logging
import PalEngine
import PalModel
import PalProvider

/// When everything has converged, the next plan is empty: nothing is done again and again.
extension Convergence {
    /// Makes the plan that `pal plan` would show.
    func hasEmptyPlan(_ run: Run) -> Bool {
        let world = run.world
        let plans = Confined([InstancePlan]?.none)
        let reader = Controller(0, trace: world.trace, faults: world.faults)
        let logger = CapturingLog.logger(SecretScan(trace: world.trace))
        let providers = world.providers(reader, logger)
        let ledger = world.life.value.ledger
        let task = world.scheduler.start {
            let source = SimulatedSource(world.tree, controller: 0)
            plans.value = try? await Preview.make(
                source: source, providers: providers, ledger: ledger, clock: world.clock,
                policy: world.setup.policy
            ).plans
        }
        guard run.run(for: .seconds(60), unless: { plans.value != nil }) else { return false }
        task.cancel()
        guard let made = plans.value else {
            run.broken("the next plan is empty", "no plan could be made within a minute")
            return false
        }
        let left = made.filter { !$0.steps.isEmpty && !waits($0.name) }
        for plan in left {
            run.broken(
                "the next plan is empty",
                "\(plan.action.rawValue): \(plan.causes.map(\.message).joined(separator: "; "))",
                plan.name)
        }
        return left.isEmpty
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

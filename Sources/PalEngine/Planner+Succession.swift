internal import PalModel
internal import PalProvider

/// Start-first replacement: the old instance serves until the new one is ready.
///
/// The two differ in their generation. Which of them stays is decided anew at every look, so that a
/// controller that was killed in between goes on where it was.
extension Planner {
    /// Whether the new instance can be made while the old one runs: they share no storage, no
    /// workspace and no port outside.
    static func startsFirst(
        _ input: PlanInput, _ wanted: Wanted, _ old: VSCodeInstance
    ) -> Bool {
        guard old.isUp, wanted.state == .running, let applied = input.record?.applied?.value
        else { return false }
        let keepsStorage =
            wanted.capabilities.features.contains(.storage)
            && (wanted.config.resources.storagePersistent != false
                || applied.resources.storagePersistent != false)
        let sharesWorkspace =
            wanted.config.workspacePath != nil
            && wanted.config.workspacePath == applied.workspacePath
        return !keepsStorage && !sharesWorkspace && !sharesPort(wanted, old)
            && wanted.rules.canStandBeside(wanted.config.value)
    }

    /// An outside port is kept over replacements, so that only a platform that lets two instances
    /// stand behind one can start first there; a port that the spec fixes is never shared.
    private static func sharesPort(_ wanted: Wanted, _ old: VSCodeInstance) -> Bool {
        let taken = Set(old.network.ports.compactMap(\.external))
        let fixed = Set((wanted.config.network.ports ?? []).compactMap(\.external))
        if !fixed.isDisjoint(with: taken) { return true }
        return !taken.isEmpty && !wanted.capabilities.sharesOutsidePorts
    }

    /// The decision where more than one generation stands. The newest succeeds the one before it
    /// where both are of one id. Where one of them is neither this ledger's nor as declared,
    /// because the ledger was lost in between or another made it, somebody must agree to that.
    static func succession(_ input: PlanInput, _ wanted: Wanted) -> InstancePlan {
        let all = input.observed.map(\.value)
        let new = all[all.count - 1]
        let old = all[all.count - 2]
        guard new.ownership.generation > old.ownership.generation, new.id == old.id else {
            let ids = all.map(\.providerInstanceId).sorted().joined(separator: ", ")
            return blocked(
                input, "Ambiguous",
                "more than one object bears this name (\(ids)); delete all but one by hand")
        }
        if let freeze = foreignHash(input, wanted, input.observed.suffix(2)) { return freeze }
        var plan = empty(input)
        if input.isBehind {
            plan.causes = [.init("waiting for what was made last to be shown")]
            return plan
        }
        plan.action = .replace
        plan.change = .replace
        let turn = "generation \(new.ownership.generation)"
        let stays = "generation \(old.ownership.generation) goes on"
        if new.isServing {
            plan.causes = [.init("\(turn) is ready")]
            plan.steps = removal(old)
        } else if new.ownership.specHash != wanted.hash {
            plan.givesUp = .superseded
            plan.causes = [.init("\(turn) is not what is declared any more; \(stays)")]
            plan.steps = removal(new)
        } else if wanted.state != .running {
            plan.causes = [.init("\(turn) stands, and is to be stopped")]
            plan.steps = removal(old)
        } else if [.failed, .stopped].contains(new.status) || input.isSuccessorLate {
            plan.givesUp = .failed
            let end = new.exit.map { " (\($0.text))" } ?? ""
            let why = input.isSuccessorLate ? "is not ready in time" : "ended unready\(end)"
            plan.causes = [.init("\(turn) \(why); \(stays)")]
            plan.steps = removal(new)
        } else {
            plan = empty(input)
            plan.causes = [.init("waiting for \(turn) to be ready")]
        }
        return plan
    }
}

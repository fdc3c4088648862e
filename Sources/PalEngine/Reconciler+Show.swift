internal import FoundationEssentials
internal import Logging
internal import PalModel
internal import PalProvider

/// Publishing: what came of a decision, for the ledger and everyone who reads it.
extension Reconciler {
    /// Publishes a decision: outcome, conditions, event, ledger.
    func show(_ key: Key, _ plan: InstancePlan, _ outcome: Outcome) {
        noteReady(key)
        key.outcome = outcome
        tellChange(key, outcome)
        if var record = key.record?.value {
            // What nobody can see now is kept as it was seen last.
            if world.isSeen(key) { record.observed = key.instance }
            record.conditions = conditions(key, plan, record, outcome)
            if record.consent != nil, plan.consent != nil, record.consent != plan.consent {
                // What was agreed to is not what would be done now.
                record.consent = nil
            }
            decide(&record, plan, outcome)
            let isNews = record != key.record?.value
            let shared = Shared(record)
            key.record = shared
            if isNews { save(shared) }
        }
        if let until = key.record?.hold?.until {
            let left = until.timeIntervalSince(parts.clock.date())
            // The clock may be set meanwhile.
            let pause = min(.seconds(left), policy.resync)
            if left > 0 { queue.add(key.name, at: parts.clock.elapsed() + pause) }
        }
        key.keep(plan)
    }

    private func tellChange(_ key: Key, _ outcome: Outcome) {
        switch outcome {
        case .blocked(let why) where why != key.attempts.toldProblem:
            key.attempts.toldProblem = why
            note(key.name, .warning, "Blocked", why)
        case .settled: key.attempts.toldProblem = nil
        default: break
        }
    }

    private func conditions(
        _ key: Key, _ plan: InstancePlan, _ record: InstanceRecord, _ outcome: Outcome
    ) -> [Condition] {
        let old = record.conditions
        var conditions = [readyCondition(key, record)] + plan.conditions
        if case .retrying(let why) = outcome,
            !conditions.contains(where: { [.failing, .providerUnreachable].contains($0.kind) })
        {
            conditions.append(Condition(.failing, reason: "Retrying", message: why))
        }
        for index in conditions.indices {
            let new = conditions[index]
            let same = old.first { $0.kind == new.kind && $0.isTrue == new.isTrue }
            conditions[index].since = new.since ?? same?.since ?? parts.clock.date()
        }
        return conditions
    }

    private func readyCondition(_ key: Key, _ record: InstanceRecord) -> Condition {
        guard let instance = record.observed?.value else {
            return key.declaration?.config.value.state == .absent
                ? Condition(.ready, false, reason: "Absent", message: "its spec says state: absent")
                : Condition(.ready, false, reason: "Pending", message: "there is no instance yet")
        }
        if instance.isServing {
            return Condition(
                .ready, reason: "Ready", message: instance.network.urls.first ?? "it answers")
        }
        var why = "it is \(instance.statusText)"
        if case .notReady(let reason) = instance.readiness { why = reason }
        return Condition(.ready, false, reason: instance.status.rawValue, message: why)
    }

    // MARK: The decision, for `pal why`

    private func decide(
        _ record: inout InstanceRecord, _ plan: InstancePlan, _ outcome: Outcome
    ) {
        var new = Decision(
            at: parts.clock.date(), action: plan.action, causes: plan.causes.map(\.message),
            outcome: .settled)
        switch outcome {
        case .settled: break
        case .waiting(let why): (new.outcome, new.message) = (.underWay, why)
        case .waitingFor(let names):
            (new.outcome, new.message) = (.waiting, "waits for \(names.joined(separator: ", "))")
        case .retrying(let why): (new.outcome, new.message) = (.retrying, why)
        case .blocked(let why): (new.outcome, new.message) = (.blocked, why)
        }
        if record.decision?.saysTheSame(as: new) != true { record.decision = new }
    }

    /// Notes the decision to carry a plan out, with the record that is saved before the first step.
    func noteDecision(_ key: Key, _ plan: InstancePlan) {
        key.record?.decision = Decision(
            at: parts.clock.date(), action: plan.action, causes: plan.causes.map(\.message),
            outcome: .underWay)
    }

    // MARK: Drift

    /// Keeps which fields are not as pal made them, and since when; tells it once.
    func noteDrift(_ key: Key, _ plan: InstancePlan) {
        let known = key.record?.drift ?? []
        let new = (plan.drift ?? []).map { change in
            known.first { $0.change == change } ?? Drift(change: change, since: parts.clock.date())
        }
        guard key.record != nil, new != known else { return }
        key.record?.drift = new.isEmpty ? nil : new
        if !new.isEmpty {
            let words = plan.conditions.filter { $0.kind == .drifted }.map(\.message)
            note(key.name, .warning, "Drifted", words.joined(separator: "; "))
        }
        if let record = key.record { save(record) }
    }
}

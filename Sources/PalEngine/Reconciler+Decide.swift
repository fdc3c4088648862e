internal import FoundationEssentials
internal import Logging
internal import PalModel
internal import PalProvider

/// Decisions: one name at a time, from what the world knows now.
extension Reconciler {
    /// Decides on every name whose turn it is, and starts what must be carried out.
    func startReconciling(_ group: inout DiscardingTaskGroup) {
        guard world.desired != nil else { return }
        let now = parts.clock.elapsed()
        let free = policy.maximumParallel - queue.inFlight.count
        guard free > 0 else { return }
        for name in queue.take(at: now, .max, where: { canDecide($0) }) {
            guard let plan = decide(name) else {
                queue.done(name)
                continue
            }
            let home = world.provider(of: name)
            guard let state = world.providers[home], state.calls < state.maximumCalls,
                queue.inFlight.count <= policy.maximumParallel
            else {
                queue.done(name)
                queue.add(name)
                world.keys[name]?.awaitsCall = true
                continue
            }
            world.providers[home]?.calls += 1
            group.addTask { await self.carryOut(plan, on: home) }
        }
    }

    /// A name that must be looked at waits for the look, unless nobody answers. One whose plan
    /// waits for a call to spare is not planned again before there is one, or before there are
    /// news of it.
    private func canDecide(_ name: String) -> Bool {
        guard scope?.contains(name) ?? true, let key = world.keys[name] else { return true }
        // What is frozen is decided without a look; its provider may be one that nobody needs.
        guard key.frozen.isEmpty else { return true }
        let state = world.providers[world.provider(of: name)]
        guard let state, state.problem == nil else { return true }
        if key.awaitsCall, state.calls >= state.maximumCalls { return false }
        return state.isListed && !key.mustLook
    }

    /// Decides on a name.
    /// - Returns: A plan with steps to be carried out now; nil where there is nothing to do now.
    private func decide(_ name: String) -> InstancePlan? {
        guard scope?.contains(name) ?? true, world.keys[name] != nil,
            let path = world.desired?.specsPath
        else { return nil }
        world.keys[name]?.awaitsCall = false
        adoptKnowledge(of: name, specsPath: path)
        var plan = Planner.plan(world.input(for: name, specsPath: path, clock: parts.clock))
        guard !plan.steps.isEmpty else {
            settle(name, plan)
            return nil
        }
        if let wait = admission.admit(plan, at: parts.clock.elapsed()) {
            plan.steps = []
            plan.conditions.append(wait)
            settle(name, plan)
            return nil
        }
        return holdBack(name, plan) ? nil : plan
    }

    /// Counts a crash, and waits out the backoff.
    private func holdBack(_ name: String, _ plan: InstancePlan) -> Bool {
        guard var key = world.keys[name] else { return true }
        let now = parts.clock.elapsed()
        if plan.action == .start, let exit = crash(of: key), exit != key.countedExit {
            key.countedExit = exit
            key.record?.failures += 1
            key.notBefore = now + policy.retry.delay(after: key.record?.failures ?? 1, parts.random)
            note(name, .warning, "Crashed", "it ended by itself: \(exit.text)")
        }
        world.keys[name] = key
        if let failures = key.record?.failures, failures >= policy.stallAfter {
            stall(name, plan, failures)
            return true
        }
        guard key.notBefore > now else { return false }
        queue.add(name, at: key.notBefore)
        var waiting = plan
        waiting.conditions.append(
            Condition(
                .failing, reason: "BackOff",
                message: key.toldProblem ?? "it ended by itself; it is started again after a pause")
        )
        show(name, waiting, .retrying(key.toldProblem ?? "waiting before the next attempt"))
        return true
    }

    private func crash(of key: Key) -> ExitReport? {
        let instance = key.observed.values.first?.first
        guard let instance, instance.status == .failed else { return nil }
        return instance.exit ?? ExitReport(code: nil)
    }

    private func stall(_ name: String, _ plan: InstancePlan, _ failures: Int) {
        var stalled = plan
        let last = world.keys[name]?.toldProblem.map { ": \($0)" } ?? ""
        let message =
            "failed \(failures) times in a row\(last); change the spec, "
            + "or 'pal start \(name)' to try again"
        stalled.conditions.append(Condition(.stalled, reason: "TooManyFailures", message: message))
        show(name, stalled, .blocked(message))
    }

    // MARK: Nothing to do

    /// Records a name that needs no step: as it should be, on its way, or blocked.
    private func settle(_ name: String, _ plan: InstancePlan) {
        guard let key = world.keys[name] else { return }
        let home = world.provider(of: name)
        if key.declaration == nil, key.frozen.isEmpty, key.observed.isEmpty,
            key.record?.discardsStorageSince == nil, world.providers[home]?.isListed ?? true
        {
            forget(name)
            return
        }
        if let stop = plan.conditions.first(where: {
            [.blocked, .parked, .orphan].contains($0.kind)
        }) {
            show(name, plan, .blocked(stop.message))
            return
        }
        if let problem = plan.conditions.first(where: { $0.kind == .providerUnreachable }) {
            show(name, plan, .retrying(problem.message))
            return
        }
        // What is about to end or to change shows only then what is true of it.
        if plan.causes.isEmpty { noteApplied(name) }
        guard let instance = key.observed[home]?.first, shouldRun(name) else {
            show(name, plan, .settled)
            return
        }
        settleRunning(name, plan, instance, home)
    }

    private func shouldRun(_ name: String) -> Bool {
        guard let key = world.keys[name], let config = key.declaration?.config else { return false }
        guard (config.state ?? .running) == .running else { return false }
        return key.record?.hold?.holds(at: parts.clock.date(), state: config.state) != true
    }

    private func settleRunning(
        _ name: String, _ plan: InstancePlan, _ instance: VSCodeInstance, _ home: String
    ) {
        let now = parts.clock.elapsed()
        guard instance.status == .running, instance.readiness.isReady else {
            world.keys[name]?.readySince = nil
            world.keys[name]?.looks += 1
            let looks = world.keys[name]?.looks ?? 1
            let pause = policy.readiness.delay(after: looks, parts.random)
            world.keys[name]?.mustLook = true
            world.providers[home]?.look(at: name, at: now + pause)
            var why = "\(instance.status.rawValue)"
            if case .notReady(let reason) = instance.readiness { why = reason }
            show(name, plan, .waiting(why))
            return
        }
        world.keys[name]?.looks = 0
        if let since = world.keys[name]?.readySince {
            if now - since >= policy.settledAfter { world.keys[name]?.record?.failures = 0 }
        } else {
            world.keys[name]?.readySince = now
            if world.keys[name]?.record?.conditions.contains(where: {
                $0.kind == .ready && $0.isTrue
            }) != true {
                note(
                    name, .normal, "Ready",
                    instance.network.urls.first.map { "answers at \($0)" }
                        ?? "ready")
            }
        }
        if (world.keys[name]?.record?.failures ?? 0) > 0 {
            queue.add(name, at: now + policy.settledAfter)
        }
        show(name, plan, .settled)
    }

    /// Nothing is declared and nothing is there: nothing is kept.
    private func forget(_ name: String) {
        if world.keys[name]?.record != nil {
            do {
                try parts.ledger.forget(name)
            } catch {
                parts.logger.error("\(error)")
                return
            }
        }
        world.keys[name] = nil
    }

    /// Publishes a decision: outcome, conditions, event, ledger.
    func show(_ name: String, _ plan: InstancePlan, _ outcome: Outcome) {
        guard var key = world.keys[name] else { return }
        key.outcome = outcome
        tellChange(name, &key, outcome)
        if var record = key.record {
            let home = world.provider(of: name)
            record.observed = key.observed[home]?.first
            record.conditions = conditions(name, plan, record, outcome)
            if record != key.record { save(record) }
            key.record = record
        }
        world.keys[name] = key
        if let until = key.record?.hold?.until {
            let left = until.timeIntervalSince(parts.clock.date())
            if left > 0 { queue.add(name, at: parts.clock.elapsed() + .seconds(left)) }
        }
    }

    private func tellChange(_ name: String, _ key: inout Key, _ outcome: Outcome) {
        switch outcome {
        case .blocked(let why) where why != key.toldProblem:
            key.toldProblem = why
            note(name, .warning, "Blocked", why)
        case .settled: key.toldProblem = nil
        default: break
        }
    }

    private func conditions(
        _ name: String, _ plan: InstancePlan, _ record: InstanceRecord, _ outcome: Outcome
    ) -> [Condition] {
        let old = record.conditions
        var conditions = [readyCondition(record, outcome)] + plan.conditions
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

    private func readyCondition(_ record: InstanceRecord, _ outcome: Outcome) -> Condition {
        guard let instance = record.observed else {
            return Condition(.ready, false, reason: "Absent", message: "there is no instance yet")
        }
        if instance.status == .running, instance.readiness.isReady {
            return Condition(
                .ready, reason: "Ready", message: instance.network.urls.first ?? "it answers")
        }
        var why = "it is \(instance.status.rawValue)"
        if let exit = instance.exit, instance.status != .running { why += " (\(exit.text))" }
        if case .notReady(let reason) = instance.readiness { why = reason }
        return Condition(.ready, false, reason: instance.status.rawValue, message: why)
    }
}

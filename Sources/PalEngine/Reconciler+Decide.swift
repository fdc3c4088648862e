internal import DequeModule
internal import FoundationEssentials
internal import Logging
internal import PalModel
internal import PalProvider

/// Decisions: one name at a time, from what the world knows now.
extension Reconciler {
    /// Whether another name may be worked on.
    var hasRoom: Bool {
        world.desired != nil && queue.inFlight.count < policy.maximumParallel && !holdsBackForPlan
    }

    /// Decides on every name whose turn it is, and starts what must be carried out.
    func startReconciling(_ group: inout DiscardingTaskGroup) {
        var left = policy.decisionsPerTurn
        while hasRoom, left > 0, let name = queue.next(at: parts.clock.elapsed()) {
            left -= 1
            reconcile(name, &group)
        }
    }

    private func reconcile(_ name: String, _ group: inout DiscardingTaskGroup) {
        guard canDecide(name), let plan = decide(name) else {
            queue.done(name)
            return
        }
        if let time = pause(before: plan) {
            queue.done(name)
            waitOutPause(plan, until: time)
            return
        }
        guard world.providers[plan.provider]?.hasCallToSpare == true else {
            queue.done(name)
            waitForCall(name, plan.provider)
            return
        }
        world.providers[plan.provider]?.calls += 1
        group.addTask { await self.carryOut(plan) }
    }

    /// Until when the providers that a plan calls want to be left alone; nil where they do not.
    func pause(before plan: InstancePlan) -> Duration? {
        // A replacement may be prepared at another provider than the one where it begins.
        let home = plan.action == .replace ? world[plan.name]?.home : nil
        let now = parts.clock.elapsed()
        return [plan.provider, home].compactMap(\.self).filter { isPaused($0, at: now) }
            .compactMap { world.providers[$0]?.pausedUntil }.max()
    }

    func isPaused(_ provider: String, at now: Duration) -> Bool {
        world.providers[provider].map { $0.pausedUntil > now } ?? false
    }

    private func waitOutPause(_ plan: InstancePlan, until time: Duration) {
        guard let key = world[plan.name] else { return }
        showPause(key, plan, of: plan.provider)
        queue.add(plan.name, at: time)
    }

    private func showPause(_ key: Key, _ plan: InstancePlan, of provider: String) {
        let message = "'\(provider)' had too many calls, and asked for a pause"
        var waiting = plan
        waiting.conditions.append(Condition(.failing, reason: "RateLimited", message: message))
        show(key, waiting, .retrying(message))
    }

    /// One whose plan waits for a call to spare is not planned again before there is one, or before
    /// there are news of it.
    private func waitForCall(_ name: String, _ provider: String) {
        guard let key = world[name] else { return }
        key.attempts.awaitsCall = true
        world.providers[provider]?.waiting.append(name)
    }

    /// Whether a name may be touched.
    func isInScope(_ name: String) -> Bool { scope?.contains(name) ?? true }

    /// Gives a call back, and lets the one that waited longest have it.
    func giveCallBack(_ provider: String) {
        world.providers[provider]?.calls -= 1
        while let next = world.providers[provider]?.waiting.popFirst() {
            guard world[next]?.attempts.awaitsCall == true else { continue }
            enqueue(next)
            return
        }
    }

    /// A name that must be looked at waits for the look, unless nobody answers; the look puts it in
    /// line again.
    private func canDecide(_ name: String) -> Bool {
        guard isInScope(name), let key = world[name] else { return true }
        // What is frozen is decided without a look; its provider may be one that nobody needs.
        guard key.frozen.isEmpty else { return true }
        if world.awaitsList(key) { return false }
        let awaited = key.mustLookAt.filter { world.providers[$0]?.problem == nil }
        let now = parts.clock.elapsed()
        if let paused = awaited.sorted().first(where: { isPaused($0, at: now) }),
            let path = world.desired?.specsPath
        {
            showPause(
                key, Planner.plan(world.input(for: key, specsPath: path)), of: paused)
        }
        return awaited.isEmpty
    }

    /// Decides on a name.
    /// - Returns: A plan with steps to be carried out now; nil where there is nothing to do now.
    private func decide(_ name: String) -> InstancePlan? {
        guard let key = world[name], let path = world.desired?.specsPath else { return nil }
        guard isInScope(name) else {
            noteReady(key)
            return nil
        }
        key.attempts.awaitsCall = false
        if looksAfterLanding(key) { return nil }
        adoptKnowledge(of: key, specsPath: path)
        var plan = Planner.plan(world.input(for: key, specsPath: path))
        noteDrift(key, plan)
        plan = Admission.gate(plan, world.dependencies) { world[$0]?.isReady == true }
        guard !plan.steps.isEmpty else {
            settle(key, plan)
            return nil
        }
        if let missing = plan.waitsFor {
            show(key, plan, .waitingFor(missing))
            return nil
        }
        if holdBack(key, plan) { return nil }
        if let wait = admission.admit(plan, at: parts.clock.elapsed(), parts.clock.date()) {
            plan.steps = []
            plan.conditions.append(wait)
            settle(key, plan)
            return nil
        }
        // Whoever comes after a crash must know of it.
        if plan.isPrune { saveState() }
        return plan
    }

    /// Counts a crash, and waits out the backoff.
    private func holdBack(_ key: Key, _ plan: InstancePlan) -> Bool {
        let now = parts.clock.elapsed()
        if plan.action == .start, let exit = crash(of: key), exit != key.attempts.countedExit {
            key.attempts.countedExit = exit
            countFailure(key)
            key.attempts.notBefore =
                now + policy.retry.delay(after: key.record?.failures ?? 1, parts.random)
            note(key.name, .warning, "Crashed", "it ended by itself: \(exit.text)")
        }
        if let stall = Stall.condition(
            of: plan, key.record?.value, after: policy.stallAfter, because: key.attempts.lastFailure
        ) {
            var stalled = plan
            stalled.conditions.append(stall)
            show(key, stalled, .blocked(stall.message))
            return true
        }
        guard key.attempts.notBefore > now else { return false }
        queue.add(key.name, at: key.attempts.notBefore)
        var waiting = plan
        waiting.conditions.append(
            Condition(
                .failing, reason: "BackOff",
                message: key.attempts.lastFailure
                    ?? "it ended by itself; it is started again after a pause")
        )
        show(key, waiting, .retrying(key.attempts.lastFailure ?? "waiting before the next attempt"))
        return true
    }

    /// Counts a failure against the declaration as it stands.
    func countFailure(_ key: Key) {
        key.record?.failures += 1
        key.record?.failedSpec = key.declaration?.config.value.digest
    }

    private func crash(of key: Key) -> ExitReport? {
        guard let instance = key.instance?.value, instance.status == .failed else { return nil }
        return instance.exit ?? ExitReport(code: nil)
    }

    // MARK: Nothing to do

    /// Records a name that needs no step: as it should be, on its way, or blocked.
    private func settle(_ key: Key, _ plan: InstancePlan) {
        noteMemoryDeath(key)
        if key.declaration == nil, key.frozen.isEmpty, key.observed.isEmpty,
            key.record?.discardsStorageSince == nil || world.isScaledDown(key),
            key.record == nil || world.providers[key.home]?.isListed ?? true
        {
            if let landing = world.landing(of: key) {
                decideAgain(key, when: landing)
                show(key, plan, .waiting(landing.reason))
            } else {
                forget(key.name)
            }
            return
        }
        if let stop = plan.conditions.first(where: { $0.kind.stopsWork }) {
            lookUntilServing(key)
            show(key, plan, .blocked(stop.message))
            return
        }
        if let problem = plan.conditions.first(where: { $0.kind == .providerUnreachable }) {
            guard let landing = world.landing(of: key), landing.provider != key.home else {
                show(key, plan, .retrying(problem.message))
                return
            }
            decideAgain(key, when: landing)
            show(key, plan, .waiting(problem.message))
            return
        }
        if plan.conditions.contains(where: { $0.kind == .suspended }) {
            lookUntilServing(key)
            show(key, plan, .settled)
            return
        }
        // What is about to end or to change shows only then what is true of it.
        if plan.causes.isEmpty {
            key.attempts.madeBecause = nil
            noteSettled(key)
        }
        if key.observed.count == 1, key.instance?.status == .deleting {
            return awaitDeletion(key, plan)
        }
        if key.attempts.deletionDeadline != nil { key.attempts.deletionDeadline = nil }
        guard let instance = key.instance?.value, shouldRun(key) else {
            show(key, plan, .settled)
            return
        }
        settleRunning(key, plan, instance)
    }

    /// Notes that what is declared is true. Where that takes back what was just made, a list that
    /// is behind may say so; then it is looked at again before it is believed.
    private func noteSettled(_ key: Key) {
        let config = key.declaration?.config
        if let changedAt = key.attempts.changedAt, config != key.record?.applied {
            let time = changedAt + policy.listLag
            guard time <= parts.clock.elapsed() else {
                world.providers[key.home]?.look(at: key.name, at: time)
                queue.add(key.name, at: time)
                return
            }
        }
        noteApplied(key, config)
    }

    private func shouldRun(_ key: Key) -> Bool {
        guard let config = key.declaration?.config.value else { return false }
        guard (config.state ?? .running) == .running else { return false }
        return key.record?.hold?.holds(at: parts.clock.date(), state: config.state) != true
    }

    private func settleRunning(_ key: Key, _ plan: InstancePlan, _ instance: VSCodeInstance) {
        let now = parts.clock.elapsed()
        let isBehind = key.observed.count > 1 && world.landing(of: key) != nil
        guard instance.isServing, !isBehind else {
            if key.observed.count > 1, key.attempts.successorDeadline == nil {
                key.attempts.successorDeadline = now + policy.progressDeadline
            }
            lookAgain(key)
            var why = "\(instance.status.rawValue)"
            if case .notReady(let reason) = instance.readiness { why = reason }
            noteUnready(key, instance, why)
            show(key, noteLate(key, plan, why), .waiting(why))
            return
        }
        key.attempts.looks = 0
        key.attempts.unreadySince = nil
        key.attempts.isToldLate = false
        key.attempts.awaitsReady = false
        noteReady(key)
        if let since = key.readySince, now - since >= policy.settledAfter { forgetFailures(key) }
        if (key.record?.failures ?? 0) > 0 { queue.add(key.name, at: now + policy.settledAfter) }
        show(key, plan, .settled)
    }

    /// Says once that what was ready and runs is not ready any more, unless pal itself started it.
    private func noteUnready(_ key: Key, _ instance: VSCodeInstance, _ why: String) {
        guard instance.status == .running, !instance.isServing, isShownReady(key),
            !key.attempts.awaitsReady
        else { return }
        note(key.name, .warning, "NotReady", why)
    }

    private func isShownReady(_ key: Key) -> Bool {
        key.record?.conditions.contains { $0.kind == .ready && $0.isTrue } == true
    }

    /// Says once that it takes too long until something answers, or a platform too long to make it.
    /// Nothing is done about that: what is in it may be at work.
    private func noteLate(_ key: Key, _ plan: InstancePlan, _ why: String) -> InstancePlan {
        let now = parts.clock.elapsed()
        let since = key.attempts.unreadySince ?? now
        key.attempts.unreadySince = since
        guard now - since >= policy.progressDeadline else { return plan }
        let time = TimeSpan(milliseconds: Int(policy.progressDeadline / .milliseconds(1))).text
        let message =
            "not ready in \(time) (\(why)); look at 'pal logs \(key.name)', and at "
            + "health.path and network.port of its spec; 'pal restart \(key.name)' starts it anew"
        if !key.attempts.isToldLate { note(key.name, .warning, "NotReadyInTime", message) }
        key.attempts.isToldLate = true
        var late = plan
        late.conditions.append(Condition(.failing, reason: "NotReadyInTime", message: message))
        return late
    }

    /// Somebody deletes it: when it is gone it is made again, and an event says so at once. Whether
    /// that broke off, only time tells.
    private func awaitDeletion(_ key: Key, _ plan: InstancePlan) {
        if key.attempts.deletionDeadline == nil {
            key.attempts.deletionDeadline = parts.clock.elapsed() + policy.deletionGrace
        }
        lookAgain(key)
        show(key, plan, .waiting("it is being deleted"))
    }

    /// Looks soon at what nothing can be done to, but which is on its way: others wait for it.
    private func lookUntilServing(_ key: Key) {
        guard let instance = key.instance?.value, !instance.isServing,
            instance.isUp || instance.status == .creating
        else { return }
        lookAgain(key)
    }

    private func lookAgain(_ key: Key) {
        key.attempts.looks += 1
        let pause = policy.readiness.delay(after: key.attempts.looks, parts.random)
        key.mustLookAt.insert(key.home)
        world.providers[key.home]?.look(at: key.name, at: parts.clock.elapsed() + pause)
    }

    /// Notes that the editor answers, where it does, and wakes those that wait for it. For them it
    /// does not matter whether it is as declared, or waits for somebody.
    func noteReady(_ key: Key) {
        guard key.readySince == nil, world.isSeen(key), key.instance?.value.isServing == true
        else { return }
        key.readySince = parts.clock.elapsed()
        for dependent in world.dependencies.dependents[key.name] ?? [] { enqueue(dependent) }
        guard !isShownReady(key) else { return }
        let url = key.instance?.value.network.urls.first
        note(key.name, .normal, "Ready", url.map { "answers at \($0)" } ?? "ready")
    }

    /// Looks at a name again when a creation can have no effect any more that is not seen.
    private func decideAgain(_ key: Key, when landing: Landing) {
        let left = max(0, landing.until.timeIntervalSince(parts.clock.date()))
        queue.add(key.name, at: parts.clock.elapsed() + .seconds(left))
    }

    /// Has one last look at what came of a creation that was not answered, or failed.
    /// - Returns: Whether that look must be waited for.
    private func looksAfterLanding(_ key: Key) -> Bool {
        guard let landing = key.record?.landing, world.isOver(landing) else { return false }
        key.record?.landing = nil
        guard world.providers[landing.provider] != nil, !key.shows(landing) else { return false }
        key.mustLookAt.insert(landing.provider)
        world.providers[landing.provider]?.look(at: key.name, at: parts.clock.elapsed())
        return true
    }

    /// Nothing is declared and nothing is there: nothing is kept.
    private func forget(_ name: String) {
        if world[name]?.record != nil {
            do {
                try parts.ledger.forget(name)
            } catch {
                tellTrouble(error)
                queue.add(name, at: parts.clock.elapsed() + policy.ledgerRetry)
                return
            }
        }
        world.forget(name)
    }
}

extension Condition.Kind {
    /// Whether nothing is done to an instance before somebody acts.
    var stopsWork: Bool { [.blocked, .parked, .orphan, .awaitingApproval].contains(self) }
}

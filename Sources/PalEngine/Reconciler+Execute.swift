internal import FoundationEssentials
internal import Logging
internal import PalModel
internal import PalProvider

/// Carrying out: each step under an intent, the world told of each result.
extension Reconciler {
    /// Carries a plan out, step by step, and puts the name in line for a look at the result.
    func carryOut(_ plan: InstancePlan) async {
        let name = plan.name
        world.touch(name)
        defer { finished(plan) }
        guard let provider = world.providers[plan.provider]?.provider, let key = world[name]
        else { return }
        defer { endProgress(key) }
        let config = key.declaration?.config
        let isScaledDown = world.isScaledDown(key)
        let places = Set(key.observed.map(\.provider))
        noteDecision(key, plan)
        note(name, .normal, startReason(plan), plan.causes.map(\.message).joined(separator: "; "))
        do throws(StepFailure) {
            try await prepare(plan, key)
            for step in plan.steps {
                // What follows is decided anew, when what was just made is ready.
                guard !isStopping, step.awaitsReady != true else { break }
                // The specs may change while an earlier step, or the preparation, takes its time.
                // What is made is made from the newest; nothing else is done for an older one.
                guard
                    step.verb == .create
                        || (key.declaration?.config == config
                            && world.isScaledDown(key) == isScaledDown)
                else { throw .superseded }
                guard step.verb != .create || places.isSuperset(of: key.observed.map(\.provider))
                else { throw .seenElsewhere }
                guard pause(before: plan) == nil else { throw .paused }
                try await carryOut(step, of: plan, with: Executor(provider: provider))
            }
            if !isStopping { succeeded(plan, key, made: config) }
        } catch {
            failed(plan, error)
        }
    }

    /// Makes sure that what a replacement ends with can be made, before it takes anything away.
    private func prepare(_ plan: InstancePlan, _ key: Key) async throws(StepFailure) {
        guard plan.action == .replace, plan.givesUp == nil,
            let config = key.declaration?.config.value,
            let provider = world.providers[key.home]?.provider
        else { return }
        do {
            try await provider.prepareInstance(config, progress: progressHandler(key.name))
        } catch {
            world.providers[key.home]?.heed(error, at: parts.clock.elapsed())
            throw .provider(error)
        }
    }

    private func carryOut(
        _ step: Step, of plan: InstancePlan, with executor: Executor
    ) async throws(StepFailure) {
        let name = plan.name
        guard let key = world[name] else { return }
        let request = step.verb == .create ? createRequest(key, step, in: plan) : nil
        guard step.verb != .create || request != nil else { throw .notDeclared }
        if step.verb == .delete {
            let since = plan.discardsStorage ? parts.clock.date() : nil
            key.record?.discardsStorageSince = plan.action == .replace ? nil : since
            key.record?.renewsStorageSince = plan.action == .replace ? since : nil
        }
        let former = key.record
        if step.verb == .create || step.verb == .update {
            noteAttempt(key)
        }
        if step.verb == .create {
            key.record?.landing = landing(on: plan.provider, within: policy.landing)
        }
        guard let record = key.record else { return }
        let intent = Intent(name: name, provider: plan.provider, step: step, at: parts.clock.date())
        let number: Int64
        do {
            number = try parts.ledger.begin(intent, record.value)
        } catch {
            throw .ledger(error)
        }
        var result: VSCodeInstance?
        do {
            result = try await executor.perform(step, of: name, request)
        } catch {
            world.touch(name)
            world.providers[plan.provider]?.heed(error, at: parts.clock.elapsed())
            // What refused this call says nothing of the one before it. A creation that failed may
            // have left something behind, though.
            if isRefused(error), step.verb != .create {
                key.record?.attempted = former?.attempted
                key.record?.attemptedBefore = former?.attemptedBefore
            }
            if step.verb == .create {
                noteLanding(key, plan.provider, after: error, former: former?.landing)
            }
            finish(number, error.description)
            throw .provider(error)
        }
        world.touch(name)
        if step.verb == .create { noteLanding(key, plan.provider, made: result) }
        finish(number, "done")
        took(result, of: step, in: plan, key)
    }

    func landing(
        on provider: String, within time: Duration, isAnswered: Bool? = nil
    ) -> Landing {
        Landing(
            provider: provider, from: parts.clock.date(),
            seconds: time / .seconds(1), isAnswered: isAnswered)
    }

    /// Notes what the end of a creation says of where the object is. What stands may be missing
    /// from a list for a while, which does not mean that it is gone.
    private func noteLanding(
        _ key: Key, _ provider: String, made instance: VSCodeInstance? = nil,
        after failure: ProviderFailure? = nil, former: Landing? = nil
    ) {
        guard let failure else {
            var answered = landing(on: provider, within: policy.listLag, isAnswered: true)
            answered.object = instance?.providerInstanceId
            key.record?.landing = answered
            return
        }
        if isRefused(failure) {
            // What broke off half way may have left something that no list shows yet. What was
            // never answered before can take effect for longer than that.
            var refused = landing(on: provider, within: policy.listLag, isAnswered: true)
            refused.isRefused = true
            let isLonger = former.map { !world.isOver($0) && $0.until > refused.until } ?? false
            key.record?.landing = isLonger ? former : refused
        } else if failure.error != nil {
            key.record?.landing = landing(on: provider, within: policy.listLag, isAnswered: true)
        } else {
            // Counted from here: the clock may have been set since it was begun.
            key.record?.landing = landing(on: provider, within: policy.landing)
        }
    }

    /// Whether a call had no effect. What exists already may be what the same call made, which
    /// arrived twice.
    private func isRefused(_ failure: ProviderFailure) -> Bool {
        switch failure {
        case .ambiguous: false
        case .needsReplacement: true
        case .error(let error): error.code != .alreadyExists
        }
    }

    /// Closes an intent, or owes it.
    func finish(_ number: Int64, _ outcome: String) {
        debts.intents.append((number, outcome))
        closeIntents()
    }

    /// What a creation is told; the record gets the generation and the hash before the call.
    private func createRequest(
        _ key: Key, _ step: Step, in plan: InstancePlan
    ) -> CreateRequest? {
        guard var record = key.record, let config = key.declaration?.config.value,
            let state = world.providers[plan.provider],
            let hash = key.wantedHash(at: state)
        else { return nil }
        record.generation = max(record.generation, step.generation ?? 1)
        record.provider = plan.provider
        let standsBeside = plan.steps.last?.awaitsReady == true
        if !record.issuedHashes.contains(hash) { record.issuedHashes.append(hash) }
        key.record = record
        let ownership = Ownership(
            swarm: parts.swarm, name: key.name, id: record.id, generation: record.generation,
            specHash: hash)
        let isHeld = record.hold?.holds(at: parts.clock.date(), state: config.state) == true
        return CreateRequest(
            config: config, ownership: ownership,
            starts: (config.state ?? .running) == .running && !isHeld,
            keptPorts: record.keptPorts, standsBeside: standsBeside,
            progress: progressHandler(key.name))
    }

    private func took(
        _ instance: VSCodeInstance?, of step: Step, in plan: InstancePlan, _ key: Key
    ) {
        let others = key.observed(at: plan.provider).map(\.value).filter {
            $0.providerInstanceId
                != (step.target?.providerInstanceId ?? instance?.providerInstanceId)
        }
        // From here on it has its time anew.
        key.attempts.unreadySince = nil
        key.attempts.isToldLate = false
        switch step.verb {
        case .delete:
            key.take(others[...], at: plan.provider)
            if others.isEmpty, key.record?.landing?.provider == plan.provider {
                key.record?.landing = nil
            }
        case .create, .update:
            key.attempts.changedAt = parts.clock.elapsed()
            guard let instance else { break }
            key.take(others + [instance], at: plan.provider)
            // That a replacement finds its own storage again is no news.
            guard plan.action != .replace else { break }
            for notice in instance.notices { note(key.name, .normal, "Notice", notice) }
        case .deleteStorage:
            key.record?.discardsStorageSince = nil
            key.record?.renewsStorageSince = nil
        case .start, .stop: break
        }
        // An update may be a restart to the provider.
        if [.create, .start, .update].contains(step.verb) { key.attempts.awaitsReady = true }
    }

    private func succeeded(
        _ plan: InstancePlan, _ key: Key, made config: Shared<InstanceConfig>?
    ) {
        key.attempts.restarts = false
        key.attempts.replaceBecause = nil
        key.attempts.otherFailures = 0
        key.attempts.looks = 0
        key.attempts.successorDeadline = nil
        key.attempts.deletionDeadline = nil
        if plan.action == .delete || plan.action == .replace, !standsByConsent(key) {
            key.record?.consent = nil
        }
        if let reason = plan.givesUp {
            gaveUp(plan, key, reason)
            return
        }
        let object = key.instance?.value.providerInstanceId.prefix(12)
        guard plan.steps.last?.awaitsReady != true else {
            let new = object.map { "\($0) " } ?? ""
            note(
                key.name, .normal, "Created",
                "\(new)beside the old one, which goes when it is ready")
            return
        }
        if !isRepeated(plan, key), plan.action != .start {
            key.attempts.toldProblem = nil
            if plan.action != .restart { forgetFailures(key) }
        }
        noteApplied(key, origin(of: key, after: plan, or: config))
        note(key.name, .normal, endReason(plan), object.map(String.init) ?? "done")
    }

    /// Whether somebody agreed that what stands now is taken over: then it is not yet as declared.
    private func standsByConsent(_ key: Key) -> Bool {
        guard let instance = key.instance?.value else { return false }
        return key.record?.value.agrees(toTakeOver: instance) == true
    }

    /// The config that the standing object was made from: a replacement may end under another
    /// declaration than it began with. Nil where it was not made here: only an older one went.
    private func origin(
        of key: Key, after plan: InstancePlan, or config: Shared<InstanceConfig>?
    ) -> Shared<InstanceConfig>? {
        let isMade = plan.action != .replace || plan.steps.contains { $0.verb == .create }
        let unknown = isMade ? config : nil
        guard let hash = key.instance?.value.ownership.specHash,
            let capabilities = world.providers[key.home]?.capabilities
        else { return unknown }
        // Fields outside the hash may have left the spec since: then several have the same hash.
        // A creation is made from the newest declaration, which is what was attempted.
        let attempts = key.record?.value.attempts ?? []
        let applied = [key.record?.applied].compactMap(\.self)
        let declared = [config].compactMap(\.self)
        let known = attempts + (isMade ? declared + applied : applied + declared)
        return known.first { capabilities.hash(of: $0.value) == hash } ?? unknown
    }

    /// Whether a change that was just made had been made for the same reasons and did not last:
    /// then it is made again only after a pause, and not for ever.
    private func isRepeated(_ plan: InstancePlan, _ key: Key) -> Bool {
        guard [.update, .replace].contains(plan.action) else { return false }
        let causes = plan.causes.map(\.message)
        defer { key.attempts.madeBecause = causes }
        guard key.attempts.madeBecause == causes else { return false }
        countFailure(key)
        let times = key.record?.failures ?? 1
        key.attempts.notBefore =
            parts.clock.elapsed() + policy.retry.delay(after: times, parts.random)
        let why =
            "made already, and the platform shows it otherwise: "
            + causes.joined(separator: "; ")
        if key.attempts.toldProblem != why { note(key.name, .warning, "DoesNotLast", why) }
        (key.attempts.toldProblem, key.attempts.lastFailure) = (why, why)
        return true
    }

    /// A new generation was taken away again, and the old one goes on.
    private func gaveUp(_ plan: InstancePlan, _ key: Key, _ reason: InstancePlan.GivingUp) {
        let why = plan.causes.map(\.message).joined(separator: "; ")
        guard reason == .failed else {
            note(key.name, .normal, "GaveUp", why)
            return
        }
        countFailure(key)
        (key.attempts.toldProblem, key.attempts.lastFailure) = (why, why)
        key.attempts.notBefore =
            parts.clock.elapsed()
            + policy.retry.delay(after: max(1, key.record?.failures ?? 1), parts.random)
        note(key.name, .warning, "GaveUp", why)
        if let record = key.record { save(record) }
    }

    private func finished(_ plan: InstancePlan) {
        giveCallBack(plan.provider)
        let name = plan.name
        queue.done(name)
        world[name]?.mustLookAt.insert(plan.provider)
        if let state = world.providers[plan.provider] {
            let delay = state.gathering(policy.eventDelay)
            state.look(at: name, at: parts.clock.elapsed() + delay)
        }
        enqueue(name)
        bell.ring()
    }

    private func startReason(_ plan: InstancePlan) -> String {
        switch plan.action {
        case .create: "Creating"
        case .start: "Starting"
        case .stop: "Stopping"
        case .restart: "Restarting"
        case .update: "Updating"
        case .replace: "Replacing"
        case .delete: "Deleting"
        case .none: "Planned"
        }
    }

    private func endReason(_ plan: InstancePlan) -> String {
        switch plan.action {
        case .create: "Created"
        case .start: "Started"
        case .stop: "Stopped"
        case .restart: "Restarted"
        case .update: "Updated"
        case .replace: "Replaced"
        case .delete: "Deleted"
        case .none: "Done"
        }
    }
}

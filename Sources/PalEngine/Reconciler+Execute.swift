internal import FoundationEssentials
internal import Logging
internal import PalModel
internal import PalProvider

/// Carrying out: each step under an intent, the world told of each result.
extension Reconciler {
    /// Carries a plan out, step by step, and puts the name in line for a look at the result.
    func carryOut(_ plan: InstancePlan, on home: String) async {
        let name = plan.name
        world.touch(name)
        defer { finished(name, home) }
        guard let provider = world.providers[home]?.provider else { return }
        note(name, .normal, startReason(plan), plan.causes.map(\.message).joined(separator: "; "))
        do throws(StepFailure) {
            if plan.action == .replace, let config = world.keys[name]?.declaration?.config {
                try await preparing { () async throws(ProviderFailure) in
                    try await provider.prepareInstance(config)
                }
            }
            for step in plan.steps {
                guard !isStopping else { return }
                try await carryOut(step, of: plan, with: Executor(provider: provider), home)
            }
            succeeded(plan)
        } catch {
            failed(plan, error, home)
        }
    }

    private func preparing(
        _ body: () async throws(ProviderFailure) -> Void
    ) async throws(StepFailure) {
        do {
            try await body()
        } catch {
            throw .provider(error)
        }
    }

    /// Why a step was not made.
    enum StepFailure: Error {
        case provider(ProviderFailure)
        case ledger(LedgerError)
    }

    private func carryOut(
        _ step: Step, of plan: InstancePlan, with executor: Executor, _ home: String
    ) async throws(StepFailure) {
        let name = plan.name
        let request = step.verb == .create ? createRequest(name, step, home) : nil
        if step.verb == .delete {
            let discards = plan.steps.contains { $0.verb == .deleteStorage }
            world.keys[name]?.record?.discardsStorageSince = discards ? parts.clock.date() : nil
        }
        guard let record = world.keys[name]?.record else { return }
        let intent = Intent(name: name, provider: home, step: step, at: parts.clock.date())
        let number: Int64
        do {
            number = try parts.ledger.begin(intent, record)
        } catch {
            throw .ledger(error)
        }
        var result: VSCodeInstance?
        do {
            result = try await executor.perform(step, of: name, request)
        } catch {
            world.touch(name)
            finish(number, error.description)
            throw .provider(error)
        }
        world.touch(name)
        finish(number, "done")
        took(result, of: step, in: plan, home)
    }

    private func finish(_ number: Int64, _ outcome: String) {
        do {
            try parts.ledger.finish(number, outcome: outcome)
        } catch {
            parts.logger.error("\(error)")
        }
    }

    /// What a creation is told; the record gets the generation and the hash before the call.
    private func createRequest(_ name: String, _ step: Step, _ home: String) -> CreateRequest? {
        guard let key = world.keys[name], var record = key.record,
            let config = key.declaration?.config,
            let capabilities = world.providers[home]?.provider.getCapabilities()
        else { return nil }
        let hash = SpecHash(of: config, fields: capabilities.hashedFields)
        record.generation = max(record.generation, step.generation ?? 1)
        record.provider = home
        if !record.issuedHashes.contains(hash) { record.issuedHashes.append(hash) }
        world.keys[name]?.record = record
        let ownership = Ownership(
            swarm: parts.swarm, name: name, id: record.id, generation: record.generation,
            specHash: hash)
        let isHeld = record.hold?.holds(at: parts.clock.date(), state: config.state) == true
        return CreateRequest(
            config: config, ownership: ownership,
            starts: (config.state ?? .running) == .running && !isHeld, keptPorts: record.keptPorts)
    }

    private func took(
        _ instance: VSCodeInstance?, of step: Step, in plan: InstancePlan, _ home: String
    ) {
        let name = plan.name
        switch step.verb {
        case .delete:
            world.keys[name]?.observed[home] = nil
        case .create, .update:
            guard let instance else { break }
            world.keys[name]?.observed[home] = [instance]
            // That a replacement finds its own storage again is no news.
            guard plan.action != .replace else { break }
            for notice in instance.notices { note(name, .normal, "Notice", notice) }
        case .deleteStorage:
            world.keys[name]?.record?.discardsStorageSince = nil
        case .start, .stop: break
        }
    }

    private func succeeded(_ plan: InstancePlan) {
        let name = plan.name
        world.keys[name]?.restarts = false
        world.keys[name]?.replaceBecause = nil
        world.keys[name]?.looks = 0
        if plan.action != .start {
            world.keys[name]?.toldProblem = nil
            if plan.action != .restart { world.keys[name]?.record?.failures = 0 }
        }
        noteApplied(name)
        if plan.action == .delete { world.keys[name]?.record?.isApproved = false }
        let object = world.keys[name]?.observed.values.first?.first?.providerInstanceId
        note(name, .normal, endReason(plan), object.map { String($0.prefix(12)) } ?? "done")
    }

    private func finished(_ name: String, _ home: String) {
        world.providers[home]?.calls -= 1
        queue.done(name)
        world.keys[name]?.mustLook = true
        let delay = policy.eventDelay
        world.providers[home]?.look(at: name, at: parts.clock.elapsed() + delay)
        enqueue(name)
        bell.ring()
    }

    // MARK: Failures

    private func failed(_ plan: InstancePlan, _ failure: StepFailure, _ home: String) {
        let name = plan.name
        switch failure {
        case .ledger(let error):
            retry(plan, "nothing was changed: \(error)", counts: true)
        case .provider(.ambiguous(let message)):
            retry(plan, "\(message); looking at what came of it", counts: true)
        case .provider(.needsReplacement(let message)):
            world.keys[name]?.replaceBecause = message
            note(name, .normal, "NeedsReplacement", message)
        case .provider(.error(let error)) where error.kind == .connection:
            providerFailed(home, error.message)
        case .provider(.error(let error)) where [.notFound, .alreadyExists].contains(error.code):
            // Somebody was faster, or an earlier call of ours was: a look tells, and it is no
            // failure of the spec. The pause keeps two who disagree from racing.
            retry(plan, error.message, counts: false)
        case .provider(.error(let error)):
            world.keys[name]?.isHopeless = !error.isRetryable
            retry(plan, error.message, counts: true, after: error.retryAfter)
        }
    }

    private func retry(
        _ plan: InstancePlan, _ message: String, counts: Bool, after seconds: Double? = nil
    ) {
        guard var key = world.keys[plan.name] else { return }
        if counts { key.record?.failures += 1 }
        let wait = policy.retry.delay(after: max(1, key.record?.failures ?? 1), parts.random)
        key.notBefore = parts.clock.elapsed() + max(wait, .seconds(seconds ?? 0))
        if key.toldProblem != message {
            note(plan.name, .warning, "Failed", "\(plan.action.rawValue): \(message)")
        }
        key.toldProblem = message
        if let record = key.record { save(record) }
        world.keys[plan.name] = key
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

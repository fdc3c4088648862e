internal import PalModel
internal import PalProvider

/// What a failed step leads to.
extension Reconciler {
    /// Why a step was not made.
    enum StepFailure: Error {
        case provider(ProviderFailure)
        case ledger(LedgerError)
        /// It was to make what is not declared any more.
        case notDeclared
        /// It was decided for a spec that has changed since.
        case superseded
        /// It was to be made, and was seen to stand at another provider since that was decided.
        case seenElsewhere
        /// The provider has asked for a pause meanwhile.
        case paused
    }

    func failed(_ plan: InstancePlan, _ failure: StepFailure) {
        guard let key = world[plan.name] else { return }
        switch failure {
        case .notDeclared:
            note(key.name, .normal, "NotMade", "it is not declared any more")
        case .paused: break
        case .superseded:
            note(key.name, .normal, "Superseded", "its spec changed meanwhile; deciding anew")
        case .seenElsewhere:
            note(
                key.name, .normal, "NotMade",
                "it was seen to stand elsewhere meanwhile; deciding anew")
        case .ledger(let error):
            retry(plan, key, "nothing was changed: \(error)", counts: false)
        case .provider(.ambiguous(let message)):
            retry(plan, key, "\(message); looking at what came of it", counts: false)
        case .provider(.needsReplacement(let message)):
            key.attempts.replaceBecause = message
            note(key.name, .normal, "NeedsReplacement", message)
        case .provider(.error(let error)) where error.kind == .connection:
            providerFailed(plan.provider, error.message)
        case .provider(.error(let error)) where [.notFound, .alreadyExists].contains(error.code):
            // Somebody was faster, or an earlier call of ours was: a look tells, and it is no
            // failure of the spec. The pause keeps two who disagree from racing.
            retry(plan, key, error.message, counts: false)
        case .provider(.error(let error)):
            key.attempts.isHopeless = !error.isRetryable
            retry(
                plan, key, error.message, counts: error.isOfTheSpec, after: error.retryAfter)
        }
    }

    private func retry(
        _ plan: InstancePlan, _ key: Key, _ message: String, counts: Bool,
        after seconds: Double? = nil
    ) {
        if counts { countFailure(key) } else { key.attempts.otherFailures += 1 }
        let times = max(1, counts ? key.record?.failures ?? 1 : key.attempts.otherFailures)
        let wait = policy.retry.delay(after: times, parts.random)
        key.attempts.notBefore = parts.clock.elapsed() + max(wait, .seconds(seconds ?? 0))
        if key.attempts.toldProblem != message {
            note(key.name, .warning, "Failed", "\(plan.action.rawValue): \(message)")
        }
        key.attempts.toldProblem = message
        key.attempts.lastFailure = message
        if let record = key.record { save(record) }
    }
}

extension ProviderError {
    /// Whether the spec or its instance is what fails. What the platform itself fails of passes,
    /// and must not leave a whole swarm waiting for somebody.
    fileprivate var isOfTheSpec: Bool {
        code != .rateLimited && (kind != .provider || !isRetryable)
    }
}

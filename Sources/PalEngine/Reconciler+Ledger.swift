internal import Logging
internal import PalModel
internal import PalProvider

/// What the ledger did not take, and still has to: a full disk must not make it forget.
struct Debts {
    /// Intents that are over.
    var intents: [(number: Int64, outcome: String)] = []
    /// Names whose records are newer than the ledger's.
    var records: Set<String> = []
    /// Whether the swarm's state is.
    var owesState = false
    /// Whether an answer could not be given.
    var owesAnswer = false
    /// What was said of the trouble: what is tried every second is not said every second.
    var told: Set<String> = []

    var isEmpty: Bool { intents.isEmpty && records.isEmpty && !owesState && !owesAnswer }
}

/// Writing to the ledger. A change is made only when its intent is written; all else is owed where
/// it cannot be written at once.
extension Reconciler {
    /// Writes what is owed, as far as the ledger takes it.
    func payDebts() {
        guard !debts.isEmpty else { return }
        debts.owesAnswer = false
        guard closeIntents() else { return }
        for name in debts.records.sorted() {
            debts.records.remove(name)
            if let record = world[name]?.record, !save(record) { return }
        }
        if debts.owesState { saveState() }
    }

    /// Closes the intents that are over.
    @discardableResult
    func closeIntents() -> Bool {
        while let first = debts.intents.first {
            do {
                try parts.ledger.finish(first.number, outcome: first.outcome)
                debts.intents.removeFirst()
            } catch {
                tellTrouble(error)
                return false
            }
        }
        return true
    }

    /// Says what the ledger did not take, once until it takes something again.
    func tellTrouble(_ error: any Error) {
        if debts.told.insert("\(error)").inserted { parts.logger.error("\(error)") }
    }

    private func endTrouble() {
        guard !debts.told.isEmpty else { return }
        debts.told = []
        parts.logger.notice("the ledger can be written again")
    }

    /// Writes a record, or owes it.
    @discardableResult
    func save(_ record: Shared<InstanceRecord>) -> Bool {
        do {
            try parts.ledger.save(record.value)
            debts.records.remove(record.name)
            endTrouble()
            return true
        } catch {
            tellTrouble(error)
            debts.records.insert(record.name)
            return false
        }
    }

    /// Writes what is true of the swarm as a whole. Where only times have changed, not more often
    /// than `statePause`: one change makes many looks.
    ///
    /// - Parameter onlyNews: Nothing where only times have changed: a list will follow.
    func saveState(onlyNews: Bool = false) {
        guard let desired = world.desired else { return }
        var state = SwarmState(specsPath: desired.specsPath, updatedAt: parts.clock.date())
        state.source = desired.source
        state.problems = desired.problems
        state.pruneBlock = world.pruneBlock
        state.parked = admission.parked
        state.recentDeletions = admission.recentDeletions
        for name in world.neededProviders {
            guard let provider = world.providers[name] else { continue }
            state.providers[name] = ProviderHealth(
                type: provider.provider.type, problem: provider.problem,
                listedAt: provider.listedAt)
        }
        if !debts.owesState, !state.providers.isEmpty, let saved = savedState,
            state.isSame(as: saved)
        {
            let age = parts.clock.elapsed() - savedStateAt
            if onlyNews || age < policy.statePause { return }
        }
        do {
            try parts.ledger.save(state)
            savedState = state
            savedStateAt = parts.clock.elapsed()
            debts.owesState = false
        } catch {
            tellTrouble(error)
            debts.owesState = true
        }
    }
}

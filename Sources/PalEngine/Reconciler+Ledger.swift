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
                parts.logger.error("\(error)")
                return false
            }
        }
        return true
    }

    /// Writes a record, or owes it.
    @discardableResult
    func save(_ record: Shared<InstanceRecord>) -> Bool {
        do {
            try parts.ledger.save(record.value)
            debts.records.remove(record.name)
            return true
        } catch {
            parts.logger.error("\(error)")
            debts.records.insert(record.name)
            return false
        }
    }

    /// Writes what is true of the swarm as a whole, where it changed.
    func saveState() {
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
        do {
            try parts.ledger.save(state)
            debts.owesState = false
        } catch {
            parts.logger.error("\(error)")
            debts.owesState = true
        }
    }
}

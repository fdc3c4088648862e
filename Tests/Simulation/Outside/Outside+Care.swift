import PalLedger
import PalEngine
import PalModel

/// Somebody who reads `pal status` now and then, and does what it says.
extension Outside {
    /// What is asked for again is not asked for at once.
    private static let pause = Duration.seconds(25)

    func care() {
        let ledger = world.life.value.ledger
        let now = clock.elapsed()
        guard now - lastCare.value >= Self.pause, let state = try? ledger.swarmState() else {
            return
        }
        lastCare.value = now
        if let parked = state.parked, parked.approvedBy == nil {
            world.ask(.init(verb: .approve, by: "bob"))
        }
        for record in world.life.value.mirror.sorted {
            let reasons = record.conditions.filter { $0.kind == .blocked }.map(\.reason)
            let kinds = Set(record.conditions.map(\.kind))
            if kinds.contains(.stalled) {
                world.ask(.init(verb: .retry, names: [record.name], by: "bob"))
            }
            let isBlocked = record.conditions.contains { $0.reason == "PruneBlocked" }
            if kinds.contains(.orphan) || kinds.contains(.awaitingApproval) || isBlocked
                || reasons.contains("ForeignHash")
            {
                world.ask(.init(verb: .approve, names: [record.name], by: "bob"))
            }
        }
    }
}

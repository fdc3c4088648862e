import PalEngine

/// A ledger that forwards everything, with a crash point before and after each write.
struct CrashingLedger: Ledger {
    let base: any Ledger
    let points: CrashPoints

    func records() throws(LedgerError) -> [InstanceRecord] { try base.records() }
    func openIntents() throws(LedgerError) -> [Intent] { try base.openIntents() }
    func swarmState() throws(LedgerError) -> SwarmState? { try base.swarmState() }
    func openRequests() throws(LedgerError) -> [ControlRequest] { try base.openRequests() }

    func watchRequests(_ arrived: @Sendable () async -> Void) async {
        await base.watchRequests(arrived)
    }

    func save(_ record: InstanceRecord) throws(LedgerError) {
        try points.around { () throws(LedgerError) in try base.save(record) }
    }

    func forget(_ name: String) throws(LedgerError) {
        try points.around { () throws(LedgerError) in try base.forget(name) }
    }

    func begin(_ intent: Intent, _ record: InstanceRecord) throws(LedgerError) -> Int64 {
        try points.around { () throws(LedgerError) in try base.begin(intent, record) }
    }

    func finish(_ number: Int64, outcome: String) throws(LedgerError) {
        try points.around { () throws(LedgerError) in try base.finish(number, outcome: outcome) }
    }

    func append(_ event: EventRecord) throws(LedgerError) {
        try points.around { () throws(LedgerError) in try base.append(event) }
    }

    func save(_ state: SwarmState) throws(LedgerError) {
        try points.around { () throws(LedgerError) in try base.save(state) }
    }

    func answer(_ number: Int64, _ reply: ControlReply, durably: Bool) throws(LedgerError) {
        try points.around { () throws(LedgerError) in
            try base.answer(number, reply, durably: durably)
        }
    }
}

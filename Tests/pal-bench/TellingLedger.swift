import PalEngine
import PalLedger
import PalModel

/// The controller's ledger, which also tells when a request was answered: looking at the file
/// again and again would be measured, too.
final class TellingLedger: Ledger {
    private let base: SQLiteLedger
    private let answers: AsyncStream<(Int64, ControlReply)>
    private let answered: AsyncStream<(Int64, ControlReply)>.Continuation

    /// When each creation was about to begin.
    let creations: AsyncStream<ContinuousClock.Instant>
    private let created: AsyncStream<ContinuousClock.Instant>.Continuation

    init(_ base: SQLiteLedger) {
        self.base = base
        (creations, created) = AsyncStream.makeStream()
        (answers, answered) = AsyncStream.makeStream()
    }

    /// Has the running controller make everything as declared, and returns when it says so.
    ///
    /// One caller at a time.
    func settle(_ verb: ControlRequest.Verb) async throws {
        let number = try base.ask(ControlRequest(verb: verb, by: "pal-bench"))
        for await (answered, reply) in answers where answered == number {
            guard reply.isDone else {
                throw BenchmarkFailure("not settled: \(reply.messages.joined(separator: "; "))")
            }
            return
        }
        throw CancellationError()
    }

    func answer(_ number: Int64, _ reply: ControlReply, durably: Bool) throws(LedgerError) {
        try base.answer(number, reply, durably: durably)
        answered.yield((number, reply))
    }

    // MARK: As it is

    func records() throws(LedgerError) -> [InstanceRecord] {
        try base.records()
    }
    func save(_ record: InstanceRecord) throws(LedgerError) { try base.save(record) }
    func forget(_ name: String) throws(LedgerError) { try base.forget(name) }
    func begin(_ intent: Intent, _ record: InstanceRecord) throws(LedgerError) -> Int64 {
        let number = try base.begin(intent, record)
        if intent.step.verb == .create { created.yield(ContinuousClock.now) }
        return number
    }
    func finish(_ number: Int64, outcome: String) throws(LedgerError) {
        try base.finish(number, outcome: outcome)
    }
    func openIntents() throws(LedgerError) -> [Intent] { try base.openIntents() }
    func append(_ event: EventRecord) throws(LedgerError) { try base.append(event) }
    func swarmState() throws(LedgerError) -> SwarmState? { try base.swarmState() }
    func save(_ state: SwarmState) throws(LedgerError) { try base.save(state) }
    func openRequests() throws(LedgerError) -> [ControlRequest] { try base.openRequests() }
    func watchRequests(_ arrived: @Sendable () async -> Void) async {
        await base.watchRequests(arrived)
    }
}

import FoundationEssentials
import PalEngine
import PalLedger

/// The real ledger, in memory, as one controller has it: it can fail, and it sees nothing of what a
/// dead controller writes.
struct SimulatedLedger: Ledger {
    let base: SQLiteLedger
    let mirror: Mirror
    let disk: Disk
    let bells: Bells
    let controller: Controller
    let trace: Trace
    let guardian: SecretScan

    init(
        base: SQLiteLedger, mirror: Mirror, disk: Disk, bells: Bells, controller: Controller,
        trace: Trace, guardian: SecretScan
    ) {
        self.base = base
        self.mirror = mirror
        self.disk = disk
        self.bells = bells
        self.controller = controller
        self.trace = trace
        self.guardian = guardian
    }

    private func write<Value>(
        _ place: String, _ body: () throws(LedgerError) -> Value
    ) throws(LedgerError) -> Value {
        controller.step("before it writes \(place)")
        guard controller.isAlive else { throw LedgerError("the process has ended") }
        if let problem = disk.problem {
            trace.add(.ledgerRefused("\(place): \(problem)"), by: controller.number)
            throw LedgerError(problem)
        }
        let value = try body()
        return value
    }

    private func wrote(_ what: String, _ name: String? = nil) {
        trace.add(.wrote(what, name: name), by: controller.number)
        controller.step("after it wrote \(what)")
    }

    private func read<Value>(
        _ body: () throws(LedgerError) -> Value
    ) throws(LedgerError) -> Value {
        if let problem = disk.problemOfReading {
            trace.add(.ledgerRefused("to be read: \(problem)"), by: controller.number)
            throw LedgerError(problem)
        }
        return try body()
    }

    func records() throws(LedgerError) -> [InstanceRecord] { try read(base.records) }
    func openIntents() throws(LedgerError) -> [Intent] { try read(base.openIntents) }
    func swarmState() throws(LedgerError) -> SwarmState? { try read(base.swarmState) }
    func openRequests() throws(LedgerError) -> [ControlRequest] { try read(base.openRequests) }

    func save(_ record: InstanceRecord) throws(LedgerError) {
        try write("a record") { () throws(LedgerError) in try base.save(record) }
        mirror.save(record)
        guardian.check(record)
        wrote("the record", record.name)
    }

    func forget(_ name: String) throws(LedgerError) {
        try write("that \(name) is forgotten") { () throws(LedgerError) in try base.forget(name) }
        mirror.forget(name)
        wrote("that it is forgotten", name)
    }

    func begin(_ intent: Intent, _ record: InstanceRecord) throws(LedgerError) -> Int64 {
        let number = try write("an intent") { () throws(LedgerError) in
            try base.begin(intent, record)
        }
        mirror.save(record)
        guardian.check(record)
        guardian.check(intent, in: "an intent of \(intent.name)")
        trace.add(.intended(number, intent), by: controller.number)
        controller.step("after it wrote an intent")
        return number
    }

    func finish(_ number: Int64, outcome: String) throws(LedgerError) {
        try write("an outcome") { () throws(LedgerError) in
            try base.finish(number, outcome: outcome)
        }
        guardian.check(text: outcome, in: "the outcome of intent \(number)")
        trace.add(.finished(number, outcome), by: controller.number)
        controller.step("after it wrote an outcome")
    }

    func append(_ event: EventRecord) throws(LedgerError) {
        try write("an event") { () throws(LedgerError) in try base.append(event) }
        guardian.check(text: event.message, in: "an event")
        trace.add(.noted(event), by: controller.number)
        controller.step("after it wrote an event")
    }

    func save(_ state: SwarmState) throws(LedgerError) {
        try write("the state of the swarm") { () throws(LedgerError) in try base.save(state) }
        guardian.check(state, in: "the state of the swarm")
        trace.add(.wroteState(state), by: controller.number)
        controller.step("after it wrote the state of the swarm")
    }

    func answer(_ number: Int64, _ reply: ControlReply, durably: Bool) throws(LedgerError) {
        try write("an answer") { () throws(LedgerError) in
            try base.answer(number, reply, durably: durably)
        }
        for message in reply.messages { guardian.check(text: message, in: "an answer") }
        trace.add(.answered(number, reply), by: controller.number)
        controller.step("after it wrote an answer")
    }

    func watchRequests(_ arrived: @Sendable () async -> Void) async {
        let (id, rings) = bells.listen()
        defer { bells.stopListening(id) }
        await arrived()
        for await _ in rings { await arrived() }
    }
}

/// The disk that the ledger is on.
final class Disk: Sendable {
    private struct State {
        var until = Duration.zero
        var problem = ""
        var stopsReading = false
    }

    private let state = Confined(State())
    private let clock: VirtualClock

    init(_ clock: VirtualClock) { self.clock = clock }

    /// Lets every write fail for a while, and perhaps every read.
    func fail(_ problem: String, for time: Duration, stopsReading: Bool = false) {
        state.value = State(
            until: clock.elapsed() + time, problem: problem, stopsReading: stopsReading)
    }

    func heal() { state.value.until = .zero }

    /// Why nothing can be written now.
    var problem: String? { clock.elapsed() < state.value.until ? state.value.problem : nil }

    /// Why nothing can be read now.
    var problemOfReading: String? { state.value.stopsReading ? problem : nil }
}

/// How whoever leaves a request wakes the controller.
final class Bells: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var count = 0
    }

    private let state = Confined(State())

    func listen() -> (id: Int, AsyncStream<Void>) {
        let (rings, ring) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.value.count += 1
        state.value.listeners[state.value.count] = ring
        return (state.value.count, rings)
    }

    func stopListening(_ id: Int) { state.value.listeners[id] = nil }

    func ring() {
        for id in state.value.listeners.keys.sorted() { state.value.listeners[id]?.yield() }
    }
}

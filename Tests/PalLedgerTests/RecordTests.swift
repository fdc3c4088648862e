import FoundationEssentials
import GRDB
import PalEngine
import PalModel
import Testing

@testable import PalLedger

@Suite struct RecordTests {
    @Test func aRecordComesBackExactly() throws {
        let state = StateFixture()
        let record = InstanceRecord.full("alice")
        try SQLiteLedger.open(directory: state.path).save(record)

        let again = try SQLiteLedger.open(directory: state.path)
        #expect(try again.records() == [record])
        #expect(try again.record("alice") == record)
        #expect(try again.record("bob") == nil)
    }

    @Test func recordsAreSortedByName() throws {
        let ledger = try SQLiteLedger.inMemory()
        for name in ["b", "a-1", "a", "c"] { try ledger.save(.small(name)) }
        #expect(try ledger.records().map(\.name) == ["a", "a-1", "b", "c"])
    }

    @Test func theLastVersionOfARecordCounts() throws {
        let ledger = try SQLiteLedger.inMemory()
        try ledger.save(.small("a", generation: 1))
        try ledger.save(.small("a", generation: 2))
        #expect(try ledger.records().map(\.generation) == [2])
    }

    @Test func anUnchangedRecordIsNotWritten() throws {
        let ledger = try SQLiteLedger.inMemory()
        try ledger.save(.full("alice"))
        #expect(try writes(of: ledger) { try ledger.save(.full("alice")) } == 0)
        // The intent alone.
        let begin = { _ = try ledger.begin(.creation("alice"), .full("alice")) }
        #expect(try writes(of: ledger, begin) == 1)

        var changed = InstanceRecord.full("alice")
        changed.failures += 1
        #expect(try writes(of: ledger) { try ledger.save(changed) } == 1)
        // Going back to what was written before the last time is a change too.
        #expect(try writes(of: ledger) { try ledger.save(.full("alice")) } == 1)
        #expect(try ledger.records() == [.full("alice")])
    }

    @Test func aRecordThatWasReadIsNotWrittenAgain() throws {
        let state = StateFixture()
        try SQLiteLedger.open(directory: state.path).save(.full("alice"))
        let ledger = try SQLiteLedger.open(directory: state.path)
        let records = try ledger.records()
        #expect(records.count == 1)
        #expect(try writes(of: ledger) { for record in records { try ledger.save(record) } } == 0)
    }

    /// How many rows a call wrote. The rows, not the pages: SQLite leaves out a page that stays as
    /// it is, after all the work.
    private func writes(of ledger: SQLiteLedger, _ body: () throws -> Void) throws -> Int {
        let before = try ledger.queue.read { $0.totalChangesCount }
        try body()
        return try ledger.queue.read { $0.totalChangesCount } - before
    }

    @Test func aForgottenRecordIsGoneAndCanComeBack() throws {
        let ledger = try SQLiteLedger.inMemory()
        try ledger.save(.small("a"))
        try ledger.append(.made("a"))
        try ledger.forget("a")
        #expect(try ledger.records().isEmpty)
        #expect(try ledger.latestEvents(name: "a", limit: 9).count == 1)
        try ledger.save(.small("a"))
        #expect(try ledger.records().count == 1)
        try ledger.forget("never there")
    }

    @Test func theStateOfTheSwarmComesBack() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        #expect(try ledger.swarmState() == nil)
        var swarm = SwarmState(
            specsPath: "/srv/specs", updatedAt: Date(timeIntervalSinceReferenceDate: 0.3))
        swarm.source = .unavailable("gone")
        swarm.problems = [Diagnostic(SourceLocation(file: "a.yaml", line: 1), "bad")]
        swarm.parked = ParkedPlan(names: ["a"], since: swarm.updatedAt)
        swarm.providers = ["docker": ProviderHealth(type: "docker", problem: "down")]
        try ledger.save(swarm)
        swarm.pruneBlock = "why"
        try ledger.save(swarm)
        #expect(try SQLiteLedger.openReadOnly(directory: state.path)?.swarmState() == swarm)
    }

    @Test func twoLedgersInMemoryAreTwo() throws {
        let first = try SQLiteLedger.inMemory()
        let second = try SQLiteLedger.inMemory()
        try first.save(.small("a"))
        #expect(try second.records().isEmpty)
    }

    @Test func aRecordThatJSONCannotHoldIsRefusedInWords() throws {
        let ledger = try SQLiteLedger.inMemory()
        var record = InstanceRecord.full("alice")
        record.observed?.resources.cpu.used = .infinity
        let bad = record
        let message = refusal { () throws(LedgerError) in try ledger.save(bad) }
        #expect(message.hasPrefix("cannot save the record of 'alice': "))
        #expect(try ledger.records().isEmpty)
        // The failure must not count as written.
        #expect(refusal { () throws(LedgerError) in try ledger.save(bad) } == message)
    }
}

import FoundationEssentials
import GRDB
import PalEngine
import PalLedger
import PalModel
import Testing

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
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        let stranger = try state.stranger()
        // Changes for this connection when another one has committed something.
        func version() throws -> Int? {
            try stranger.read { try Int.fetchOne($0, sql: "PRAGMA data_version") }
        }
        try ledger.save(.full("alice"))
        let written = try version()

        try ledger.save(.full("alice"))
        #expect(try version() == written)

        var changed = InstanceRecord.full("alice")
        changed.failures += 1
        try ledger.save(changed)
        #expect(try version() != written)
        // Going back to what was written before the last time is a change too.
        try ledger.save(.full("alice"))
        #expect(try ledger.records() == [.full("alice")])
    }

    @Test func aRecordThatWasReadIsNotWrittenAgain() throws {
        let state = StateFixture()
        try SQLiteLedger.open(directory: state.path).save(.full("alice"))
        let ledger = try SQLiteLedger.open(directory: state.path)
        let records = try ledger.records()
        let stranger = try state.stranger()
        let before = try stranger.read { try Int.fetchOne($0, sql: "PRAGMA data_version") }
        for record in records { try ledger.save(record) }
        let after = try stranger.read { try Int.fetchOne($0, sql: "PRAGMA data_version") }
        #expect(before == after)
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

import FoundationEssentials
import GRDB
import Glibc
import PalEngine
import PalModel
import Testing

@testable import PalLedger

@Suite struct SurvivalTests {
    @Test func whatWasWrittenIsReadAfterACrash() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        try ledger.save(.full("alice"))
        let number = try ledger.begin(.creation("bob"), .small("bob"))

        let read = try state.crashed()
        let reader = try #require(try SQLiteLedger.openReadOnly(directory: read.path))
        #expect(try reader.records() == [.full("alice"), .small("bob")])
        let continued = try state.crashed()
        let writer = try SQLiteLedger.open(directory: continued.path)
        #expect(try writer.openIntents().map(\.number) == [number])
        try writer.finish(number, outcome: "found")
        #expect(try writer.openIntents().isEmpty)
    }

    @Test func aWriterThatIsKilledLosesNothingThatReturned() async throws {
        let state = StateFixture()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = state.path as String] in
            let ledger = try SQLiteLedger.open(directory: path)
            for generation in 1...50 {
                _ = try ledger.begin(
                    .creation("a", generation: generation), .small("a", generation: generation))
            }
            try ledger.queue.writeWithoutTransaction { db in
                try db.execute(sql: "BEGIN IMMEDIATE; DELETE FROM intent; DELETE FROM instance;")
                kill(getpid(), SIGKILL)
            }
        }
        let reader = try #require(try SQLiteLedger.openReadOnly(directory: state.path))
        #expect(try reader.records() == [.small("a", generation: 50)])
        #expect(try reader.openIntents().count == 50)
        #expect(try SQLiteLedger.open(directory: state.path).openIntents().count == 50)
    }

    @Test func readersWorkBesideAWriter() async throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        try ledger.save(.small("a", generation: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for generation in 1...200 {
                    _ = try ledger.begin(.creation("a"), .small("a", generation: generation))
                }
            }
            group.addTask {
                var last = 0
                while last < 200 {
                    let reader = try #require(
                        try SQLiteLedger.openReadOnly(directory: state.path))
                    let generation = try #require(try reader.records().first).generation
                    // Read later, so it may have seen more, never less.
                    #expect(try reader.openIntents().count >= generation)
                    #expect(generation >= last)
                    last = generation
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aReaderCannotWrite() throws {
        let state = StateFixture()
        try SQLiteLedger.open(directory: state.path).save(.small("a"))
        let reader = try #require(try SQLiteLedger.openReadOnly(directory: state.path))
        let message = refusal { () throws(LedgerError) in try reader.save(.small("b")) }
        #expect(message.hasPrefix("cannot save the record of 'b': "))
        #expect(message.contains("not writable"))
        #expect(try reader.records().count == 1)
    }

    @Test func aFullDiskIsSaidAndNothingIsLost() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        try ledger.save(.small("a"))
        try ledger.queue.writeWithoutTransaction {
            _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = 1")
        }
        var big = InstanceRecord.small("b")
        big.declaredFrom = String(repeating: "x", count: 100_000)
        let record = big
        let message = refusal { () throws(LedgerError) in try ledger.save(record) }
        #expect(message.contains("disk"))
        #expect(message.contains("full"))
        #expect(
            refusal { () throws(LedgerError) in _ = try ledger.begin(.creation("b"), record) }
                .contains("full"))

        try ledger.queue.writeWithoutTransaction {
            _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = 1000000")
        }
        try ledger.save(record)
        #expect(try ledger.records() == [.small("a"), record])
    }

    @Test func aLedgerThatIsLockedForTooLongIsSaid() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path, patience: 0.01)
        let stranger = try state.stranger()
        try stranger.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            let message = refusal { () throws(LedgerError) in try ledger.append(.made("a")) }
            #expect(message.contains("locked"))
            #expect(message.contains(state.database))
            try db.execute(sql: "COMMIT")
        }
        try ledger.append(.made("a"))
    }

    @Test func noChangeIsBegunInALedgerThatWasDeleted() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        try FileManager.default.removeItem(atPath: state.path)
        let message = refusal { () throws(LedgerError) in
            _ = try ledger.begin(.creation("a"), .small("a"))
        }
        #expect(message.contains("deleted"))
        _ = try SQLiteLedger.open(directory: state.path)
        #expect(
            refusal { () throws(LedgerError) in _ = try ledger.begin(.creation("a"), .small("a")) }
                == message)
    }

    @Test func onlyWhatMustWaitForTheDiskDoes() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        func synchronous() throws -> Int? {
            try ledger.queue.writeWithoutTransaction {
                try Int.fetchOne($0, sql: "PRAGMA synchronous")
            }
        }
        #expect(try synchronous() == 1)
        let inside = try ledger.write(to: "look", durably: true) {
            try Int.fetchOne($0, sql: "PRAGMA synchronous")
        }
        #expect(inside == 2)
        #expect(try synchronous() == 1)
        let mode = try ledger.queue.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
        #expect(mode == "wal")
    }
}

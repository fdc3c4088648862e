import Dispatch
import FoundationEssentials
import GRDB
import Glibc
import PalEngine
import PalModel
import Synchronization
import Testing

@testable import PalLedger

@Suite struct OpeningTests {
    @Test func theDirectoryAndTheDatabaseAreForThisUserOnly() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path + "/deep/er")
        try ledger.save(.small("a"))
        func mode(_ path: String) -> mode_t {
            var info = stat()
            return stat(state.path + path, &info) == 0 ? info.st_mode & 0o777 : 0
        }
        #expect(mode("") == 0o700)
        #expect(mode("/deep/er") == 0o700)
        #expect(mode("/deep/er/pal.db") == 0o600)
        #expect(mode("/deep/er/pal.db-wal") == 0o600)
    }

    @Test func openingAgainChangesNothing() throws {
        let state = StateFixture()
        try SQLiteLedger.open(directory: state.path).save(.full("alice"))
        let before = try Data(contentsOf: URL(filePath: state.database))
        _ = try SQLiteLedger.open(directory: state.path)
        #expect(try Data(contentsOf: URL(filePath: state.database)) == before)
    }

    @Test func manyMayOpenANewLedgerAtOnce() throws {
        for _ in 0..<25 {
            let state = StateFixture()
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 6) { number in
                do {
                    try SQLiteLedger.open(directory: state.path).save(.small("n\(number)"))
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(try SQLiteLedger.open(directory: state.path).records().count == 6)
        }
    }

    /// A ledger that another process was making was refused as foreign: its number was read before
    /// the other's tables were there, and its tables afterwards.
    @Test(arguments: 1...3)
    func aLedgerInTheMakingIsNotForeign(moment: Int) throws {
        let state = StateFixture()
        let looking = try state.stranger()
        let making = try state.stranger()
        let questions = Mutex(0)
        try looking.inDatabase { db in
            db.trace { event in
                guard event.description == "PRAGMA user_version" else { return }
                let question = questions.withLock {
                    $0 += 1
                    return $0
                }
                guard question == moment else { return }
                try? making.inDatabase { try Schema.prepare($0, path: state.database) }
            }
            try Schema.prepare(db, path: state.database)
        }
        #expect(questions.withLock { $0 } >= moment)
    }

    @Test func whoComesSecondDoesNotMigrateAgain() throws {
        let ledger = try SQLiteLedger.inMemory()
        try ledger.save(.small("a"))
        try ledger.queue.writeWithoutTransaction { try Schema.migrate($0, path: ledger.path) }
        #expect(try ledger.records().count == 1)

        // Or a newer release came first.
        try ledger.queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA user_version = 99")
            #expect(throws: LedgerError.self) { try Schema.migrate(db, path: ledger.path) }
        }
    }

    @Test func withoutALedgerThereIsNothingToRead() throws {
        let state = StateFixture()
        #expect(try SQLiteLedger.openReadOnly(directory: state.path) == nil)
        // As a release that made the file before its tables left it, when it was killed between.
        try state.stranger().inDatabase { try $0.execute(sql: "VACUUM") }
        #expect(try SQLiteLedger.openReadOnly(directory: state.path) == nil)
    }

    @Test func aNewerReleasesLedgerIsRefusedAndLeftAlone() throws {
        let state = StateFixture()
        try SQLiteLedger.open(directory: state.path).save(.small("a"))
        try state.stranger().write { try $0.execute(sql: "PRAGMA user_version = 99") }
        for message in Self.refusals(state) {
            #expect(message.contains("newer release"))
            #expect(message.contains("format 99"))
            #expect(message.contains(state.database))
        }
        let kept = try state.stranger().read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM instance")
        }
        #expect(kept == 1)
    }

    @Test func aForeignDatabaseIsRefusedAndLeftAlone() throws {
        let state = StateFixture()
        try state.stranger().write { try $0.execute(sql: "CREATE TABLE song (title TEXT)") }
        let before = try Data(contentsOf: URL(filePath: state.database))
        for message in Self.refusals(state) { #expect(message.contains("not a ledger of pal")) }
        #expect(try Data(contentsOf: URL(filePath: state.database)) == before)
    }

    @Test func aFileThatIsNoDatabaseIsRefusedWithTheRemedy() throws {
        let state = StateFixture()
        try StateDirectory(path: state.path).create()
        try Data(repeating: 0x55, count: 8192).write(to: URL(filePath: state.database))
        for message in Self.refusals(state) {
            #expect(message.contains("damaged"))
            #expect(message.contains("move \(state.database)"))
            #expect(message.contains("rebuilds"))
        }
    }

    @Test func damageInsideTheFileIsReportedWhereItIsMet() throws {
        let state = StateFixture()
        do {
            let ledger = try SQLiteLedger.open(directory: state.path)
            for number in 0..<200 { try ledger.save(.full("n\(number)")) }
        }
        var bytes = try Data(contentsOf: URL(filePath: state.database))
        for place in bytes.indices.dropFirst(4096) { bytes[place] = 0x55 }
        try bytes.write(to: URL(filePath: state.database))
        let message = refusal { () throws(LedgerError) in
            _ = try SQLiteLedger.open(directory: state.path).records()
        }
        #expect(message.contains("damaged"))
        #expect(message.contains(state.database))
    }

    @Test func aRecordThatIsNoRecordIsDamageToo() throws {
        let state = StateFixture()
        let ledger = try SQLiteLedger.open(directory: state.path)
        try state.stranger().write {
            try $0.execute(sql: "INSERT INTO instance (name, record) VALUES ('alice', '{}')")
        }
        let message = refusal { () throws(LedgerError) in _ = try ledger.records() }
        #expect(message.contains("the record of 'alice'"))
        #expect(message.contains("move \(state.database)"))
    }

    @Test func aStateDirectoryThatCannotBeMadeIsNamed() throws {
        let state = StateFixture()
        try StateDirectory(path: state.path).create()
        try Data().write(to: URL(filePath: state.path + "/file"))
        for directory in [state.path + "/file", state.path + "/file/below"] {
            let message = refusal { () throws(LedgerError) in
                _ = try SQLiteLedger.open(directory: directory)
            }
            #expect(message.contains(directory))
            #expect(message.contains("Not a directory"))
        }
    }

    /// What both ways to open say.
    private static func refusals(_ state: StateFixture) -> [String] {
        [
            refusal { () throws(LedgerError) in _ = try SQLiteLedger.open(directory: state.path) },
            refusal { () throws(LedgerError) in
                _ = try SQLiteLedger.openReadOnly(directory: state.path)
            },
        ]
    }
}

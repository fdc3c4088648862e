import GRDB
public import PalEngine
import PalFiles
import Synchronization

/// The ledger in one SQLite file, `pal.db` in the state directory.
///
/// Beside any number of readers and of processes that leave requests, one process at a time may
/// save records: the holder of the `ControllerLock`. All calls are synchronous and safe from any
/// thread.
///
/// What survives: everything survives the death of the process at any point. Against a power cut,
/// `begin` and the answers to wishes wait for the disk, and with them all that was written before;
/// other writes reach it with the next of these or at the next checkpoint (WAL with
/// `synchronous=NORMAL`). Losing those costs no more than a look at the provider, and nothing is
/// ever half written.
public final class SQLiteLedger: Ledger, Sendable {
    /// The database file, or `:memory:`.
    public let path: String

    let queue: DatabaseQueue
    let bell: RequestBell
    /// The file as it was opened; nil in memory.
    private let identity: FileIdentity?
    /// A hash of each record as it was last written, so that an unchanged one is not written again.
    private let written = Mutex<[String: Int]>([:])

    init(_ queue: DatabaseQueue, path: String, bell: RequestBell) {
        self.queue = queue
        self.path = path
        self.bell = bell
        identity = try? FileFingerprint(at: path).identity
    }

    /// Reads in one snapshot.
    func read<Result>(
        to action: String, _ body: (Database) throws -> Result
    ) throws(LedgerError) -> Result {
        try Self.attempting(action, path) { try queue.read(body) }
    }

    /// Writes in one transaction.
    ///
    /// - Parameter durably: waits until the disk has it, and everything before it.
    func write<Result>(
        to action: String, durably: Bool = false, _ body: (Database) throws -> Result
    ) throws(LedgerError) -> Result {
        try Self.attempting(action, path) {
            guard durably else { return try queue.write(body) }
            try checkIdentity()
            return try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                // Where this fails, later writes are only slower.
                defer { try? db.execute(sql: "PRAGMA synchronous = NORMAL") }
                var result: Result?
                try db.inTransaction(.immediate) {
                    result = try body(db)
                    return .commit
                }
                guard let result else { throw LedgerError("cannot \(action): nothing was written") }
                return result
            }
        }
    }

    /// Turns whatever fails into plain words.
    static func attempting<Result>(
        _ action: String, _ path: String, _ body: () throws -> Result
    ) throws(LedgerError) -> Result {
        do { return try body() } catch { throw LedgerError(error, action: action, path: path) }
    }

    /// A deleted file takes writes as before, and nobody would ever find them.
    private func checkIdentity() throws(LedgerError) {
        guard let identity, (try? FileFingerprint(at: path))?.identity != identity else { return }
        throw LedgerError(
            "the ledger \(path) was deleted or replaced while pal uses it; restart pal")
    }

    /// Whether a record differs from what was last written, as far as this object knows.
    func isNew(_ record: InstanceRecord) -> Bool {
        written.withLock { $0[record.name] != record.hashValue }
    }

    /// What stands in the database now: to be called after the commit, not before.
    func noteWritten(_ records: [InstanceRecord]) {
        written.withLock { for record in records { $0[record.name] = record.hashValue } }
    }

    /// The name has no record any more.
    func noteForgotten(_ name: String) {
        written.withLock { $0[name] = nil }
    }
}

extension Database {
    /// Runs a statement that is prepared once per connection.
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

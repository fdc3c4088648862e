import GRDB
import PalEngine

/// The shape of the database, and whether a file has it.
enum Schema {
    /// What marks a SQLite file as pal's: `pal1` in ASCII.
    static let applicationID: Int64 = 0x7061_6C31

    /// Each entry takes the database from the version that is its index to the next. Entries are
    /// only ever added: `PRAGMA user_version` counts how many a file has seen.
    private static let migrations = [
        """
        CREATE TABLE instance (
            name TEXT PRIMARY KEY NOT NULL,
            record TEXT NOT NULL
        );
        CREATE TABLE intent (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            intent TEXT NOT NULL,
            outcome TEXT
        );
        CREATE INDEX intent_open ON intent (number) WHERE outcome IS NULL;
        CREATE INDEX intent_name ON intent (name, number);
        CREATE TABLE event (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            name TEXT,
            severity TEXT NOT NULL,
            reason TEXT NOT NULL,
            message TEXT NOT NULL
        );
        CREATE INDEX event_name ON event (name, number);
        CREATE TABLE swarm (
            key TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        );
        CREATE TABLE request (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            request TEXT NOT NULL,
            createdAt REAL NOT NULL,
            answer TEXT
        );
        CREATE INDEX request_open ON request (number) WHERE answer IS NULL;
        """
    ]

    /// The version that this release writes.
    static var version: Int { migrations.count }

    /// What a file turned out to be.
    enum Standing: Equatable {
        /// As this release writes it.
        case current
        /// Nothing in it yet.
        case empty
        /// A former release's, to be brought up to date.
        case older(Int)
        /// A later release's.
        case newer(Int)
        /// A SQLite file, but not pal's.
        case foreign
    }

    /// Looks at the header and, where that says nothing, at whether there are tables. Only certain
    /// inside a transaction: another process may write between the three.
    static func standing(_ db: Database) throws -> Standing {
        let id = try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if id == applicationID, found > 0 {
            if found == version { return .current }
            return found > version ? .newer(found) : .older(found)
        }
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        return id == 0 && found == 0 && tables == 0 ? .empty : .foreign
    }

    /// Brings a database to this release's version. Nothing is written where it has that already.
    ///
    /// Safe beside other processes that do the same: all happens in one transaction, which looks
    /// again once it has the write lock.
    static func prepare(_ db: Database, path: String) throws {
        var work = false
        // What is read piece by piece while another process makes the tables looks foreign.
        try db.inTransaction(.deferred) {
            work = try needsWork(db, path)
            return .commit
        }
        guard work else { return }
        // Outside of a transaction, as SQLite demands; in the file's header from then on.
        _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
        try migrate(db, path: path)
    }

    /// The transaction of `prepare`. Another process may have come first while this one waited.
    static func migrate(_ db: Database, path: String) throws {
        try db.inTransaction(.immediate) {
            guard try needsWork(db, path) else { return .rollback }
            let before = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            for migration in migrations[before...] { try db.execute(sql: migration) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(version)")
            return .commit
        }
    }

    private static func needsWork(_ db: Database, _ path: String) throws -> Bool {
        let standing = try standing(db)
        if let refusal = refusal(standing, path) { throw refusal }
        return standing != .current
    }

    /// Why a file cannot be used by this release, or nil.
    static func refusal(_ standing: Standing, _ path: String) -> LedgerError? {
        switch standing {
        case .current, .empty, .older: nil
        case .newer(let found):
            LedgerError(
                "the ledger \(path) was written by a newer release of pal (format \(found), this "
                    + "release knows up to \(version)); use that release, or move the file away: "
                    + "pal then rebuilds the ledger from the specs and the providers")
        case .foreign:
            LedgerError(
                "\(path) is a SQLite database, but not a ledger of pal; "
                    + "name another state directory, or move the file away")
        }
    }
}

import GRDB
public import PalEngine
import PalFiles

extension SQLiteLedger {
    /// Opens the ledger in a state directory, making both where they are missing (modes 0700,
    /// 0600).
    ///
    /// For the controller, and for commands that leave a request. A ledger of a former release is
    /// brought up to date. One of a newer release, a foreign or a damaged file is refused.
    public static func open(directory: String) throws(LedgerError) -> SQLiteLedger {
        try open(directory: directory, patience: 5)
    }

    /// - Parameter patience: seconds that a call waits for another process's write.
    static func open(directory: String, patience: Double) throws(LedgerError) -> SQLiteLedger {
        let state = StateDirectory(path: directory)
        try state.create()
        try state.createDatabase { (draft) throws(LedgerError) in
            try attempting("create the ledger", state.database) {
                let queue = try DatabaseQueue(path: draft, configuration: configuration(patience))
                try queue.writeWithoutTransaction { try Schema.prepare($0, path: draft) }
                try queue.close()
            }
        }
        return try attempting("open the ledger", state.database) {
            let queue = try DatabaseQueue(
                path: state.database, configuration: configuration(patience))
            try queue.writeWithoutTransaction { db in
                try Schema.prepare(db, path: state.database)
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                // A burst must not leave a large file behind for ever.
                _ = try Int.fetchOne(db, sql: "PRAGMA journal_size_limit = 16777216")
            }
            return SQLiteLedger(queue, path: state.database, bell: .file(state.wake))
        }
    }

    /// Opens an existing ledger for reading only; nil where there is none yet.
    ///
    /// Works beside a running controller and after one that crashed, and never waits for either.
    /// Methods that write fail. `watchRequests` waits for nothing.
    public static func openReadOnly(directory: String) throws(LedgerError) -> SQLiteLedger? {
        let path = StateDirectory(path: directory).database
        do { _ = try FileFingerprint(at: path) } catch {
            if error.isMissing { return nil }
            throw LedgerError("cannot open the ledger: \(error)")
        }
        return try attempting("open the ledger", path) {
            var configuration = configuration(5)
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let standing = try queue.read { try Schema.standing($0) }
            if let refusal = Schema.refusal(standing, path) { throw refusal }
            if standing == .empty { return nil }
            if case .older(let found) = standing {
                throw LedgerError(
                    "the ledger \(path) is an older release's (format \(found)); "
                        + "start 'pal run' once to bring it up to date")
            }
            return SQLiteLedger(queue, path: path, bell: RequestBell())
        }
    }

    /// A ledger of its own that ends with the object, for simulations and tests. A request that is
    /// left in it with `ask` wakes its `watchRequests`.
    public static func inMemory() throws(LedgerError) -> SQLiteLedger {
        let path = ":memory:"
        return try attempting("open the ledger", path) {
            let queue = try DatabaseQueue(configuration: configuration(5))
            try queue.writeWithoutTransaction { try Schema.prepare($0, path: path) }
            return SQLiteLedger(queue, path: path, bell: RequestBell())
        }
    }

    private static func configuration(_ patience: Double) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience)
        configuration.label = "ledger"
        return configuration
    }
}

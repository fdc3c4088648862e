import GRDB
import PalEngine

extension LedgerError {
    /// Any error of a ledger in plain words: what failed, where, and what to do.
    ///
    /// - Parameters:
    ///   - action: what was tried, as it follows "cannot": `save the record of 'alice'`.
    ///   - path: the database.
    init(_ error: any Error, action: String, path: String) {
        if let known = error as? LedgerError {
            self = known
        } else if let error = error as? DatabaseError {
            self.init("cannot \(action): \(Self.explanation(of: error, path))")
        } else if error is DecodingError {
            self.init(
                "cannot \(action): the ledger \(path) holds something else. \(Self.remedy(path))")
        } else if error is EncodingError {
            self.init(
                "cannot \(action): it holds a value that JSON cannot hold, such as an infinite "
                    + "number; remove it from the spec")
        } else {
            self.init("cannot \(action) in \(path): \(error)")
        }
    }

    private static func explanation(of error: DatabaseError, _ path: String) -> String {
        switch error.resultCode {
        case .SQLITE_FULL:
            "the disk with \(path) is full; free some space"
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            "\(path) is not writable; look at the owner and mode of it and of its directory, and "
                + "whether the file system is mounted read-only"
        case .SQLITE_CANTOPEN:
            "\(path) cannot be opened; look at the owner and mode of it and of its directory"
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            "another process has kept \(path) locked for too long; look who has it open with "
                + "'fuser \(path)', and try again"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            "the ledger \(path) is damaged. \(remedy(path))"
        case .SQLITE_IOERR:
            "the disk with \(path) failed (SQLite error \(error.extendedResultCode.rawValue)); "
                + "look at the system's log"
        case .SQLITE_NOMEM:
            "the machine is out of memory"
        default:
            "\(path): \(error.message ?? "SQLite error") (\(error.extendedResultCode.rawValue))"
        }
    }

    /// What to do with a ledger that cannot be read.
    private static func remedy(_ path: String) -> String {
        "Stop pal and move \(path), \(path)-wal and \(path)-shm away: pal rebuilds the ledger from "
            + "the specs and the providers and changes no instance; holds, approvals and past "
            + "events are forgotten"
    }
}

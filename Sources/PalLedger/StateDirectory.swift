import Glibc
import PalEngine
import PalFiles

/// The files of one swarm's state, by name.
struct StateDirectory: Sendable {
    let path: String

    /// The database; SQLite keeps `-wal` and `-shm` beside it.
    var database: String { RealPath.join(path, "pal.db") }
    /// The file that the controller holds a lock on.
    var lock: String { RealPath.join(path, "pal.lock") }
    /// The file that is touched when a request was left.
    var wake: String { RealPath.join(path, "wake") }

    /// Makes the directory and what is missing above it, for nobody but this user.
    func create() throws(LedgerError) {
        var pending: [String] = []
        var here = path
        while mkdir(here, 0o700) != 0 {
            let code = errno
            if code == EEXIST { break }
            let above = Self.parent(of: here)
            guard code == ENOENT, above != here else { throw refusal(here, code) }
            pending.append(here)
            here = above
        }
        for missing in pending.reversed() where mkdir(missing, 0o700) != 0 {
            let code = errno
            guard code == EEXIST else { throw refusal(missing, code) }
        }
        guard let kind = try? FileFingerprint(at: path).kind, kind == .directory else {
            throw refusal(path, ENOTDIR)
        }
    }

    /// Makes an empty database file that only this user can read. SQLite gives its own files beside
    /// it the same mode. One that exists is not opened: closing it would drop SQLite's locks.
    func createDatabaseFile() throws(LedgerError) {
        let descriptor = open(database, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
            return
        }
        let code = errno
        guard code == EEXIST else {
            throw LedgerError(
                "cannot create \(database): \(SystemError("create", "", code: code).reason)")
        }
    }

    private func refusal(_ directory: String, _ code: CInt) -> LedgerError {
        LedgerError(
            "cannot create the state directory \(path): \(directory): "
                + "\(SystemError("create", "", code: code).reason); "
                + "make it writable or name another one with 'state:' in pal.yaml")
    }

    private static func parent(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).dropLast()
        let joined = parts.joined(separator: "/")
        if path.hasPrefix("/") { return "/" + joined }
        return joined.isEmpty ? "." : joined
    }
}

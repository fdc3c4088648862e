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

    /// Makes the database with `fill` and then gives it its name: nobody ever opens half of one.
    /// Does nothing where there is one; one that another process made first is kept.
    ///
    /// - Parameter fill: Makes a database in an empty file, and leaves it closed. Only this user
    ///   can read the file; SQLite gives its own files beside it the same mode. A crash may leave
    ///   it behind, as `.pal.db.*.tmp`.
    func createDatabase(_ fill: (String) throws(LedgerError) -> Void) throws(LedgerError) {
        guard access(database, F_OK) != 0 else { return }
        let draft = RealPath.join(path, ".pal.db.\(UInt64.random(in: 0 ... .max)).tmp")
        defer { for end in ["", "-wal", "-shm"] { unlink(draft + end) } }
        let descriptor = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw cannotCreate(database, errno) }
        close(descriptor)
        try fill(draft)
        guard link(draft, database) == 0 || errno == EEXIST else {
            throw cannotCreate(database, errno)
        }
    }

    private func cannotCreate(_ file: String, _ code: CInt) -> LedgerError {
        LedgerError("cannot create \(file): \(SystemError("create", "", code: code).reason)")
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

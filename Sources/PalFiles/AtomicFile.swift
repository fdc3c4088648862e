public import Glibc

/// Writing a file so that a reader, and a machine after a power cut, sees the old content or the
/// new one and never a part.
public enum AtomicFile {
    /// Writes `bytes` beside `path`, makes them durable, and renames them to `path`.
    ///
    /// An existing file is replaced: its mode, owner and hard links are not kept, and a symbolic
    /// link is itself replaced (resolve the path first to write through it). The temporary file
    /// starts with a dot, and is removed when anything fails; a crash may leave one behind.
    ///
    /// - Parameter mode: the permissions of the new file, exactly: the umask has no say.
    public static func write(
        _ bytes: some Sequence<UInt8>, to path: String, mode: mode_t = 0o600
    ) throws(SystemError) {
        let (directory, name) = RealPath.split(path)
        let unique = "\(getpid())-\(UInt64.random(in: 0 ... .max))"
        // Cut to the 255 bytes that a name may have.
        let stem = String(decoding: name.utf8.prefix(180), as: UTF8.self)
        let temporary = RealPath.join(directory, ".\(stem).\(unique).tmp")
        let descriptor = try retrying("create", temporary) {
            open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        }
        do {
            defer { close(descriptor) }
            _ = try retrying("set the mode of", temporary) { fchmod(descriptor, mode) }
            try writeAll(Array(bytes), to: descriptor, path: path)
            _ = try retrying("save", path) { fsync(descriptor) }
            _ = try retrying("replace", path) { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try sync(directory: directory)
    }

    /// Makes the names in a directory durable: what was created, renamed or deleted in it.
    public static func sync(directory: String) throws(SystemError) {
        let descriptor = try retrying("open", directory) {
            open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        defer { close(descriptor) }
        while fsync(descriptor) != 0 {
            let code = errno
            // Some file systems cannot sync a directory; the rename itself has happened.
            if code == EINVAL || code == ENOSYS { return }
            if code != EINTR { throw SystemError("save", directory, code: code) }
        }
    }
}

/// Writes all of `bytes` from where the descriptor stands.
///
/// - Parameter path: Whose descriptor it is, for the error.
public func writeAll(
    _ bytes: [UInt8], to descriptor: CInt, path: String
) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let from = written
        written += try retrying("write", path) {
            bytes[from...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        }
    }
}

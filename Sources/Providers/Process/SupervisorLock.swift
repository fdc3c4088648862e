import CLinux
import Glibc
import PalFiles

/// A lock on a file that belongs to an open file description, so that it can be handed to another
/// process: it is free when the last process that has the descriptor is gone, however it went.
///
/// That is how "its supervisor lives" is known without any doubt about process numbers.
final class DescriptionLock: Sendable {
    let descriptor: CInt

    private init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Takes the lock; nil where somebody has it.
    static func take(_ path: String) throws(SystemError) -> DescriptionLock? {
        let lock = DescriptionLock(try openFile(path))
        let code = pal_lock(lock.descriptor)
        if code == -EAGAIN { return nil }
        if code < 0 { throw SystemError("lock", path, code: -code) }
        return lock
    }

    /// Takes the lock when it is free; blocks the thread until then.
    static func wait(_ path: String) throws(SystemError) -> DescriptionLock {
        let lock = DescriptionLock(try openFile(path))
        let code = pal_lock_wait(lock.descriptor)
        if code < 0 { throw SystemError("lock", path, code: -code) }
        return lock
    }

    /// Whether somebody has the lock; does not take it, so that askers are in nobody's way.
    static func isTaken(_ path: String) throws(SystemError) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw SystemError("open", path, code: errno)
        }
        defer { close(descriptor) }
        let code = pal_is_locked(descriptor)
        if code < 0 { throw SystemError("look at the lock", path, code: -code) }
        return code == 1
    }

    private static func openFile(_ path: String) throws(SystemError) -> CInt {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw SystemError("open", path, code: errno) }
        return descriptor
    }
}

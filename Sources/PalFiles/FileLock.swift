import Glibc
import Synchronization

/// An exclusive lock between processes: `flock` on a file that exists for nothing else.
///
/// The kernel frees it when its process ends, however it ends, so there is no stale lock. The file
/// stays. It holds the holder's own words about itself, for others to read. Not for network file
/// systems whose `flock` is local to a machine, and no protection inside one process against a
/// caller that ignores it.
public final class FileLock: Sendable {
    /// Why a lock could not be taken.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// Another holder has it; what it wrote about itself (empty where it had no time to).
        case held(by: String)
        /// The lock file cannot be used.
        case system(SystemError)

        /// In plain words, for a person.
        public var description: String {
            switch self {
            case .held(let holder): "locked by \(holder.isEmpty ? "another process" : holder)"
            case .system(let error): error.description
            }
        }
    }

    /// The lock file.
    public let path: String
    /// Nil after the release.
    private let descriptor: Mutex<CInt?>

    /// Takes the lock now or fails; never waits.
    ///
    /// - Parameters:
    /// - path: a file beside what is protected, never that itself: its owner may open and close it.
    ///    - holder: who holds it, readable by every user; no secrets.
    public init(path: String, holder: String) throws(Failure) {
        let locked: CInt?
        do { locked = try Self.lock(path, describing: holder) } catch { throw .system(error) }
        guard let locked else { throw .held(by: Self.holder(at: path) ?? "") }
        self.path = path
        descriptor = Mutex(locked)
    }

    deinit { release() }

    /// Frees the lock and clears the holder's text. Safe to call twice.
    public func release() {
        descriptor.withLock { descriptor in
            guard let open = descriptor else { return }
            ftruncate(open, 0)
            // A child that another thread is just starting has the file open until it runs its
            // program: closing it here alone would not free the lock.
            flock(open, LOCK_UN)
            close(open)
            descriptor = nil
        }
    }

    /// What the last holder wrote about itself, read without taking the lock; nil where nobody did.
    ///
    /// The text of a holder that crashed is still there: only an attempt to lock tells whether it
    /// lives.
    public static func holder(at path: String) -> String? {
        guard let bytes = try? RegularFile.read(at: path, limit: 65_536).bytes, !bytes.isEmpty
        else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The locked descriptor, or nil where another one has the lock.
    private static func lock(
        _ path: String, describing holder: String
    ) throws(SystemError) -> CInt? {
        while true {
            let descriptor = try retrying("open", path) {
                open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
            }
            var keep = false
            defer { if !keep { close(descriptor) } }
            do {
                _ = try retrying("lock", path) { flock(descriptor, LOCK_EX | LOCK_NB) }
            } catch {
                if error.code == EWOULDBLOCK { return nil }
                throw error
            }
            // Somebody may have replaced the file between the two: then this locks nothing.
            let mine = try FileFingerprint(descriptor: descriptor, path: path)
            guard let now = try? FileFingerprint(at: path), now.identity == mine.identity else {
                continue
            }
            _ = try retrying("write", path) { ftruncate(descriptor, 0) }
            try writeAll(Array(holder.utf8), to: descriptor, path: path)
            keep = true
            return descriptor
        }
    }
}

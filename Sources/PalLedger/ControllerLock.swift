import FoundationEssentials
import Glibc
public import PalEngine
import PalFiles

/// The right to be the one controller of a swarm: a lock on `pal.lock` beside the ledger.
///
/// It ends with `release()`, with the object, or with the process, however that ends.
public final class ControllerLock: Sendable {
    private let lock: FileLock

    /// Takes the lock in a state directory, which is made where it is missing; does not wait.
    ///
    /// - Parameter purpose: how the user started this process, for others to read; no secrets.
    /// - Throws: Where another process has it, its own words about itself.
    public init(directory: String, purpose: String) throws(LedgerError) {
        let state = StateDirectory(path: directory)
        try state.create()
        let since = Date().formatted(.iso8601)
        let words = "pid \(getpid()) on \(Self.host), since \(since), command: \(purpose)"
        lock = try Self.take(state, words)
    }

    /// Gives the lock up. Safe to call twice.
    public func release() { lock.release() }

    /// Who is the controller, in its own words; nil where nobody is, or nobody that this user may
    /// know of. What a crashed one left written is told from a live one by the kernel's lock.
    public static func holder(directory: String) -> String? {
        let path = StateDirectory(path: directory).lock
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // A shared lock for an instant: others who only look do not meet it, and whoever wants to
        // be the controller just then tries again.
        while flock(descriptor, LOCK_SH | LOCK_NB) != 0 {
            let code = errno
            if code == EWOULDBLOCK { return words(FileLock.holder(at: path)) }
            guard code == EINTR else { return nil }
        }
        return nil
    }

    /// Tries again while nobody but somebody who looks is in the way.
    private static func take(
        _ state: StateDirectory, _ text: String
    ) throws(LedgerError) -> FileLock {
        for _ in 0..<1_000 {
            do { return try FileLock(path: state.lock, holder: text) } catch {
                if case .system(let error) = error {
                    throw LedgerError("cannot become the controller of this swarm: \(error)")
                }
            }
            // One without words has just locked it, or is a child that a fork has not yet let go.
            if let holder = holder(directory: state.path), holder != nameless {
                throw LedgerError(
                    "this swarm already has a controller: \(holder); stop that one first")
            }
            usleep(1_000)
        }
        throw LedgerError("cannot become the controller of this swarm: \(state.lock) is busy")
    }

    private static func words(_ holder: String?) -> String {
        guard let holder, !holder.isEmpty else { return nameless }
        return holder
    }

    private static let nameless = "a process that did not say who it is"

    private static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "this machine" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

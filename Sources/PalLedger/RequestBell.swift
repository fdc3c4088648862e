import Dispatch
import Glibc
import PalFiles
import Synchronization

/// How a process that leaves a request wakes the one that answers: by touching a file that the
/// other watches, or inside one process without any file.
///
/// A ring carries nothing and may be heard once for several, or without a cause.
final class RequestBell: Sendable {
    /// The file; nil inside one process.
    private let path: String?
    /// Who listens inside one process.
    private let listener = Mutex<AsyncStream<Void>.Continuation?>(nil)

    private init(path: String?) { self.path = path }

    /// A bell inside this process.
    convenience init() { self.init(path: nil) }

    /// A bell between processes. The file need not exist.
    static func file(_ path: String) -> RequestBell { RequestBell(path: path) }

    /// Wakes the listener, if there is one.
    func ring() throws(SystemError) {
        guard let path else {
            _ = listener.withLock { $0?.yield() }
            return
        }
        try Self.touch(path)
    }

    /// Calls the handler once at first and then at each ring, until the task is cancelled.
    func listen(_ rung: @Sendable () async -> Void) async {
        if let path {
            while !Task.isCancelled { await watch(path, rung) }
        } else {
            let (rings, ring) = AsyncStream.makeStream(
                of: Void.self, bufferingPolicy: .bufferingNewest(1))
            listener.withLock { $0 = ring }
            await rung()
            for await _ in rings { await rung() }
        }
    }

    /// Returns when the file is gone, a second after it could not be watched, or when cancelled.
    private func watch(_ path: String, _ rung: @Sendable () async -> Void) async {
        let queue: Inotify
        do {
            try Self.touch(path)
            queue = try Inotify()
            _ = try queue.watch(path, for: [.attributes, .deletedSelf, .movedSelf])
        } catch {
            // The user's limit of inotify is reached, or the directory is gone: then by looking.
            await rung()
            await Self.second()
            return
        }
        defer { queue.close() }
        // What came before the watch began.
        await rung()
        for await batch in queue.batches {
            await rung()
            let gone: InotifyEvent.Mask = [.deletedSelf, .movedSelf, .ignored]
            if batch.contains(where: { !$0.mask.isDisjoint(with: gone) }) { return }
        }
    }

    /// Sets the file's times to now, which is an attribute event; makes it where it is missing.
    private static func touch(_ path: String) throws(SystemError) {
        let descriptor = open(
            path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw SystemError("touch", path, code: errno) }
        defer { close(descriptor) }
        guard futimens(descriptor, nil) == 0 else { throw SystemError("touch", path, code: errno) }
    }

    /// Waits a second, or less when cancelled. On Dispatch, because a file's watcher has no clock
    /// of the engine's: only processes with files come here.
    private static func second() async {
        let (ticks, tick) = AsyncStream.makeStream(of: Void.self)
        DispatchQueue.global().asyncAfter(deadline: .now() + 1) { tick.finish() }
        for await _ in ticks {}
    }
}

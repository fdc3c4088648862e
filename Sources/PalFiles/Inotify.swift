import Dispatch
import Glibc
import Synchronization

/// The kernel's file change events: one queue, many watches, one consumer.
///
/// Reading happens on a Dispatch source's queue when the kernel has something, so no thread of the
/// Swift pool ever waits. What the consumer has not taken yet is bounded: past `backlog` events
/// everything pending is replaced by one overflow event, as the kernel itself does at its own
/// limit.
public final class Inotify: Sendable {
    /// A watch's number. Not used again by the kernel while this object lives.
    public typealias Watch = Int32

    /// The most events that wait for the consumer.
    public static let backlog = 16_384

    /// The descriptor, and what was read and not yet taken. One lock, held for one system call: a
    /// number that was closed, and given to somebody else's file, is never used.
    private struct State {
        var descriptor: CInt?
        var pending: [InotifyEvent] = []
    }

    private let state: Mutex<State>
    private let signals: AsyncStream<Void>
    private let finish: @Sendable () -> Void

    /// Opens a queue. Fails with `EMFILE` where the user's limit of inotify instances is reached.
    public init() throws(SystemError) {
        let descriptor = try retrying("watch", "files") {
            inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        }
        state = Mutex(State(descriptor: descriptor))
        let (signals, signal) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.signals = signals
        // Unsafe in name only: Dispatch's objects may be used from any thread (dispatch_object(3)),
        // which its Linux overlay does not declare. Nothing but `cancel` is called after this.
        nonisolated(unsafe) let source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "inotify"))
        finish = {
            source.cancel()
            signal.finish()
        }
        source.setEventHandler { [weak self] in
            guard let self else { return }
            if drain() { signal.yield() }
        }
        // Only here: Dispatch must have let go of the descriptor before its number is free again.
        source.setCancelHandler { Glibc.close(descriptor) }
        // The consumer's task was cancelled.
        signal.onTermination = { [weak self] _ in self?.close() }
        source.activate()
    }

    deinit { close() }

    /// Starts to watch what `path` leads to, a directory or a file; links are followed.
    ///
    /// The same object gives the same number again, with the new mask. `ENOSPC` means that the
    /// user's limit of watches is reached; after `close()` it is `EBADF`.
    public func watch(
        _ path: String, for mask: InotifyEvent.Mask = .contents
    ) throws(SystemError) -> Watch {
        try state.withLock { state throws(SystemError) in
            guard let descriptor = state.descriptor else {
                throw SystemError("watch", path, code: EBADF)
            }
            return try retrying("watch", path) {
                inotify_add_watch(descriptor, path, mask.rawValue)
            }
        }
    }

    /// Stops a watch. One that the kernel already dropped is no error.
    public func unwatch(_ watch: Watch) {
        state.withLock { state in
            if let descriptor = state.descriptor { _ = inotify_rm_watch(descriptor, watch) }
        }
    }

    /// Frees the descriptor and ends `batches`. Safe to call twice.
    public func close() {
        let wasOpen = state.withLock { state in
            defer { state.descriptor = nil }
            return state.descriptor != nil
        }
        if wasOpen { finish() }
    }

    /// What happened, as it comes, in the kernel's order. For one consumer; ends when that one's
    /// task is cancelled or after `close()`, and the queue is closed then.
    public var batches: Batches { Batches(source: self, signals: signals.makeAsyncIterator()) }

    /// Takes what was read and not yet delivered.
    private func take() -> [InotifyEvent] {
        state.withLock { state in
            defer { state.pending = [] }
            return state.pending
        }
    }

    /// Reads until the kernel has no more; true where anything waits for the consumer.
    private func drain() -> Bool {
        state.withLock { state in
            guard let descriptor = state.descriptor else { return false }
            withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { buffer in
                while true {
                    let count = read(descriptor, buffer.baseAddress, buffer.count)
                    if count < 0 && errno == EINTR { continue }
                    guard count > 0 else { break }
                    state.pending += InotifyEvent.decode(
                        UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    if state.pending.count > Self.backlog {
                        state.pending = [.overflowed]
                    }
                }
            }
            return !state.pending.isEmpty
        }
    }

    /// The batches of one queue: each holds at least one event.
    public struct Batches: AsyncSequence, AsyncIteratorProtocol {
        /// A batch.
        public typealias Element = [InotifyEvent]
        /// It ends and never fails.
        public typealias Failure = Never

        fileprivate let source: Inotify
        fileprivate var signals: AsyncStream<Void>.Iterator

        /// Itself: there is one consumer.
        public func makeAsyncIterator() -> Batches { self }

        /// The next batch; nil after the end.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async -> [InotifyEvent]? {
            while await signals.next(isolation: actor) != nil {
                let events = source.take()
                if !events.isEmpty { return events }
            }
            return nil
        }
    }
}

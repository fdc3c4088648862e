import PalFiles
import Synchronization

/// Says when a specs directory may have changed. Only a hint: what has changed, a scan tells.
///
/// It sees the directory appear, vanish, and be swapped by a link. Bursts are joined into one
/// signal. Where the kernel's events cannot be had it polls, and `status` says so.
public final class TreeWatcher: Sendable {
    /// Why a signal is given.
    public enum Reason: Int, Sendable, Comparable, CaseIterable {
        /// Time for a look in any case: events can be lost, and some file systems have none.
        case periodic
        /// Watching began, and whatever changes from now on is seen.
        case started
        /// Something was written, came or went.
        case changed
        /// Events were lost: anything can have changed.
        case overflow

        /// The weaker reason first.
        public static func < (a: Reason, b: Reason) -> Bool { a.rawValue < b.rawValue }
    }

    /// How the directory is watched.
    public enum Status: Sendable, Hashable, CustomStringConvertible {
        /// `run` is not running.
        case idle
        /// By the kernel's events, on so many directories.
        case watching(directories: Int)
        /// By looking every few seconds: why.
        case polling(reason: String)

        /// In plain words.
        public var description: String {
            switch self {
            case .idle: "not watching"
            case .watching(let directories): "watching \(directories) directories"
            case .polling(let reason): "polling: \(reason)"
            }
        }
    }

    /// The times that a watcher keeps.
    public struct Timing: Sendable {
        /// How long nothing may happen before a burst counts as over.
        public var quiet: Duration
        /// The longest that a burst can put a signal off.
        public var most: Duration
        /// The periodic look.
        public var interval: Duration
        /// The look where there are no events; also how precise `interval` is.
        public var poll: Duration

        /// The times that suit people and their editors, unless told otherwise.
        public init(
            quiet: Duration = .milliseconds(100), most: Duration = .seconds(1),
            interval: Duration = .seconds(60), poll: Duration = .seconds(2)
        ) {
            self.quiet = quiet
            self.most = most
            self.interval = interval
            self.poll = poll
        }
    }

    private let root: String
    private let followsLinksOutside: Bool
    private let clock: any Clock<Duration>
    private let timing: Timing
    private let maximumDirectories: Int
    private let current = Mutex(Status.idle)

    /// - Parameters:
    ///   - root: the directory; it need not exist.
    ///   - clock: what every wait is on.
    ///   - maximumDirectories: past so many it polls.
    public init(
        root: String, followsLinksOutside: Bool = true, clock: any Clock<Duration>,
        timing: Timing = Timing(), maximumDirectories: Int = 20_000
    ) {
        self.root = root
        self.followsLinksOutside = followsLinksOutside
        self.clock = clock
        self.timing = timing
        self.maximumDirectories = maximumDirectories
    }

    /// How the directory is watched now.
    public var status: Status { current.withLock { $0 } }

    /// Watches until the task is cancelled.
    ///
    /// - Parameter changed: called once at the start and then after each change, one call at a
    /// time; what happens during a call leads to another one.
    public func run(_ changed: @Sendable (Reason) async -> Void) async {
        let inbox = Inbox()
        let watches: Result<WatchSet, SystemError> = Result { () throws(SystemError) in
            try WatchSet(maximum: maximumDirectories)
        }
        await withTaskGroup { group in
            if case .success(let watches) = watches {
                group.addTask {
                    for await events in watches.inotify.batches {
                        if let reason = watches.reason(in: events) { inbox.post(reason) }
                    }
                }
            }
            group.addTask { await self.tick(inbox) }
            inbox.post(.started)
            for await _ in inbox.signals {
                // What else comes of the same burst belongs to it.
                if inbox.hasChanges { await settle(inbox, clock) }
                guard !Task.isCancelled, let reason = inbox.take() else { continue }
                sync(watches)
                await changed(reason)
            }
            group.cancelAll()
        }
        if case .success(let watches) = watches { watches.inotify.close() }
        current.withLock { $0 = .idle }
    }

    /// Before each scan, so that what changes after it is seen.
    private func sync(_ watches: Result<WatchSet, SystemError>) {
        let status: Status
        switch watches {
        case .success(let watches):
            if let reason = watches.sync(root: root, followsLinksOutside: followsLinksOutside) {
                status = .polling(reason: reason)
            } else {
                status = .watching(directories: watches.count)
            }
        case .failure(let error):
            status = .polling(reason: "\(error): raise fs.inotify.max_user_instances")
        }
        current.withLock { $0 = status }
    }

    private func tick(_ inbox: Inbox) async {
        var sinceLook = Duration.zero
        while (try? await clock.sleep(for: min(timing.poll, timing.interval))) != nil {
            sinceLook += min(timing.poll, timing.interval)
            var isPolling = false
            if case .polling = status { isPolling = true }
            guard isPolling || sinceLook >= timing.interval else { continue }
            sinceLook = .zero
            inbox.post(.periodic)
        }
    }

    /// Waits until a burst is over.
    private func settle<C: Clock<Duration>>(_ inbox: Inbox, _ clock: C) async {
        let end = clock.now.advanced(by: timing.most)
        var seen = inbox.count
        while clock.now < end {
            let quiet = min(clock.now.advanced(by: timing.quiet), end)
            guard (try? await clock.sleep(until: quiet, tolerance: nil)) != nil else { return }
            let count = inbox.count
            if count == seen { return }
            seen = count
        }
    }
}

/// Reasons that wait for the watcher's loop: the strongest one, and how many there were.
private final class Inbox: Sendable {
    /// One element for any number of posts.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let state = Mutex((reason: TreeWatcher.Reason?.none, count: 0))

    init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var count: Int { state.withLock { $0.count } }

    var hasChanges: Bool { state.withLock { $0.reason.map { $0 > .started } ?? false } }

    func post(_ reason: TreeWatcher.Reason) {
        state.withLock { state in
            state.reason = max(reason, state.reason ?? reason)
            state.count += 1
        }
        signal.yield()
    }

    func take() -> TreeWatcher.Reason? {
        state.withLock { state in
            defer { state.reason = nil }
            return state.reason
        }
    }
}

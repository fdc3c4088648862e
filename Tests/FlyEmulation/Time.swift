import Glibc
import Synchronization

/// The clock of an emulation, as two closures.
struct Time: Sendable {
    /// Since the emulation was made.
    let elapsed: @Sendable () -> Duration
    /// Ends early by throwing where the task is cancelled.
    let sleep: @Sendable (Duration) async throws -> Void
    private let began: Int

    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: clock.now.advanced(by: $0), tolerance: nil) }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        began = now.tv_sec * 1_000_000_000 + now.tv_nsec
    }

    /// Nanoseconds since 1970: the wall's at the beginning, then the clock's.
    var now: Int { began + elapsed().nanoseconds }

    /// As RFC 3339 says it, with nanoseconds.
    var text: String { Self.text(now) }

    /// A moment as RFC 3339 says it.
    static func text(_ nanoseconds: Int) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func pad(_ value: Int, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let day =
            "\(Int(parts.tm_year) + 1900)-\(pad(Int(parts.tm_mon) + 1))-\(pad(Int(parts.tm_mday)))"
        let hour =
            "\(pad(Int(parts.tm_hour))):\(pad(Int(parts.tm_min))):\(pad(Int(parts.tm_sec)))"
        return "\(day)T\(hour).\(pad(nanoseconds % 1_000_000_000, 9))Z"
    }
}

extension Duration {
    /// All of it; a test does not last for 292 years.
    var nanoseconds: Int {
        Int(components.seconds) * 1_000_000_000 + Int(components.attoseconds / 1_000_000_000)
    }
}

/// The work that an emulation has under way, so that its end can wait for it.
final class Schedule: Sendable {
    private struct State {
        var next = 0
        var running: [Int: Task<Void, Never>] = [:]
        var closed = false
    }
    private let state = Mutex(State())

    /// Begins work at once.
    func run(_ work: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            guard !state.closed else { return }
            let id = state.next
            state.next += 1
            state.running[id] = Task {
                await work()
                self.state.withLock { _ = $0.running.removeValue(forKey: id) }
            }
        }
    }

    /// Cancels everything and waits for it; nothing new begins. What is done in between ends what
    /// cannot be cancelled.
    func close(_ meanwhile: () -> Void) async {
        let tasks = state.withLock { state in
            state.closed = true
            return Array(state.running.values)
        }
        for task in tasks { task.cancel() }
        meanwhile()
        for task in tasks { await task.value }
    }
}

/// Rings at each change of a machine, for those who wait for one.
final class Bell: Sendable {
    private let listeners = Mutex<[Int: AsyncStream<Void>.Continuation]>([:])
    private let next = Atomic<Int>(0)

    func ring() {
        for listener in listeners.withLock({ Array($0.values) }) { listener.yield() }
    }

    /// Asks at once and at each ring, until there is a result or the limit has passed.
    func first<Result: Sendable>(
        within limit: Duration, _ time: Time, _ result: @Sendable () throws -> Result?
    ) async rethrows -> Result? {
        let (rings, listener) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = next.add(1, ordering: .relaxed).newValue
        listeners.withLock { $0[id] = listener }
        let timer = Task {
            try? await time.sleep(limit)
            listener.finish()
        }
        defer {
            timer.cancel()
            listeners.withLock { _ = $0.removeValue(forKey: id) }
        }
        if let result = try result() { return result }
        for await _ in rings {
            if let result = try result() { return result }
        }
        return nil
    }
}

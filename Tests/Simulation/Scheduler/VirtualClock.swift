import FoundationEssentials
import PalEngine

/// Time that stands still while anything can run, and then jumps to the next thing that is due.
///
/// The date can be made to jump; the elapsed time never does.
final class VirtualClock: EngineClock, Clock {
    struct Instant: InstantProtocol {
        var elapsed: Duration

        func advanced(by duration: Duration) -> Instant { Instant(elapsed: elapsed + duration) }
        func duration(to other: Instant) -> Duration { other.elapsed - elapsed }
        static func < (a: Instant, b: Instant) -> Bool { a.elapsed < b.elapsed }
    }

    private enum Due {
        case sleeper(CheckedContinuation<Void, any Error>)
        case action(@Sendable () -> Void)
    }

    private struct State {
        var now = Duration.zero
        var dateOffset = 0.0
        var timers = TimerQueue()
        var due: [Int: Due] = [:]
        var count = 0
        var random: SeededRandom
    }

    /// When every run begins.
    static let start = Date(timeIntervalSinceReferenceDate: 800_000_000)

    private let state: Confined<State>

    init(_ random: SeededRandom) { state = Confined(State(random: random)) }

    var now: Instant { Instant(elapsed: elapsed()) }
    var minimumResolution: Duration { .nanoseconds(1) }

    func elapsed() -> Duration { state.value.now }

    func date() -> Date {
        Self.start + state.value.now.seconds + state.value.dateOffset
    }

    /// How many sleep or are planned.
    var pending: Int { state.value.due.count }

    /// Moves the date, and nothing else.
    func jump(by seconds: Double) { state.value.dateOffset += seconds }

    /// Does something at a later time.
    func after(_ duration: Duration, _ action: @escaping @Sendable () -> Void) {
        _ = plan(max(duration, .zero), .action(action))
    }

    func sleep(for duration: Duration) async throws {
        guard duration > .zero else {
            try Task.checkCancellation()
            return await Task.yield()
        }
        let ticket = Confined(Int?.none)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else {
                    continuation.resume(throwing: CancellationError())
                    return
                }
                ticket.value = plan(duration, .sleeper(continuation))
            }
        } onCancel: {
            guard let id = ticket.value, case .sleeper(let sleeper)? = take(id) else { return }
            sleeper.resume(throwing: CancellationError())
        }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await sleep(for: deadline.elapsed - elapsed())
    }

    /// Does what is due next, where that is not later than the limit; time moves there, or to the
    /// limit.
    /// - Returns: False where nothing is due.
    func advance(upTo limit: Duration) -> Bool {
        while let timer = state.value.timers.first, timer.at <= limit {
            state.value.timers.removeFirst()
            guard let due = take(timer.id) else { continue }
            state.value.now = max(state.value.now, timer.at)
            switch due {
            case .sleeper(let sleeper): sleeper.resume()
            case .action(let action): action()
            }
            return true
        }
        state.value.now = max(state.value.now, limit)
        return false
    }

    private func plan(_ duration: Duration, _ due: Due) -> Int {
        state.value.count += 1
        let id = state.value.count
        state.value.due[id] = due
        let tie = state.value.random.next()
        state.value.timers.add(.init(at: state.value.now + duration, tie: tie, id: id))
        return id
    }

    private func take(_ id: Int) -> Due? { state.value.due.removeValue(forKey: id) }
}

extension Duration {
    /// In seconds, with fractions.
    var seconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }
}

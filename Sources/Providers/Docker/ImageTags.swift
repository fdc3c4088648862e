import Synchronization

/// Which image each name stands for, as far as the swarm's containers were made by it.
///
/// As with `InspectCache`, an answer is kept only while changes are heard of, unless one came while
/// the question was under way, and for five minutes at most.
final class ImageTags: Sendable {
    /// Taken before an inspection, shown with its result.
    struct Ticket: Sendable {
        fileprivate var moment: UInt64
    }

    /// What is known of a name: which image it stands for, or that it stands for none.
    struct Known: Sendable {
        var image: ImageDetail?
        fileprivate var at: ContinuousClock.Instant
    }

    private static let longest = Duration.seconds(300)

    private struct State {
        var streams = 0
        var moment: UInt64 = 0
        var entries: [String: Known] = [:]

        mutating func forget(where isMeant: (String) -> Bool) {
            moment += 1
            entries = entries.filter { !isMeant($0.key) }
        }
    }

    private let state = Mutex(State())

    /// From now on changes are heard of.
    func open() {
        state.withLock {
            $0.streams += 1
            $0.forget { _ in true }
        }
    }

    /// Changes are not heard of any more.
    func close() {
        state.withLock {
            $0.streams -= 1
            $0.forget { _ in true }
        }
    }

    /// Some names may stand for other images now.
    func forget(where isMeant: (String) -> Bool) {
        state.withLock { $0.forget(where: isMeant) }
    }

    func ticket() -> Ticket { state.withLock { Ticket(moment: $0.moment) } }

    func keep(
        _ image: ImageDetail?, _ name: String, _ ticket: Ticket,
        now: ContinuousClock.Instant = .now
    ) {
        state.withLock { state in
            guard state.streams > 0, state.moment == ticket.moment else { return }
            state.entries[name] = Known(image: image, at: now)
        }
    }

    func known(_ name: String, now: ContinuousClock.Instant = .now) -> Known? {
        state.withLock { state in
            guard let known = state.entries[name], now - known.at < Self.longest else {
                return nil
            }
            return known
        }
    }

    /// Forgets all but these names, so that it does not grow.
    func retain(_ names: Set<String>) {
        state.withLock { state in
            state.entries = state.entries.filter { names.contains($0.key) }
        }
    }
}

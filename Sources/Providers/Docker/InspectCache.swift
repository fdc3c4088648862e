import Synchronization

/// What was inspected of the containers of one swarm, so that a list of hundreds is one call.
///
/// The Engine's list has neither limits nor health in a usable form; those come from an inspection
/// of each container. Its answer is kept, by container id, as long as nothing can have changed it:
///
/// - only while at least one event stream is open (`open`/`close`): an event about a container
///   forgets what is known of it, and what was inspected without a stream is never kept;
/// - only while the list shows the state and health under which it was inspected;
/// - never over pal's own changes, which forget it at once;
/// - for five minutes at most, because the Engine drops events for a listener that is slow.
///
/// An inspection that was under way when something happened is not kept either: it may have been
/// read before. `Ticket` is how `keep` knows. Without a stream every list inspects every container.
final class InspectCache: Sendable {
    /// Taken before an inspection, shown with its result.
    struct Ticket: Sendable {
        fileprivate var moment: UInt64
    }

    private struct Entry {
        var detail: ContainerDetail
        var mark: String
        var at: ContinuousClock.Instant
    }

    private static let longest = Duration.seconds(300)

    private struct State {
        var streams = 0
        var entries: [String: Entry] = [:]
        /// Counts what happened; the moment of the last thing that concerned all, or one.
        var moment: UInt64 = 0
        var allChanged: UInt64 = 0
        var changed: [String: UInt64] = [:]

        mutating func forgetAll() {
            moment += 1
            allChanged = moment
            entries = [:]
            changed = [:]
        }
    }

    private let state = Mutex(State())

    /// An event stream is open: from now on changes are heard of.
    func open() {
        state.withLock {
            $0.streams += 1
            $0.forgetAll()
        }
    }

    /// An event stream has ended.
    func close() {
        state.withLock {
            $0.streams -= 1
            $0.forgetAll()
        }
    }

    /// Something happened to a container.
    func forget(_ id: String) {
        state.withLock {
            $0.moment += 1
            $0.entries[id] = nil
            $0.changed[id] = $0.moment
        }
    }

    /// Something happened that bears on no container itself, but on what a list says of it.
    func stir() { state.withLock { $0.moment += 1 } }

    /// To be taken before an inspection.
    func ticket() -> Ticket { state.withLock { Ticket(moment: $0.moment) } }

    /// Keeps an inspection, unless something happened since the ticket was taken.
    func keep(
        _ detail: ContainerDetail, mark: String, _ ticket: Ticket,
        now: ContinuousClock.Instant = .now
    ) {
        state.withLock { state in
            guard state.streams > 0, state.allChanged <= ticket.moment,
                (state.changed[detail.id] ?? 0) <= ticket.moment
            else { return }
            state.entries[detail.id] = Entry(detail: detail, mark: mark, at: now)
        }
    }

    /// What is known of a container, where nothing happened to it since; with a mark, where the
    /// list shows it with this one.
    func detail(
        _ id: String, mark: String? = nil, now: ContinuousClock.Instant = .now
    ) -> ContainerDetail? {
        state.withLock { state in
            guard let entry = state.entries[id], mark.map({ $0 == entry.mark }) ?? true,
                now - entry.at < Self.longest
            else { return nil }
            return entry.detail
        }
    }

    /// Whether all changes are heard of, and nothing happened since the ticket was taken.
    func isQuiet(since ticket: Ticket) -> Bool {
        state.withLock { $0.streams > 0 && $0.moment == ticket.moment }
    }

    /// When the oldest of what is kept ends; nil where nothing is kept.
    var firstExpiry: ContinuousClock.Instant? {
        state.withLock { $0.entries.values.map(\.at).min().map { $0 + Self.longest } }
    }

    /// What is known of every container: of use where an old answer does no harm.
    var everything: [ContainerDetail] { state.withLock { $0.entries.values.map(\.detail) } }

    /// Forgets the containers that are gone.
    func retain(_ ids: Set<String>) {
        state.withLock { state in
            state.entries = state.entries.filter { ids.contains($0.key) }
            state.changed = state.changed.filter { ids.contains($0.key) }
        }
    }
}

extension ContainerDetail {
    /// What a list shows of it, where that is known: while it runs. A list that shows something
    /// else has it inspected again.
    var expectedMark: String? {
        guard isRunning else { return nil }
        guard hasCheck, let health = state.health?.status else { return state.status }
        return "\(state.status) (\(health))"
    }

    /// Whether the Engine runs a check of its own inside.
    var hasCheck: Bool { ![nil, "none", ""].contains(state.health?.status) }
}

extension ContainerSummary {
    /// State and health, without the times that change by themselves: `running (healthy)`.
    ///
    /// `Up 5 minutes (healthy)` and `Exited (137) 2 hours ago` have what counts in parentheses; an
    /// Engine writes `(health: starting)`.
    var mark: String {
        guard let status, let open = status.firstIndex(of: "("),
            let close = status[open...].firstIndex(of: ")")
        else { return state }
        let words = status[status.index(after: open)..<close]
        let prefix = "health: "
        return "\(state) (\(words.hasPrefix(prefix) ? words.dropFirst(prefix.count) : words))"
    }
}

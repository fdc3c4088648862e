internal import FoundationEssentials
import PalModel
import Synchronization

/// When the kernel last ended something in each container for want of memory, as far as the
/// Engine's events told.
///
/// The Engine itself forgets that as soon as its restart policy has started the container again,
/// and never says it of a process that was not the container's first: an extension's, say.
final class MemoryDeaths: Sendable {
    private let times = Mutex<[String: Date]>([:])

    /// - Parameter time: Seconds since 1970; now where the event has none.
    func note(_ id: String, at time: Int?) {
        let at = time.map { Date(timeIntervalSince1970: Double($0)) } ?? Date()
        times.withLock { $0[id] = at }
    }

    /// The report for a container that runs again, or still.
    func report(of id: String) -> ExitReport? {
        times.withLock { $0[id] }.map { ExitReport(code: nil, isOutOfMemory: true, at: $0) }
    }

    /// Forgets the containers that are gone.
    func retain(_ ids: Set<String>) {
        times.withLock { times in times = times.filter { ids.contains($0.key) } }
    }
}

import PalProvider
import PalModel
import Synchronization

/// The last list of the whole swarm and what was made of it.
///
/// While an event stream is open and nothing was heard since, an answer of the Engine's that is the
/// same to the byte means the same instances, and is not read again. Its ages are rounded text such
/// as `Up 2 hours`, so answers do repeat. It lasts no longer than the inspections behind it.
final class LastList: Sendable {
    private struct Entry {
        var body: [UInt8]
        var instances: [VSCodeInstance]
        var ticket: InspectCache.Ticket
        var end: ContinuousClock.Instant
    }

    private let last = Mutex<Entry?>(nil)

    /// What the answer means, where that is known.
    func instances(
        _ body: [UInt8], _ cache: InspectCache, now: ContinuousClock.Instant = .now
    ) -> [VSCodeInstance]? {
        last.withLock { last in
            guard let known = last, cache.isQuiet(since: known.ticket), now < known.end,
                known.body == body
            else {
                last = nil
                return nil
            }
            return known.instances
        }
    }

    /// Keeps what was made of an answer, unless an editor still has to be asked.
    ///
    /// - Parameter ticket: Taken before the list was asked for.
    func keep(
        _ body: [UInt8], _ instances: [VSCodeInstance], _ cache: InspectCache,
        _ ticket: InspectCache.Ticket
    ) {
        guard cache.isQuiet(since: ticket), let end = cache.firstExpiry,
            instances.allSatisfy({ $0.readiness.isReady || $0.readiness == .unknown })
        else { return }
        last.withLock {
            $0 = Entry(body: body, instances: instances, ticket: ticket, end: end)
        }
    }
}

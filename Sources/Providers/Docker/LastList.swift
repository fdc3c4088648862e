import PalProvider
import PalModel
import Synchronization

/// The last list of the whole swarm and what was made of it.
///
/// While an event stream is open and nothing was heard since, an answer of the Engine's that is the
/// same but for ages means the same instances, and is not read again. It lasts no longer than the
/// inspections behind it.
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
        let body = Self.withoutAges(body)
        return last.withLock { last in
            guard let known = last, cache.isQuiet(since: known.ticket), now < known.end,
                known.body == body
            else {
                last = nil
                return nil
            }
            return known.instances
        }
    }

    /// The answer without how long each container has been up, as in `Up 5 seconds (healthy)`,
    /// which changes every second at first and says nothing that events do not.
    static func withoutAges(_ body: [UInt8]) -> [UInt8] {
        let start = Array(#""Status":"Up "#.utf8)
        var kept: [UInt8] = []
        kept.reserveCapacity(body.count)
        var index = body.startIndex
        while index < body.endIndex {
            // Quotes are few beside what is between them.
            let quote = body[index...].firstIndex(of: UInt8(ascii: "\"")) ?? body.endIndex
            kept.append(contentsOf: body[index..<quote])
            index = quote
            if body[index...].starts(with: start) {
                kept.append(contentsOf: start)
                let age = body[(index + start.count)...]
                index =
                    age.firstIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "(") }
                    ?? body.endIndex
            } else if index < body.endIndex {
                kept.append(body[index])
                index += 1
            }
        }
        return kept
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
        let body = Self.withoutAges(body)
        last.withLock {
            $0 = Entry(body: body, instances: instances, ticket: ticket, end: end)
        }
    }
}

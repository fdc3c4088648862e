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
        return body.withUnsafeBufferPointer { bytes in
            var kept: [UInt8] = []
            kept.reserveCapacity(bytes.count)
            var (index, first) = (0, 0)
            while index < bytes.count {
                defer { index += 1 }
                // Few bytes are a capital U.
                let end = index + 3
                guard bytes[index] == UInt8(ascii: "U"), end <= bytes.count, end >= start.count,
                    bytes[(end - start.count)..<end].elementsEqual(start)
                else { continue }
                kept.append(contentsOf: bytes[first..<end])
                first = end
                while first < bytes.count, bytes[first] != UInt8(ascii: "\""),
                    bytes[first] != UInt8(ascii: "(")
                { first += 1 }
                index = first
            }
            kept.append(contentsOf: bytes[first...])
            return kept
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
        let body = Self.withoutAges(body)
        last.withLock {
            $0 = Entry(body: body, instances: instances, ticket: ticket, end: end)
        }
    }
}

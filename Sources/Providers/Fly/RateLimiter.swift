import Synchronization

/// Keeps calls within the limits of the Machines API, before they are made.
///
/// Fly.io counts one action on one machine (or app, where there is no machine yet) once a second,
/// three at once; reading one machine five times a second, ten at once
/// (https://fly.io/docs/machines/api/working-with-machines-api/#rate-limits). pal stays a little
/// below both: calls that left in time can arrive closer together.
final class RateLimiter: Sendable {
    /// So many calls at once, and one more after each interval.
    struct Rate: Sendable, Hashable {
        var interval: Duration
        var burst: Int

        static let usual = Rate(interval: .milliseconds(1030), burst: 2)
        static let reading = Rate(interval: .milliseconds(206), burst: 8)
    }

    /// What is counted together.
    struct Key: Sendable, Hashable {
        var action: MachinesCall.Action
        /// The machine's id, or the app.
        var object: String
    }

    /// For each key the time at which all calls so far are paid for.
    private let paid = Mutex<[Key: Duration]>([:])

    /// Takes the next place of a key.
    /// - Returns: How long to wait before the call is made.
    func reserve(_ key: Key, now: Duration) -> Duration {
        let rate = key.action.rate
        return paid.withLock { paid in
            if paid.count > 4096 { paid = paid.filter { $0.value > now } }
            let before = max(paid[key] ?? .zero, now)
            paid[key] = before + rate.interval
            return max(.zero, before - rate.interval * (rate.burst - 1) - now)
        }
    }

    /// Lets nothing through for a time, because Fly.io said so.
    func hold(_ key: Key, for pause: Duration, now: Duration) {
        let rate = key.action.rate
        paid.withLock { paid in
            let until = now + pause + rate.interval * (rate.burst - 1)
            paid[key] = max(paid[key] ?? .zero, until)
        }
    }
}

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

    /// For one key the times at which all calls are paid for: those that have a place in the line,
    /// and those that have left.
    private struct Account {
        var promised = Duration.zero
        var paid = Duration.zero
    }

    private let accounts = Mutex<[Key: Account]>([:])

    /// Takes the next place in the line of a key.
    /// - Returns: How long to wait before `leave` is tried.
    func reserve(_ key: Key, now: Duration) -> Duration {
        let rate = key.action.rate
        return accounts.withLock { accounts in
            if accounts.count > 4096 { accounts = accounts.filter { $0.value.promised > now } }
            var account = accounts[key] ?? Account()
            let before = max(account.promised, now)
            account.promised = before + rate.interval
            accounts[key] = account
            return max(.zero, before - rate.interval * (rate.burst - 1) - now)
        }
    }

    /// Lets a call leave whose turn has come.
    /// - Returns: Nil where it may leave; else how much longer to wait, because others left late or
    ///   Fly.io asked for a pause.
    func leave(_ key: Key, now: Duration) -> Duration? {
        let rate = key.action.rate
        return accounts.withLock { accounts in
            var account = accounts[key] ?? Account()
            let before = max(account.paid, now)
            let wait = before - rate.interval * (rate.burst - 1) - now
            guard wait <= .zero else { return wait }
            account.paid = before + rate.interval
            accounts[key] = account
            return nil
        }
    }

    /// Lets nothing leave for a time, because Fly.io said so.
    func hold(_ key: Key, for pause: Duration, now: Duration) {
        let rate = key.action.rate
        accounts.withLock { accounts in
            var account = accounts[key] ?? Account()
            let until = now + pause + rate.interval * (rate.burst - 1)
            account.paid = max(account.paid, until)
            account.promised = max(account.promised, until)
            accounts[key] = account
        }
    }
}

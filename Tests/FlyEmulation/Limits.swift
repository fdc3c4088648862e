import Synchronization

/// The documented limits: each action so often a second for each machine or app.
final class Limits: Sendable {
    private struct Key: Hashable {
        var name: String
        var id: String
    }
    private struct Bucket {
        var tokens: Double
        var at: Duration
    }
    private let buckets = Mutex<[Key: Bucket]>([:])

    /// Whether one more call may pass now.
    func admit(_ name: String, id: String, at now: Duration) -> Bool {
        let (rate, burst) = Self.limit(name)
        return buckets.withLock { buckets in
            let key = Key(name: name, id: id)
            var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
            bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) / .seconds(1) * rate)
            bucket.at = now
            let admitted = bucket.tokens >= 1
            if admitted { bucket.tokens -= 1 }
            buckets[key] = bucket
            return admitted
        }
    }

    private static func limit(_ name: String) -> (rate: Double, burst: Double) {
        switch name {
        case "getMachine": (5, 10)
        // A hundred apps a minute.
        case "deleteApp": (100.0 / 60, 100)
        default: (1, 3)
        }
    }
}

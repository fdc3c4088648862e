internal import OrderedCollections

/// The names that somebody must look at, each at most once, and when.
///
/// A name that is being worked on is not handed out again before it is done; what was added for it
/// meanwhile is kept. First come, first served; nothing depends on hashing.
struct WorkQueue {
    private var ready: OrderedSet<String> = []
    private var later: [String: Duration] = [:]
    private(set) var inFlight: Set<String> = []

    /// Whether nothing is to be done, now or later.
    var isEmpty: Bool { ready.isEmpty && later.isEmpty && inFlight.isEmpty }

    /// Puts a name in line.
    mutating func add(_ name: String) {
        later[name] = nil
        ready.append(name)
    }

    /// Puts a name in line for a later time; an earlier time that was set stays.
    mutating func add(_ name: String, at time: Duration) {
        guard !ready.contains(name) else { return }
        later[name] = min(time, later[name] ?? time)
    }

    /// Takes the names whose time has come and that nobody works on.
    mutating func take(at now: Duration, _ limit: Int, where admits: (String) -> Bool) -> [String] {
        for (name, time) in later.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) })
        where time <= now {
            later[name] = nil
            ready.append(name)
        }
        var taken: [String] = []
        for name in ready where taken.count < limit && !inFlight.contains(name) && admits(name) {
            taken.append(name)
        }
        for name in taken {
            ready.remove(name)
            inFlight.insert(name)
        }
        return taken
    }

    /// Gives a name back.
    mutating func done(_ name: String) { inFlight.remove(name) }

    /// Whether a name waits for its turn now.
    func isReady(_ name: String) -> Bool { ready.contains(name) }

    /// When the next name's time comes; nil where none waits for a time.
    var nextTime: Duration? { later.values.min() }
}

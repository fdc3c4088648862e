internal import DequeModule
internal import HeapModule

/// The names that somebody must look at, each at most once, and when.
///
/// A name that is being worked on is not handed out again before it is done; what was added for it
/// meanwhile is kept. First come, first served; nothing depends on hashing.
struct WorkQueue {
    private struct Timed: Comparable {
        var time: Duration
        var name: String
        static func < (a: Timed, b: Timed) -> Bool { (a.time, a.name) < (b.time, b.name) }
    }

    private var line: Deque<String> = []
    /// The names in the line.
    private var ready: Set<String> = []
    /// Names that were added while they were worked on.
    private var again: Set<String> = []
    /// The time that counts of each name; what else the heap holds of it is out of date.
    private var times: [String: Duration] = [:]
    private var later = Heap<Timed>()
    private(set) var inFlight: Set<String> = []

    /// Whether nothing is to be done, now or later.
    var isEmpty: Bool { ready.isEmpty && again.isEmpty && times.isEmpty && inFlight.isEmpty }

    /// How many entries it holds, outdated ones too.
    var size: Int { line.count + again.count + times.count + later.count + inFlight.count }

    /// Whether a name waits for its turn now.
    var hasReady: Bool { !ready.isEmpty }

    /// Puts a name in line.
    mutating func add(_ name: String) {
        times[name] = nil
        guard !inFlight.contains(name) else {
            again.insert(name)
            return
        }
        if ready.insert(name).inserted { line.append(name) }
    }

    /// Puts a name in line for a later time; an earlier time that was set stays.
    mutating func add(_ name: String, at time: Duration) {
        guard !ready.contains(name), !again.contains(name) else { return }
        if let set = times[name], set <= time { return }
        times[name] = time
        later.insert(Timed(time: time, name: name))
        dropOutdated()
    }

    /// Takes the next name whose time has come; it counts as being worked on until `done`.
    mutating func next(at now: Duration) -> String? {
        while let first = later.min, first.time <= now {
            later.removeMin()
            guard times[first.name] == first.time else { continue }
            add(first.name)
        }
        guard let name = line.popFirst() else { return nil }
        ready.remove(name)
        inFlight.insert(name)
        return name
    }

    /// Gives a name back.
    mutating func done(_ name: String) {
        inFlight.remove(name)
        if again.remove(name) != nil { add(name) }
    }

    /// When the next name's time comes; nil where none waits for a time.
    var nextTime: Duration? { later.min?.time }

    /// Keeps the first entry true, and the heap no more than twice as long as what counts.
    private mutating func dropOutdated() {
        while let first = later.min, times[first.name] != first.time { later.removeMin() }
        guard later.count > 2 * times.count + 64 else { return }
        later = Heap(times.map { Timed(time: $0.value, name: $0.key) })
    }
}

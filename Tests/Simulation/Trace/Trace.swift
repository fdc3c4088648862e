/// A fact with its time and its controller.
struct Entry: Sendable {
    /// Virtual time since the run began.
    var at: Duration
    /// The controller that did it; 0 where nobody of pal did.
    var controller: Int
    var fact: Fact

    var text: String {
        let time = String(at.milliseconds)
        let padded = String(repeating: " ", count: max(0, 9 - time.count)) + time
        let who = controller > 0 ? "#\(controller) " : ""
        return "\(padded) ms  \(who)\(fact.text)".replacing("\n", with: " ")
    }
}

/// Everything that happened in a run, in order, with a running hash over all of it.
final class Trace: Sendable {
    private struct State {
        var hash = RunningHash()
        var count = 0
        var lines: [String] = []
        var observer: (@Sendable (Entry) -> Void)?
    }

    private let state = Confined(State())
    private let clock: VirtualClock
    private let keepsLines: Bool

    /// - Parameter keepsLines: For people: every line is kept.
    init(_ clock: VirtualClock, keepsLines: Bool) {
        self.clock = clock
        self.keepsLines = keepsLines
    }

    /// Who sees each entry as it comes; nil for nobody.
    func observe(_ observer: (@Sendable (Entry) -> Void)?) {
        state.value.observer = observer
    }

    func add(_ fact: Fact, by controller: Int = 0) {
        let entry = Entry(at: clock.elapsed(), controller: controller, fact: fact)
        state.value.count += 1
        let text = entry.text
        state.value.hash.add(text)
        if keepsLines { state.value.lines.append(text) }
        let observer = state.value.observer
        observer?(entry)
    }

    /// Two runs with the same hash did the same.
    var hash: UInt64 { state.value.hash.value }
    var count: Int { state.value.count }
    var lines: [String] { state.value.lines }
}

extension Duration {
    /// In whole milliseconds.
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}

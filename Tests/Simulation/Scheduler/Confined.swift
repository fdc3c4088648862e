/// State of one simulated run, shared by everything in it.
// Unchecked, because a run's jobs and timers are run one after the other by the run's one thread;
// nothing of a run is ever touched from another one.
final class Confined<Value>: @unchecked Sendable {
    /// What is shared.
    var value: Value

    init(_ value: Value) { self.value = value }
}

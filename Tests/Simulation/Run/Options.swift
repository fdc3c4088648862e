/// What a run is made with beside its seed.
public struct Options: Sendable {
    /// The faults that may be drawn.
    public var faults: Set<Fault> = Set(Fault.allCases)
    /// Every allowed fault is in; otherwise each seed draws some of them.
    public var usesAllFaults = false
    /// Keeps every line of the trace for people.
    public var keepsTrace = false

    /// All faults, drawn from the seed.
    public init() {}
}

/// What came of one seed.
public struct Outcome: Sendable {
    /// The seed.
    public var seed: UInt64
    /// Broken promises; empty where all is well.
    public var findings: [Finding] = []
    /// Two runs with the same hash did exactly the same.
    public var traceHash: UInt64 = 0
    /// The trace's lines, where they were asked for.
    public var trace: [String] = []
    /// How much virtual time passed, in milliseconds.
    public var virtualTime: Int64 = 0
    /// How often platforms were changed by pal.
    public var effects = 0
    /// How often each fault struck.
    public var strikes: [Fault: Int] = [:]
    /// How often something interesting was seen.
    public var coverage: [String: Int] = [:]
}

import Simulation

/// What came of many seeds.
struct Report {
    /// The options that a replay needs.
    let arguments: String
    private(set) var failed = 0
    private var seeds = 0
    private var virtualTime: Int64 = 0
    private var effects = 0
    private var strikes: [Fault: Int] = [:]
    private var coverage: [String: Int] = [:]
    private var digest: UInt64 = 0

    init(arguments: String) { self.arguments = arguments }

    /// Adds a seed, and prints it where it failed.
    mutating func add(_ outcome: Outcome, again: Outcome?) {
        seeds += 1
        virtualTime += outcome.virtualTime
        effects += outcome.effects
        strikes.merge(outcome.strikes, uniquingKeysWith: +)
        coverage.merge(outcome.coverage, uniquingKeysWith: +)
        digest = (digest &* 31) &+ outcome.traceHash
        var lines = outcome.findings.map(\.description)
        if let again, again.traceHash != outcome.traceHash {
            lines.append("the same seed gives the same trace: it gave two different ones")
        }
        guard !lines.isEmpty else { return }
        failed += 1
        print("seed \(outcome.seed) failed:")
        for line in lines { print("  \(line)") }
        print("  replay: swift run -c release pal-sim --seed \(outcome.seed)\(arguments) --trace")
    }

    /// The last lines.
    var summary: String {
        let faults = Fault.allCases.map { "\($0.rawValue) \(strikes[$0] ?? 0)" }
        let seen = coverage.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let hours = Double(virtualTime / 36_000) / 100
        return """
            faults: \(faults.joined(separator: ", "))
            seen: \(seen.joined(separator: ", "))
            \(seeds) seeds run, \(failed) failed; \(hours) hours of virtual time, \
            \(effects) effects; digest of all traces \(String(digest, radix: 16))
            """
    }
}

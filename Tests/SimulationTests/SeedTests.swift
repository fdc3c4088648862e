import Simulation
import Testing

@Suite("Seeds", .timeLimit(.minutes(10)))
struct SeedTests {
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func aSeedBreaksNoPromise(_ seed: UInt64) {
        #expect(Simulation.run(seed: seed).findings.map(\.description) == [])
    }

    @Test func theSameSeedDoesTheSame() {
        for seed in 11...14 as ClosedRange<UInt64> {
            let first = Simulation.run(seed: seed)
            #expect(first.traceHash == Simulation.run(seed: seed).traceHash)
            #expect(first.effects > 0)
        }
    }

    @Test func anotherSeedDoesSomethingElse() {
        #expect(Simulation.run(seed: 21).traceHash != Simulation.run(seed: 22).traceHash)
    }

    @Test func aFaultThatIsNotAllowedNeverStrikes() {
        var options = Options()
        options.faults = [.serverError]
        options.usesAllFaults = true
        let outcomes = (31...36 as ClosedRange<UInt64>).map { Simulation.run(seed: $0, options) }
        #expect(outcomes.contains { $0.strikes[.serverError] ?? 0 > 0 })
        #expect(outcomes.allSatisfy { $0.strikes.keys.allSatisfy { $0 == .serverError } })
    }
}

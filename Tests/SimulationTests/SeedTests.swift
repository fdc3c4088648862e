import Simulation
import Testing

@Suite("Seeds")
struct SeedTests {
    @Test(arguments: [1, 2, 3, 4, 5])
    func aSeedBreaksNoPromise(_ seed: UInt64) {
        #expect(Simulation.run(seed: seed).findings.map(\.description) == [])
    }
}

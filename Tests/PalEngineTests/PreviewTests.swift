import PalLedger
import PalModel
import PalProvider
import Testing

@testable import PalEngine

@Suite("Previews", .timeLimit(.minutes(10)))
struct PreviewTests {
    @Test func aControllerSaysWhatItWouldDoAsAPlanFromNothingKnownDoes() async throws {
        let swarm = try TestSwarm()
        var limited = swarm.config("b")
        limited.resources.memoryMax = 512
        swarm.source.declare([swarm.config("a"), limited, swarm.config("c")])
        var request = ControlRequest(verb: .apply, by: "ann")
        request.number = try swarm.ledger.ask(request)
        let reconciler = try swarm.reconciler()
        _ = await reconciler.perform(request, only: nil)
        let settled = await reconciler.preview()
        #expect(settled.plans.map(\.name) == ["a", "b", "c"])
        #expect(settled.plans.allSatisfy { $0.steps.isEmpty })
        let fresh = try await Preview.make(
            source: swarm.source, providers: [swarm.platform, swarm.other], ledger: swarm.ledger,
            clock: SystemClock(), policy: swarm.policy)
        #expect(fresh.plans == settled.plans)
        #expect(fresh.digest == settled.digest)
    }

    @Test func ofManyNamesEachGetsItsOwnInOrder() {
        let numbers = Array(0..<10_007)
        #expect(numbers.mapInParallel { String($0) } == numbers.map { String($0) })
        #expect([Int]().mapInParallel { $0 }.isEmpty)
    }

    @Test func aLongListTellsOfChangesAndOfNamesThatNobodyKnew() async throws {
        let swarm = try TestSwarm()
        let world = World(providers: [swarm.platform], records: [], clock: SystemClock())
        let objects = (0..<5_000).map { number in
            let owner = Ownership(
                swarm: "test", name: "n\(number)", id: "i\(number)", generation: 1,
                specHash: SpecHash(text: "v1:0"))
            return swarm.platform.createBaseInstance(
                owner, providerInstanceId: "o\(number)", status: .running,
                config: InstanceConfig(name: owner.name))
        }
        func take(_ list: [VSCodeInstance]) -> Set<String> {
            world.take(list, of: "docker", names: nil, since: .max, busy: ["n7"])
        }
        #expect(take(Array(objects.dropLast())).count == 4_998, "n7 is busy")
        var list = objects
        list[3].status = .stopped
        list[7].status = .stopped
        list.remove(at: 11)
        #expect(take(list) == ["n3", "n11", "n4999"])
        #expect(world["n11"]?.observed.isEmpty == true)
        #expect(take(list).isEmpty)
        #expect(take(list + [list[20]]) == ["n21"], "two objects of one name")
    }
}

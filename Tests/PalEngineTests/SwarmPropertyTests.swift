import FoundationEssentials
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import PalEngine

/// What holds of the decisions on a whole swarm: the names go through world, planner and admission
/// as in `pal plan`.
@Suite("Properties of a swarm's plans")
struct SwarmPropertyTests {
    /// Swarms with their plans, drawn once for all.
    private static let drawn = (0..<500 as Range<UInt64>).map { seed in
        let swarm = GeneratedSwarm(seed: seed)
        return (seed: seed, swarm: swarm, plans: swarm.plans(order: 0))
    }

    @Test func theOrderInWhichThingsAreKnownDoesNotMatter() {
        for (seed, swarm, plans) in Self.drawn {
            for order in 1...3 as ClosedRange<UInt64> {
                #expect(swarm.plans(order: order) == plans, "seed \(seed), order \(order)")
            }
        }
    }

    @Test func oneSpecLessChangesNothingForOthers() {
        var compared = 0
        for (seed, swarm, before) in Self.drawn {
            let names = swarm.declaredNames
            guard names.count > 1 else { continue }
            let gone = names[Int(seed % UInt64(names.count))]
            var fewer = swarm
            fewer.undeclare(gone)
            let after = fewer.plans(order: 0)
            for (name, plan) in before.raw where name != gone {
                #expect(after.raw[name] == plan, "\(name) without \(gone), seed \(seed)")
                // What is admitted may differ for two reasons: it waits for what is gone, and one
                // deletion more may be more than the budget.
                guard !swarm.depends(name, on: gone), !plan.isPrune else { continue }
                let (now, then) = (after.admitted[name], before.admitted[name])
                #expect(
                    now?.steps == then?.steps && now?.waitsFor == then?.waitsFor,
                    "\(name) without \(gone), seed \(seed)")
                compared += 1
            }
        }
        #expect(compared > 1_000)
    }

    @Test func everyDeletionForWantOfAFileCountsAgainstTheBudget() {
        var counted = 0
        for (seed, _, plans) in Self.drawn {
            let pruned = plans.raw.filter { $0.value.isPrune }.map(\.key)
            #expect(Set(pruned).isSubset(of: plans.candidates), "seed \(seed)")
            counted += pruned.count
        }
        #expect(counted > 100)
    }

    @Test func whatIsParkedOrWaitsIsNotDone() {
        var parked = 0
        var waiting = 0
        for (seed, _, plans) in Self.drawn {
            for (name, plan) in plans.admitted {
                let raw = plans.raw[name]
                if plan.conditions.contains(where: { $0.reason == "PruneBudget" }) {
                    #expect(raw?.isPrune == true && plan.steps.isEmpty, "\(name), seed \(seed)")
                    parked += 1
                } else if plan.waitsFor != nil {
                    #expect(
                        raw?.action == .replace
                            || raw?.steps.contains { $0.verb == .create || $0.verb == .start }
                                == true,
                        "\(name), seed \(seed)")
                    waiting += 1
                }
            }
        }
        #expect(parked > 10 && waiting > 10)
    }
}

/// Some names in every situation, two providers, and demands among the names.
struct GeneratedSwarm: Sendable {
    /// Decisions by name.
    struct Plans: Equatable, Sendable {
        /// As the planner made them.
        var raw: [String: InstancePlan] = [:]
        /// As they may go on.
        var admitted: [String: InstancePlan] = [:]
        var candidates: Set<String> = []
    }

    let cases: [String: GeneratedCase]
    private var desired = Desired(specsPath: GeneratedCase.specsPath)
    private let listed: Set<String>

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // Now and then most files are gone at once.
        let isSwept = random.isOnce(in: 3)
        let names = (0..<random.number(2...24)).map { "n\($0)" }
        var cases: [String: GeneratedCase] = [:]
        for name in names {
            cases[name] = GeneratedCase(seed: random.next(), name: name, adopts: false)
        }
        self.cases = cases
        for name in names where !isSwept || random.isOnce(in: 6) {
            guard let declaration = cases[name]?.declaration else { continue }
            var config = declaration.config.value
            if random.isOnce(in: 5) {
                config.dependsOn = [names[random.number(0...names.count - 1)]]
            }
            desired.declarations[name] = Declaration(
                config: config, location: declaration.location,
                staleBecause: declaration.staleBecause)
        }
        for name in names where random.isOnce(in: 16) {
            desired.frozen[name] = cases[name].map { [$0.frozen] }
        }
        if random.isOnce(in: 8) { desired.pruneBlock = "a.yaml cannot be read" }
        listed = random.isOnce(in: 8) ? ["docker"] : ["docker", "light"]
    }

    var declaredNames: [String] { desired.declarations.keys.sorted() }

    mutating func undeclare(_ name: String) { desired.declarations[name] = nil }

    /// Whether a name demands another, itself or through others.
    func depends(_ name: String, on other: String) -> Bool {
        var reached: Set<String> = []
        var next = [name]
        while let here = next.popLast() {
            for needed in desired.declarations[here]?.config.value.dependsOn ?? []
            where reached.insert(needed).inserted { next.append(needed) }
        }
        return reached.contains(other)
    }

    /// The decisions, with everything made known in an order of its own.
    func plans(order: UInt64) -> Plans {
        var random = SeededGenerator(seed: order)
        let world = world(&random)
        var admission = Admission(policy: Policy())
        let candidates = world.pruneCandidates
        admission.weigh(
            candidates, declared: desired.declarations.count, isUndeclared: world.isUndeclared,
            at: .zero, GeneratedCase.now)
        var plans = Plans(candidates: candidates ?? [])
        for key in world.sorted.shuffled(using: &random) {
            let plan = Planner.plan(world.input(for: key, specsPath: desired.specsPath))
            var admitted = Admission.gate(plan, world.dependencies) {
                world.instance(of: $0)?.value.isServing == true
            }
            if let wait = admission.admit(admitted, at: .zero, GeneratedCase.now) {
                admitted.steps = []
                admitted.conditions.append(wait)
            }
            plans.raw[key.name] = plan
            plans.admitted[key.name] = admitted
        }
        return plans
    }

    private func world(_ random: inout SeededGenerator) -> World {
        let providers = [GeneratedCase.kept, GeneratedCase.light].shuffled(using: &random)
        let records = cases.values.compactMap(\.record).shuffled(using: &random)
        let world = World(providers: providers, records: records, clock: StillClock())
        var shuffled = desired
        shuffled.declarations = [:]
        for (name, declaration) in desired.declarations.shuffled(using: &random) {
            shuffled.declarations[name] = declaration
        }
        let specsFirst = random.isOnce(in: 2)
        if specsFirst { _ = world.take(shuffled) }
        for provider in providers where listed.contains(provider.name) {
            let objects = cases.values.flatMap { known in
                known.provider.name == provider.name ? known.objects : known.strangers
            }
            _ = world.take(
                objects.shuffled(using: &random), of: provider.name, names: nil, since: .max,
                busy: [])
            world.providers[provider.name]?.isListed = true
        }
        if !specsFirst { _ = world.take(shuffled) }
        return world
    }
}

/// A clock that stands.
private struct StillClock: EngineClock {
    func elapsed() -> Duration { .zero }
    func date() -> Date { GeneratedCase.now }
    func sleep(for duration: Duration) async throws {}
}

public import PalModel
public import PalProvider

/// What `pal plan` shows: every decision as `pal run` would make it now, and nothing done.
public struct Preview: Sendable {
    /// The decisions, sorted by name; those without steps too.
    public var plans: [InstancePlan]
    /// The reading that they rest on.
    public var desired: Desired
    /// By provider: why it could not be asked.
    public var providerProblems: [String: String]
    /// Deletions over the prune budget.
    public var parked: ParkedPlan?
    /// By the name of the plan at the same place.
    private var objects: [[Observed]]
    private var comparedFields: [String: FieldSet]

    /// What the plans rest on: applied as they stand only while it is the same.
    public var digest: PlanDigest {
        PlanDigest(desired, objects.flatMap(\.self), compared: comparedFields)
    }

    /// Reads the specs, lists the providers that are concerned, and plans.
    ///
    /// Only `listInstances` and `initialize` are called; the ledger is only read.
    /// - Throws: `LedgerError` where the ledger cannot be read.
    public static func make(
        source: any SpecSource, providers: [any Provider], ledger: (any Ledger)?,
        clock: any EngineClock, policy: Policy
    ) async throws -> Preview {
        let world = World(providers: providers, records: try ledger?.records() ?? [], clock: clock)
        _ = world.take(await source.read())
        for name in world.neededProviders {
            guard let provider = world.providers[name]?.provider else { continue }
            do throws(ProviderFailure) {
                try await provider.initialize()
                let all = try await provider.listInstances(
                    InstanceFilter(adopting: world.adoptions(at: name)))
                _ = world.take(all, of: name, names: nil, since: .max, busy: [])
                world.providers[name]?.isListed = true
            } catch {
                world.providers[name]?.problem = error.description
            }
        }
        var admission = Admission(
            policy: policy, from: try ledger?.swarmState(), at: clock.elapsed(), clock.date())
        let declared = world.desired?.declarations.count ?? 0
        admission.weigh(
            world.pruneCandidates, declared: declared, isUndeclared: world.isUndeclared,
            at: clock.elapsed(), clock.date())
        return Preview(of: world, admission, clock, policy)
    }

    init(
        of world: World, _ admission: Admission, _ clock: any EngineClock, _ policy: Policy,
        anew: Bool = false
    ) {
        let path = world.desired?.specsPath ?? ""
        let keys = world.sorted
        plans = keys.mapInParallel { key in
            let standing = anew ? nil : world.standingPlan(of: key)
            let plan = standing ?? Planner.plan(world.input(for: key, specsPath: path))
            return Self.weighed(plan, key, world, policy)
        }
        objects = keys.mapInParallel(\.observed)
        var admission = admission
        for index in plans.indices where plans[index].isPrune {
            guard let wait = admission.admit(plans[index], at: clock.elapsed(), clock.date()) else {
                continue
            }
            plans[index].steps = []
            plans[index].conditions.append(wait)
        }
        desired = world.desired ?? Desired(specsPath: "")
        providerProblems = world.providers.compactMapValues(\.problem)
        parked = admission.parked
        comparedFields = world.comparedFields
    }

    /// Whether the controller has given up on what is declared; a changed file gets new attempts.
    private static func stall(
        _ plan: InstancePlan, _ key: Key, _ policy: Policy
    ) -> Condition? {
        guard !plan.steps.isEmpty, let failed = key.record?.failedSpec,
            failed == key.declaration?.config.value.digest
        else { return nil }
        return Stall.condition(of: plan, key.record?.value, after: policy.stallAfter, because: nil)
    }

    /// The plan as it may go on: what depends on others, and on attempts that failed.
    private static func weighed(
        _ plan: InstancePlan, _ key: Key, _ world: World, _ policy: Policy
    ) -> InstancePlan {
        var gated = Admission.gate(plan, world.dependencies) {
            world.instance(of: $0)?.value.isServing == true
        }
        if let stall = stall(gated, key, policy) {
            gated.steps = []
            gated.conditions.append(stall)
        }
        return gated
    }
}

extension Reconciler {
    /// What is to be done with every name, from what the running controller knows: not what it is
    /// doing, nor which pauses it makes first. Nothing is asked, and nothing done.
    ///
    /// - Parameter anew: Decides also on names of which it is known already that there is nothing
    ///   to do; the answer is the same.
    package func preview(anew: Bool = false) -> Preview {
        Preview(of: world, admission, parts.clock, policy, anew: anew)
    }

    /// The names of which something else would be decided now than what stands, for whoever watches
    /// that there is none.
    package var namesDecidedWrongly: [String] {
        let path = world.desired?.specsPath ?? ""
        return world.sorted.filter { key in
            guard let plan = world.standingPlan(of: key) else { return false }
            return plan != Planner.plan(world.input(for: key, specsPath: path))
        }.map(\.name)
    }
}

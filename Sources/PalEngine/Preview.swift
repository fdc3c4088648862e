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
    private var objects: [Observed]
    private var comparedFields: [String: FieldSet]

    /// What the plans rest on: applied as they stand only while it is the same.
    public var digest: PlanDigest {
        PlanDigest(desired, objects, compared: comparedFields)
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
        var problems: [String: String] = [:]
        for name in world.neededProviders {
            guard let provider = world.providers[name]?.provider else { continue }
            do throws(ProviderFailure) {
                try await provider.initialize()
                let all = try await provider.listInstances(.all)
                _ = world.take(all, of: name, names: nil, since: .max, busy: [])
                world.providers[name]?.isListed = true
            } catch {
                problems[name] = error.description
                world.providers[name]?.problem = error.description
            }
        }
        var admission = Admission(
            policy: policy, from: try ledger?.swarmState(), at: clock.elapsed(), clock.date())
        let declared = world.desired?.declarations.count ?? 0
        admission.weigh(
            world.pruneCandidates, declared: declared, at: clock.elapsed(), clock.date())
        let plans = plans(world, &admission, clock, policy)
        return Preview(
            plans: plans, desired: world.desired ?? Desired(specsPath: ""),
            providerProblems: problems, parked: admission.parked, objects: world.objects,
            comparedFields: world.comparedFields)
    }

    /// Whether the controller has given up on what is declared; a changed file gets new attempts.
    private static func stall(
        _ plan: InstancePlan, _ world: World, _ policy: Policy
    ) -> Condition? {
        guard let key = world[plan.name], let failed = key.record?.failedSpec,
            failed == key.declaration?.config.value.digest
        else { return nil }
        return Stall.condition(of: plan, key.record, after: policy.stallAfter, because: nil)
    }

    private static func plans(
        _ world: World, _ admission: inout Admission, _ clock: any EngineClock, _ policy: Policy
    ) -> [InstancePlan] {
        let path = world.desired?.specsPath ?? ""
        return world.keys.keys.sorted().map { name in
            var plan = Planner.plan(world.input(for: name, specsPath: path))
            plan = Admission.gate(plan, world.dependencies) {
                world.instance(of: $0)?.value.isServing == true
            }
            if let stall = stall(plan, world, policy) {
                plan.steps = []
                plan.conditions.append(stall)
            }
            if let wait = admission.admit(plan, at: clock.elapsed(), clock.date()) {
                plan.steps = []
                plan.conditions.append(wait)
            }
            return plan
        }
    }
}

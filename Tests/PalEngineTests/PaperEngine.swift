import PalModel
import PalProvider
import Testing

@testable import PalEngine

/// What comes of plans where every call does what it should: the platform's side and the ledger's,
/// as pure functions.
struct PaperEngine {
    private(set) var input: PlanInput
    private let provider: PaperProvider
    private var made = 0

    init(_ input: PlanInput, _ provider: PaperProvider) {
        self.input = input
        self.provider = provider
    }

    /// Plans and carries out, until nothing is left to do.
    /// - Returns: The plans, the last one without steps; nil where there is no end.
    mutating func settle() -> [InstancePlan]? {
        var plans: [InstancePlan] = []
        for _ in 0..<16 {
            learn()
            let plan = Planner.plan(input)
            plans.append(plan)
            if plan.steps.isEmpty {
                note(plan)
                guard goOn() else { return plans }
            } else {
                carryOut(plan)
            }
        }
        return nil
    }

    // MARK: The ledger's side

    /// What is taken up before a decision.
    private mutating func learn() {
        let newest = ownInstance
        guard input.declaration != nil || newest != nil else { return }
        var record =
            input.record?.value
            ?? InstanceRecord(
                name: input.name, id: newest?.id ?? input.declaration?.config.value.id ?? "id-1",
                provider: input.provider)
        if let newest {
            record.id = newest.id
            record.generation = max(record.generation, newest.ownership.generation)
            record.noteAdoption(
                input.observed, declared: input.declaration?.config.value.adopt)
        }
        if let config = input.declaration?.config.value {
            record.declaredFrom = input.specsPath
            if config.state != .absent { record.discardsStorageSince = nil }
            if let newest, newest.ownership.specHash == provider.hash(config) {
                record.issuedHashes.append(newest.ownership.specHash)
            }
            if record.hold?.holds(at: input.now, state: config.state) == false { record.hold = nil }
        }
        input.record = Shared(record)
    }

    /// Beside an object of pal's own nothing is taken over.
    private var ownInstance: VSCodeInstance? {
        guard let newest = input.observed.last?.value, newest.isAdopted == true,
            input.record?.adopted?.providerInstanceId != newest.providerInstanceId
        else { return input.observed.last?.value }
        return input.observed.count == 1 && input.elsewhere.isEmpty ? newest : nil
    }

    /// What is noted where nothing is to be done.
    private mutating func note(_ plan: InstancePlan) {
        let holdsBack = plan.conditions.contains {
            $0.kind.stopsWork || [.providerUnreachable, .suspended].contains($0.kind)
        }
        if !holdsBack, plan.causes.isEmpty { noteApplied() }
    }

    private mutating func noteApplied() {
        guard let config = input.declaration?.config, let newest = input.observed.last else {
            return
        }
        input.record?.applied = config
        input.record?.consent = nil
        input.record?.discardsStorageSince = nil
        input.record?.renewsStorageSince = nil
        input.record?.issuedHashes = [newest.value.ownership.specHash]
    }

    private mutating func carryOut(_ plan: InstancePlan) {
        for step in plan.steps {
            guard step.awaitsReady != true else { break }
            carryOut(step, of: plan)
        }
        input.restarts = false
        input.replaceBecause = nil
        input.isSuccessorLate = false
        if plan.action == .delete || plan.action == .replace { input.record?.consent = nil }
        guard plan.givesUp == nil, plan.steps.last?.awaitsReady != true else { return }
        noteApplied()
    }

    // MARK: The platform's side

    private mutating func carryOut(_ step: Step, of plan: InstancePlan) {
        switch step.verb {
        case .create: create(step)
        case .start:
            change(step) {
                $0.status = .running
                $0.readiness = .ready
            }
        case .stop: change(step) { $0.status = .stopped }
        case .update:
            change(step) { object in
                object.config =
                    step.partial.map { Shared($0.applied(to: object.config.value)) }
                    ?? object.config
            }
        case .delete:
            let since = plan.discardsStorage ? input.now : nil
            input.record?.discardsStorageSince = plan.action == .replace ? nil : since
            input.record?.renewsStorageSince = plan.action == .replace ? since : nil
            input.observed.removeAll { $0.value.reference == step.target }
            input.elsewhere.removeAll { $0.instance.value.reference == step.target }
        case .deleteStorage:
            input.record?.discardsStorageSince = nil
            input.record?.renewsStorageSince = nil
        }
    }

    private mutating func create(_ step: Step) {
        guard let config = input.declaration?.config.value, let record = input.record else {
            Issue.record("a creation of what is not declared")
            return
        }
        made += 1
        let generation = max(record.generation, step.generation ?? 1)
        let hash = provider.hash(config)
        input.record?.generation = generation
        input.record?.issuedHashes.append(hash)
        let isHeld = record.hold?.holds(at: input.now, state: config.state) == true
        let isUp = (config.state ?? .running) == .running && !isHeld
        var object = VSCodeInstance(
            id: record.id, name: input.name, type: provider.type, providerName: provider.name,
            providerRegion: provider.region, providerInstanceId: "made-\(made)",
            status: isUp ? .starting : .stopped, config: config,
            ownership: Ownership(
                swarm: "s", name: input.name, id: record.id, generation: generation, specHash: hash)
        )
        object.network.ports = config.network.ports ?? []
        input.observed.append(Shared(object))
        input.observed.sort {
            ($0.value.ownership.generation, $0.value.providerInstanceId)
                < ($1.value.ownership.generation, $1.value.providerInstanceId)
        }
    }

    private mutating func change(_ step: Step, _ body: (inout VSCodeInstance) -> Void) {
        for index in input.observed.indices
        where input.observed[index].value.reference == step.target {
            var object = input.observed[index].value
            body(&object)
            input.observed[index] = Shared(object)
        }
        for index in input.elsewhere.indices
        where input.elsewhere[index].instance.value.reference == step.target {
            var object = input.elsewhere[index].instance.value
            body(&object)
            input.elsewhere[index].instance = Shared(object)
        }
    }

    /// Lets the platform end what it is at, and time pass.
    /// - Returns: Whether that changed anything.
    private mutating func goOn() -> Bool {
        let before = input.observed
        input.observed = before.compactMap { object in
            var object = object.value
            switch object.status {
            case .deleting: return nil
            case .stopping: object.status = .stopped
            case .creating, .starting, .updating, .unknown: object.status = .running
            default: break
            }
            if object.status == .running { object.readiness = .ready }
            return Shared(object)
        }
        if input.observed == before, input.observed.count > 1, !input.isSuccessorLate {
            input.isSuccessorLate = true
            return true
        }
        return input.observed != before
    }
}

public import PalModel
internal import PalProvider

/// What a plan rests on: the specs, and what the providers have.
///
/// A plan that somebody looked at is carried out only while both are the same. What changes by
/// itself, such as what an instance uses, is in neither.
public struct PlanDigest: Sendable, Hashable, Codable {
    /// Of everything that is declared.
    public var specs: String
    /// Of every object of the swarm.
    public var observed: String

    /// - Parameters:
    ///   - compared: By provider: the fields whose value at the platform counts.
    init(_ desired: Desired, _ objects: [Observed], compared: [String: FieldSet]) {
        var specs = Digest()
        for (name, declaration) in desired.declarations.sorted(by: { $0.key < $1.key }) {
            specs.add(name)
            specs.add(declaration.config.value)
        }
        for (name, problems) in desired.frozen.sorted(by: { $0.key < $1.key }) {
            specs.add(name)
            for problem in problems { specs.add(problem.description) }
        }
        var observed = Digest()
        for object in objects { Self.add(object, compared[object.provider] ?? [], to: &observed) }
        self.specs = specs.text
        self.observed = observed.text
    }

    private static func add(_ object: Observed, _ compared: FieldSet, to digest: inout Digest) {
        let instance = object.instance.value
        digest.add(object.provider)
        digest.add(instance.providerInstanceId)
        digest.add(instance.ownership.name)
        digest.add(String(instance.ownership.generation))
        digest.add(instance.ownership.specHash.text)
        digest.add(instance.status.rawValue)
        digest.add(instance.config.value, compared)
        for change in instance.outdated ?? [] { digest.add(change.text) }
    }

    /// Whether the same is declared.
    func hasSpecs(of desired: Desired) -> Bool {
        specs == PlanDigest(desired, [], compared: [:]).specs
    }

    /// What moved since; nil where nothing did.
    func movedSince(_ now: PlanDigest) -> String? {
        switch (specs == now.specs, observed == now.observed) {
        case (true, true): nil
        case (false, true): "the specs"
        case (true, false): "the instances"
        case (false, false): "the specs and the instances"
        }
    }
}

/// A plan that somebody looked at, as a request to carry it out holds it.
public struct BoundPlan: Sendable, Hashable, Codable {
    /// What it rests on.
    public var digest: PlanDigest
    /// What it does, by name: these steps and no others.
    public var steps: [String: [Step]]

    /// Makes one of its parts.
    public init(_ digest: PlanDigest, steps: [String: [Step]]) {
        self.digest = digest
        self.steps = steps
    }

    /// Why it is not what would be done now; nil where it is. Beside specs and instances a decision
    /// rests on holds, consents, failures and the time of day, and somebody may have edited the
    /// plan: the steps themselves are compared.
    func movedSince(_ now: Preview) -> String? {
        if let moved = digest.movedSince(now.digest) { return "\(moved) changed" }
        let plans = Dictionary(now.plans.map { ($0.name, $0) }) { first, _ in first }
        for (name, steps) in steps.sorted(by: { $0.key < $1.key }) {
            let plan = plans[name]
            guard plan?.steps != steps else { continue }
            let reasons = plan.map { $0.conditions.map(\.message) + $0.causes.map(\.message) } ?? []
            return "what would be done to '\(name)' changed (now \(plan?.action.rawValue ?? "none")"
                + "\(reasons.first.map { ": \($0)" } ?? ""))"
        }
        return nil
    }
}

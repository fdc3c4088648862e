public import FoundationEssentials
public import PalModel
public import PalProvider

/// All that a decision on one name depends on.
public struct PlanInput: Sendable {
    /// The name that is decided on.
    public var name: String
    /// The provider that has or shall have it.
    public var provider = ProviderFactory.defaultType.rawValue
    /// What the specs say of it; nil where they hold no good declaration.
    public var declaration: Declaration?
    /// Why nothing may be done to this name, where that is so.
    public var frozen: [Diagnostic] = []
    /// The objects that bear the name, at the provider that has or shall have it.
    public var observed: [VSCodeInstance] = []
    /// Other providers that have an object of this name.
    public var elsewhere: [String] = []
    /// Whether `observed` is the whole truth. Nothing is created or deleted while it is not.
    public var isObserved = false
    /// Why the provider cannot be reached, where that is so.
    public var providerProblem: String?
    /// What the ledger keeps of it; nil where pal never had it.
    public var record: InstanceRecord?
    /// The rules of the provider that the declaration names; nil where there is none of that name.
    public var rules: (any ProviderRules)?
    /// The names of the providers that there are.
    public var providerNames: [String] = []
    /// The directory that declarations come from.
    public var specsPath: String
    /// Why nothing may be pruned now.
    public var pruneBlock: String?
    /// Whether somebody asked for a restart.
    public var restarts = false
    /// Why an update turned out to need a replacement.
    public var replaceBecause: String?
    /// The date of the decision, for holds that end.
    public var now: Date

    /// An input about which nothing is known yet.
    public init(name: String, specsPath: String, now: Date) {
        self.name = name
        self.specsPath = specsPath
        self.now = now
    }
}

/// Decides what to do about one name: a pure function, the same for `pal plan` and `pal run`.
///
/// It sees no other name and has no way to change anything. What spans names is `Admission`'s.
public enum Planner {
    /// The decision.
    public static func plan(_ input: PlanInput) -> InstancePlan {
        if !input.frozen.isEmpty { return frozen(input) }
        guard let declaration = input.declaration else { return undeclared(input) }
        var plan = declared(input, declaration.config)
        if let stale = declaration.staleBecause {
            plan.conditions.append(
                Condition(
                    .staleSpec, reason: "FileBroken",
                    message: "\(stale); the last good version is kept until the file is mended"))
        }
        plan.conditions += notEnforced(input, declaration.config)
        return plan
    }

    private static func frozen(_ input: PlanInput) -> InstancePlan {
        var plan = empty(input)
        plan.conditions = input.frozen.map {
            Condition(.blocked, reason: "InvalidSpec", message: $0.description)
        }
        return plan
    }

    static func empty(_ input: PlanInput) -> InstancePlan {
        InstancePlan(name: input.name, provider: input.provider)
    }

    static func blocked(_ input: PlanInput, _ reason: String, _ message: String) -> InstancePlan {
        var plan = empty(input)
        plan.conditions = [Condition(.blocked, reason: reason, message: message)]
        return plan
    }

    private static func notEnforced(
        _ input: PlanInput, _ config: InstanceConfig
    ) -> [Condition] {
        guard let capabilities = input.rules?.getCapabilities() else { return [] }
        return FieldTable.all.compactMap { field in
            guard field.role == .platform, field.meaningfulValue(in: config) != nil,
                case .notEnforced(let why) = capabilities.support(for: field.path)
            else { return nil }
            return Condition(
                .notEnforced, reason: "NotEnforced", message: "\(field.path): \(why)")
        }
    }

    // MARK: Declared

    private static func declared(_ input: PlanInput, _ config: InstanceConfig) -> InstancePlan {
        guard let rules = input.rules else {
            return blocked(input, "UnknownProvider", unknownProvider(input))
        }
        if let problem = invalid(input, config, rules) { return problem }
        if config.suspend == true {
            return blocked(input, "Suspended", "suspend: true; pal leaves it alone")
        }
        guard input.isObserved else { return unreachable(input) }
        guard input.observed.count <= 1 else {
            let ids = input.observed.map(\.providerInstanceId).sorted().joined(separator: ", ")
            return blocked(
                input, "Ambiguous",
                "more than one object bears this name (\(ids)); delete all but one by hand")
        }
        let wanted = wantedState(input, config)
        guard let instance = input.observed.first else {
            return wanted == .absent ? leftovers(input) : creation(input, config, wanted)
        }
        if wanted == .absent { return absence(input, config, instance) }
        if let freeze = foreignHash(input, config, rules, instance) { return freeze }
        return compared(input, config, rules, instance, wanted)
    }

    private static func unknownProvider(_ input: PlanInput) -> String {
        let hint =
            Suggestion.nearest(to: input.provider, among: input.providerNames)
            .map { "; did you mean '\($0)'?" }
            ?? "; there are: \(input.providerNames.sorted().joined(separator: ", "))"
        return "\(place(input))no provider is named '\(input.provider)'\(hint)"
    }

    private static func place(_ input: PlanInput) -> String {
        input.declaration.map { "\($0.location): " } ?? ""
    }

    private static func invalid(
        _ input: PlanInput, _ config: InstanceConfig, _ rules: any ProviderRules
    ) -> InstancePlan? {
        var messages = unavailable(config)
        messages += rules.validateInstanceConfig(config).map(\.message)
        if let id = config.id, let known = input.record?.id ?? input.observed.first?.id, id != known
        {
            messages.append(
                "id '\(id)' differs from the instance's id '\(known)'; an id cannot be changed")
        }
        if let old = input.elsewhere.first {
            messages.append(
                "provider changed from '\(old)' to '\(input.provider)': instances cannot be moved "
                    + "yet; change it back, or remove the spec first, so that '\(old)' deletes it")
        }
        guard !messages.isEmpty else { return nil }
        var plan = empty(input)
        plan.conditions = messages.map {
            Condition(.blocked, reason: "InvalidConfig", message: place(input) + $0)
        }
        return plan
    }

    /// Fields that this release reads but cannot make true yet: said, never ignored.
    private static func unavailable(_ config: InstanceConfig) -> [String] {
        let fields: [(String, Bool)] = [
            ("replicas", config.replicas != nil), ("dependsOn", config.dependsOn != nil),
            ("adopt", config.adopt != nil), ("disruption", config.disruption == .approve),
        ]
        return fields.filter(\.1).map {
            "\($0.0) is not available in this release; remove it"
        }
    }

    static func unreachable(_ input: PlanInput) -> InstancePlan {
        var plan = empty(input)
        plan.conditions = [
            Condition(
                .providerUnreachable,
                reason: input.providerProblem == nil ? "NotYet" : "Unreachable",
                message: input.providerProblem ?? "'\(input.provider)' was not asked yet")
        ]
        return plan
    }

    /// What the instance should be now: the declaration, unless somebody holds it.
    private static func wantedState(_ input: PlanInput, _ config: InstanceConfig) -> DesiredState {
        let declared = config.state ?? .running
        guard declared == .running, let hold = input.record?.hold,
            hold.holds(at: input.now, state: config.state)
        else { return declared }
        return .stopped
    }

    private static func creation(
        _ input: PlanInput, _ config: InstanceConfig, _ wanted: DesiredState
    ) -> InstancePlan {
        var plan = empty(input)
        plan.action = .create
        plan.causes = [.init("declared in \(place(input).dropLast(2)), and there is none")]
        plan.steps =
            discardedStorage(input, config)
            + [Step(.create, generation: max(1, input.record?.generation ?? 0))]
        plan.conditions = heldCondition(input, wanted)
        return plan
    }

    private static func absence(
        _ input: PlanInput, _ config: InstanceConfig, _ instance: VSCodeInstance
    ) -> InstancePlan {
        if config.protect == true {
            return blocked(
                input, "Protected",
                "\(place(input))state: absent, but protect: true keeps it; remove one of the two")
        }
        return deletion(input, instance, config, because: "state: absent")
    }

    /// A hash that nobody here put on the object: another controller's, or a lost ledger's.
    private static func foreignHash(
        _ input: PlanInput, _ config: InstanceConfig, _ rules: any ProviderRules,
        _ instance: VSCodeInstance
    ) -> InstancePlan? {
        let hash = instance.ownership.specHash
        let wanted = SpecHash(of: config, fields: rules.getCapabilities().hashedFields)
        if hash == wanted || input.record?.issuedHashes.contains(hash) == true { return nil }
        if input.record?.isApproved == true { return nil }
        return blocked(
            input, "ForeignHash",
            "\(instance.providerInstanceId.prefix(12)) was made from a spec that this ledger "
                + "does not know. Is another controller at work on this swarm? "
                + "'pal approve \(input.name)' takes it over and replaces it")
    }

    // MARK: Undeclared

    private static func undeclared(_ input: PlanInput) -> InstancePlan {
        guard input.isObserved else {
            return input.record == nil ? empty(input) : unreachable(input)
        }
        guard
            let instance = input.observed.max(by: {
                $0.ownership.generation < $1.ownership.generation
            })
        else { return leftovers(input) }
        let applied = input.record?.applied
        if input.record?.isApproved == true {
            return deletion(input, instance, applied, because: "approved")
        }
        if applied?.protect == true {
            return orphan(input, "Protected", "its file is gone, and protect: true keeps it")
        }
        guard let origin = input.record?.declaredFrom, origin == input.specsPath else {
            return orphan(
                input, "Orphan",
                "it belongs to this swarm, but was never declared in \(input.specsPath)")
        }
        var plan = deletion(input, instance, applied, because: "its declaration is gone")
        plan.isPrune = true
        guard let block = input.pruneBlock else { return plan }
        plan = empty(input)
        plan.conditions = [
            Condition(.parked, reason: "PruneBlocked", message: "not deleted: \(block)")
        ]
        return plan
    }

    private static func orphan(
        _ input: PlanInput, _ reason: String, _ message: String
    ) -> InstancePlan {
        var plan = empty(input)
        plan.conditions = [
            Condition(
                .orphan, reason: reason,
                message: "\(message); 'pal approve \(input.name)' deletes it")
        ]
        return plan
    }

    private static func deletion(
        _ input: PlanInput, _ instance: VSCodeInstance, _ config: InstanceConfig?,
        because reason: String
    ) -> InstancePlan {
        var plan = empty(input)
        plan.action = .delete
        plan.causes = [.init(reason)]
        plan.steps = removal(instance)
        if config?.onDelete == .delete { plan.steps.append(Step(.deleteStorage)) }
        return plan
    }

    /// An editor is asked to end before its object goes: there may be unsaved work in it.
    static func removal(_ instance: VSCodeInstance) -> [Step] {
        let isUp = [.running, .starting, .updating].contains(instance.status)
        return (isUp ? [Step(.stop, target: instance.reference)] : [])
            + [Step(.delete, target: instance.reference)]
    }
}

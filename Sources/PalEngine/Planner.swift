internal import FoundationEssentials
public import PalModel
internal import PalProvider

/// Decides what to do about one name: a pure function, the same for `pal plan` and `pal run`.
///
/// It sees no other name and has no way to change anything. What spans names is `Admission`'s.
public enum Planner {
    /// The decision.
    public static func plan(_ input: PlanInput) -> InstancePlan {
        if !input.frozen.isEmpty { return frozen(input) }
        guard let config = input.declaration?.config else {
            return withConsent(input, undeclared(input))
        }
        var plan = withConsent(input, declared(input, config))
        if let stale = input.declaration?.staleBecause {
            plan.conditions.append(
                Condition(
                    .staleSpec, reason: "FileBroken",
                    message: "\(stale); the last good version is kept until the file is mended"))
        }
        if let book = input.rules { plan.conditions += remarks(on: config.value, book) }
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

    /// A plan that waits for somebody's word: nothing is done before the ledger has it.
    static func waiting(
        _ input: PlanInput, for consent: String, _ condition: Condition
    ) -> InstancePlan {
        var plan = empty(input)
        plan.consent = consent
        plan.conditions = [condition]
        return plan
    }

    /// What the provider says of a config, whatever becomes of it.
    private static func remarks(on config: InstanceConfig, _ book: RuleBook) -> [Condition] {
        let warnings = book.rules.warnings(config)
        let fields = book.notEnforcedFields.meaningful(in: config)
        guard !fields.isEmpty else { return warnings }
        return warnings + notEnforced(fields, book.capabilities)
    }

    private static func notEnforced(
        _ fields: FieldSet, _ capabilities: Capabilities
    ) -> [Condition] {
        fields.compactMap { field in
            guard case .notEnforced(let why) = capabilities.support(for: field.path) else {
                return nil
            }
            return Condition(.notEnforced, reason: "NotEnforced", message: "\(field.path): \(why)")
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

    // MARK: Consent

    /// Withholds steps that would interrupt a running editor whose spec asks to be asked.
    private static func withConsent(_ input: PlanInput, _ plan: InstancePlan) -> InstancePlan {
        guard plan.action != .none else { return plan }
        let declared = input.declaration.map { Terms($0.config.value) }
        guard (declared ?? input.record?.lastTerms)?.disruption == .approve, plan.consent == nil,
            interrupts(input, plan)
        else { return plan }
        // Who agreed that it is deleted or taken over has agreed to that.
        let objects = input.observed + input.elsewhere.map(\.instance)
        if let record = input.record?.value,
            objects.contains(where: {
                record.agrees(toDelete: $0.value) || record.agrees(toTakeOver: $0.value)
            })
        {
            return plan
        }
        let causes = plan.causes.map(\.message).joined(separator: "; ")
        let consent = "\(plan.action.rawValue): \(causes)"
        guard input.record?.consent != consent else { return plan }
        var waiting = waiting(
            input, for: consent,
            Condition(
                .awaitingApproval, reason: "DisruptionApprove",
                message: "\(consent): that would interrupt a running editor; "
                    + "'pal approve \(input.name)' lets it happen"))
        waiting.conditions += plan.conditions
        waiting.drift = plan.drift
        return waiting
    }

    /// Whether an editor that runs now would not run through the plan. What a person asked for, by
    /// `pal stop` or `pal restart`, was asked for.
    private static func interrupts(_ input: PlanInput, _ plan: InstancePlan) -> Bool {
        let all = input.observed.map(\.value) + input.elsewhere.map(\.instance.value)
        guard all.contains(where: \.isUp) else { return false }
        switch plan.action {
        case .none, .create, .start, .restart: return false
        case .update: return plan.change != .live
        // Start-first interrupts nobody before the old one goes.
        case .replace: return plan.givesUp == nil && plan.steps.first?.verb != .create
        case .delete: return plan.steps.contains { $0.verb == .delete }
        case .stop: return input.declaration?.config.value.state == .stopped
        }
    }

    // MARK: Undeclared

    private static func undeclared(_ input: PlanInput) -> InstancePlan {
        guard input.isObserved else {
            return input.record == nil ? empty(input) : unreachable(input)
        }
        guard let instance = input.observed.last?.value else { return leftovers(input) }
        let terms = input.record?.lastTerms
        // What a smaller number of replicas leaves behind is there again with a larger one.
        let onDelete = input.isScaledDown ? .retain : terms?.onDelete
        let consent = InstanceRecord.consent(toDelete: instance)
        if input.record?.value.agrees(toDelete: instance) == true {
            return deletion(input, instance, because: "approved", onDelete)
        }
        if terms?.protect == true {
            return orphan(
                input, consent, "Protected", "its file is gone, and protect: true keeps it")
        }
        guard let origin = input.record?.declaredFrom, origin == input.specsPath else {
            return orphan(
                input, consent, "Orphan",
                "it belongs to this swarm, but was never declared in \(input.specsPath)")
        }
        guard input.record?.issuedHashes.contains(instance.ownership.specHash) == true else {
            return orphan(
                input, consent, "ForeignHash",
                "its file is gone, and it was made from a spec that this ledger does not know")
        }
        let why = input.isScaledDown ? "replicas became fewer" : "its declaration is gone"
        var plan = deletion(input, instance, because: why, onDelete)
        plan.isPrune = true
        guard let block = input.pruneBlock else { return plan }
        return waiting(
            input, for: consent,
            Condition(
                .parked, reason: "PruneBlocked",
                message: "not deleted: \(block); 'pal approve \(input.name)' deletes it"))
    }

    private static func orphan(
        _ input: PlanInput, _ consent: String, _ reason: String, _ message: String
    ) -> InstancePlan {
        waiting(
            input, for: consent,
            Condition(
                .orphan, reason: reason,
                message: "\(message); 'pal approve \(input.name)' deletes it"))
    }

    static func deletion(
        _ input: PlanInput, _ instance: VSCodeInstance, because reason: String,
        _ onDelete: DeletePolicy?
    ) -> InstancePlan {
        var plan = empty(input)
        plan.action = .delete
        plan.causes = [.init(reason)]
        plan.steps = removal(instance)
        if onDelete == .delete, input.observed.count <= 1 {
            plan.steps.append(Step(.deleteStorage))
        }
        return plan
    }

    /// An editor is asked to end before its object goes: there may be unsaved work in it.
    static func removal(_ instance: VSCodeInstance) -> [Step] {
        (instance.isUp ? [Step(.stop, target: instance.reference)] : [])
            + [Step(.delete, target: instance.reference)]
    }
}

extension InstancePlan {
    /// Whether the persistent storage goes with the instance.
    var discardsStorage: Bool { steps.contains { $0.verb == .deleteStorage } }
}

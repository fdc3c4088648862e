internal import FoundationEssentials
internal import PalModel
internal import PalProvider

/// The decision for a name that the specs declare.
extension Planner {
    static func declared(
        _ input: PlanInput, _ config: Shared<InstanceConfig>
    ) -> InstancePlan {
        guard let book = input.rules else {
            return blocked(input, "UnknownProvider", unknownProvider(input))
        }
        if let problem = invalid(input, config.value, book) { return problem }
        if config.suspend == true { return suspended(input) }
        guard input.isObserved else { return unreachable(input) }
        let wanted = Wanted(input, config, book)
        if wanted.state != .absent, let problem = adoptsBesideItsOwn(input, config.value) {
            return problem
        }
        if let stranger = input.elsewhere.first {
            if wanted.state == .absent, config.protect == true {
                return absence(input, config.value, stranger.instance.value)
            }
            return move(input, wanted, stranger)
        }
        guard let newest = input.observed.last else {
            if wanted.state == .absent { return leftovers(input) }
            return nothingToAdopt(input, config.value) ?? creation(input, wanted)
        }
        if wanted.state == .absent {
            return foreignHash(input, wanted, input.observed.suffix(1))
                ?? absence(input, config.value, newest.value)
        }
        if input.observed.count > 1 { return succession(input, wanted) }
        if let freeze = foreignHash(input, wanted, input.observed.suffix(1)) { return freeze }
        return compared(input, wanted, newest)
    }

    private static func unknownProvider(_ input: PlanInput) -> String {
        let hint =
            Suggestion.nearest(to: input.provider, among: input.providerNames)
            .map { "; did you mean '\($0)'?" }
            ?? "; there are: \(input.providerNames.sorted().joined(separator: ", "))"
        return "\(place(input))no provider is named '\(input.provider)'\(hint)"
    }

    static func place(_ input: PlanInput) -> String {
        input.declaration.map { "\($0.location): " } ?? ""
    }

    private static func invalid(
        _ input: PlanInput, _ config: InstanceConfig, _ book: RuleBook
    ) -> InstancePlan? {
        var messages = book.rules.validateInstanceConfig(config).map(\.message)
        if config.adopt != nil, !book.capabilities.features.contains(.adoption) {
            messages.append(
                "adopt: '\(input.provider)' cannot take over what others made; remove it")
        }
        if let taken = input.record?.adopted, !taken.isOver, let other = config.adopt,
            other != taken.declared
        {
            messages.append(
                "adopt: '\(taken.declared)' was taken over already; write that, or remove it")
        }
        if let id = config.id, let known = input.record?.id ?? input.observed.last?.value.id,
            id != known
        {
            messages.append(
                "id '\(id)' differs from the instance's id '\(known)'; an id cannot be changed")
        }
        if let old = input.elsewhere.first, config.onReplace != .discard {
            messages.append(
                "provider changed from '\(old.provider)' to '\(input.provider)': its data cannot "
                    + "come along; change it back, or set onReplace: discard to start afresh")
        }
        guard !messages.isEmpty else { return nil }
        var plan = empty(input)
        plan.conditions = messages.map {
            Condition(.blocked, reason: "InvalidConfig", message: place(input) + $0)
        }
        return plan
    }

    private static func suspended(_ input: PlanInput) -> InstancePlan {
        var plan = empty(input)
        plan.conditions = [
            Condition(
                .suspended, reason: "Suspended",
                message: "left alone, whatever happens to it; take suspend: true out to end that")
        ]
        return plan
    }

    private static func creation(_ input: PlanInput, _ wanted: Wanted) -> InstancePlan {
        var plan = empty(input)
        plan.action = .create
        plan.causes = [.init("declared in \(place(input).dropLast(2)), and there is none")]
        plan.steps =
            discardedStorage(input, wanted.config.value)
            + [Step(.create, generation: max(1, input.record?.generation ?? 0))]
        plan.conditions = heldCondition(input, wanted.state)
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
        return deletion(input, instance, because: "state: absent", config.onDelete)
    }

    /// A hash that nobody here put on an object: another controller's, or a lost ledger's.
    static func foreignHash(
        _ input: PlanInput, _ wanted: Wanted, _ instances: ArraySlice<Shared<VSCodeInstance>>
    ) -> InstancePlan? {
        var unknown: [VSCodeInstance] = []
        for instance in instances {
            let hash = instance.ownership.specHash
            if hash == wanted.hash || input.record?.issuedHashes.contains(hash) == true { continue }
            unknown.append(instance.value)
        }
        if unknown.allSatisfy({ input.record?.value.agrees(toTakeOver: $0) == true }) { return nil }
        let ids = unknown.map { String($0.providerInstanceId.prefix(12)) }
        return waiting(
            input, for: InstanceRecord.consent(toTakeOver: unknown),
            Condition(
                .blocked, reason: "ForeignHash",
                message: "\(ids.joined(separator: " and ")) \(ids.count == 1 ? "was" : "were") "
                    + "made from a spec that this ledger does not know. Is another controller at "
                    + "work on this swarm? 'pal approve \(input.name)' takes over what stands and "
                    + "makes it as declared"))
    }

    /// What stands at another provider goes, and its storage stays there; a creation follows.
    private static func move(
        _ input: PlanInput, _ wanted: Wanted, _ stranger: Observed
    ) -> InstancePlan {
        let instance = stranger.instance.value
        let isOurs = input.record?.issuedHashes.contains(instance.ownership.specHash) == true
        guard isOurs || input.record?.value.agrees(toTakeOver: instance) == true else {
            return waiting(
                input, for: InstanceRecord.consent(toTakeOver: [instance]),
                Condition(
                    .blocked, reason: "ForeignHash",
                    message: "\(stranger.provider) has an object of this name that this ledger "
                        + "did not make; 'pal approve \(input.name)' deletes it there, or change "
                        + "the provider back"))
        }
        var plan = empty(input)
        plan.provider = stranger.provider
        // Where nothing shall stand, nothing follows, and nothing is waited for.
        plan.action = wanted.state == .absent ? .delete : .replace
        plan.change = .replaceLosingData
        plan.causes = [
            .init(
                FieldChange(
                    path: "provider", from: .string(stranger.provider), to: .string(input.provider))
            )
        ]
        plan.steps = removal(instance)
        return plan
    }

    static func heldCondition(_ input: PlanInput, _ wanted: DesiredState) -> [Condition] {
        guard let hold = input.record?.hold, wanted == .stopped,
            input.declaration?.config.value.state != .stopped
        else { return [] }
        let end =
            hold.until.map { "until \($0.ISO8601Format())" }
            ?? "until 'pal start \(input.name)'"
        return [
            Condition(
                .held, reason: "Stopped", message: "held stopped by \(hold.by), \(end)",
                since: hold.since)
        ]
    }

    // MARK: What an interrupted change left

    /// The decision where nothing stands and nothing shall: a storage that was to go may be left.
    static func leftovers(_ input: PlanInput) -> InstancePlan {
        guard input.record?.discardsStorageSince != nil, !input.isScaledDown,
            input.declaration?.config.value.onDelete ?? .delete == .delete
        else { return empty(input) }
        var plan = empty(input)
        let consent = "delete its storage"
        if input.declaration == nil, let block = input.pruneBlock, input.record?.consent != consent
        {
            return waiting(
                input, for: consent,
                Condition(
                    .parked, reason: "PruneBlocked",
                    message: "storage not deleted: \(block); 'pal approve \(input.name)' deletes it"
                ))
        }
        plan.action = .delete
        plan.causes = [.init("the instance is deleted, and its storage was to go as well")]
        plan.steps = [Step(.deleteStorage)]
        return plan
    }

    /// The rest of a replacement that loses data, where the spec still asks for that.
    private static func discardedStorage(
        _ input: PlanInput, _ config: InstanceConfig
    ) -> [Step] {
        guard input.record?.renewsStorageSince != nil, config.onReplace == .discard else {
            return []
        }
        return [Step(.deleteStorage)]
    }
}

internal import FoundationEssentials
internal import PalModel
internal import PalProvider

extension Planner {
    /// The decision for an instance that stands: the same, changed, to be replaced, started,
    /// stopped.
    static func compared(
        _ input: PlanInput, _ wanted: Wanted, _ instance: Shared<VSCodeInstance>
    ) -> InstancePlan {
        if instance.status == .deleting, input.isDeletionLate {
            return endOfDeletion(input, instance.value)
        }
        if [.stopping, .updating, .creating, .deleting, .unknown].contains(instance.status) {
            var plan = empty(input)
            plan.causes = [.init("it is \(instance.status.rawValue); waiting")]
            return plan
        }
        let outdated = instance.outdated ?? []
        let followed = outdated.filter { wanted.rules.follows($0, wanted.config.value) }
        let changes =
            changes(input, wanted, instance)
            + followed.map { ClassifiedChange(change: $0, kind: .replace) }
        var plan: InstancePlan
        switch changes.map(\.kind).max() {
        case .replaceLosingData? where wanted.config.onReplace != .discard:
            plan = refusal(input, changes)
        case .replace?, .replaceLosingData?:
            plan = replacement(input, wanted, instance.value, changes)
        case .live?, .restart?:
            plan = update(input, instance.value, changes)
        case nil:
            plan = poweredAsWanted(input, instance, wanted.state)
        }
        plan.conditions += heldCondition(input, wanted.state)
        let drift = changes.filter(\.isDrift).map(\.change)
        if !drift.isEmpty || !outdated.isEmpty { plan.drift = drift + outdated }
        if !outdated.isEmpty {
            plan.conditions.append(
                Condition(
                    .drifted, reason: "Moved",
                    message: outdated.map(\.moved).joined(separator: "; ")))
        }
        if !drift.isEmpty {
            plan.conditions.append(
                Condition(
                    .drifted, reason: "ChangedBehindPal",
                    message: "changed by somebody else: "
                        + drift.map(\.drifted).joined(separator: "; ")))
        }
        return plan
    }

    /// A deletion that somebody began and that does not come to its end is ended. Once it is gone,
    /// the creation follows as for all that is not there.
    private static func endOfDeletion(
        _ input: PlanInput, _ instance: VSCodeInstance
    ) -> InstancePlan {
        var plan = empty(input)
        plan.action = .replace
        plan.causes = [.init("its deletion broke off, and it is declared")]
        plan.steps = removal(instance)
        return plan
    }

    private struct ClassifiedChange {
        var change: FieldChange
        var kind: ChangeClass
        /// Whether the platform's side moved, not the spec's.
        var isDrift = false
    }

    /// What differs: by hash for the fields that replace, by value for the others.
    private static func changes(
        _ input: PlanInput, _ wanted: Wanted, _ instance: Shared<VSCodeInstance>
    ) -> [ClassifiedChange] {
        let (applied, attempts) = origins(input)
        // By their boxes, so that no config is copied.
        let (declared, standing) = (wanted.config, instance.value.config)
        let differing = wanted.book.capabilities.comparedFields.differing(
            declared.value, standing.value)
        var found: [ClassifiedChange] = differing.compactMap { field in
            // What the user never set is the platform's own.
            let isOurs =
                field.isMeaningful(in: wanted.config.value)
                || applied.map { field.isMeaningful(in: $0.value) } == true
                || attempts.contains { field.isMeaningful(in: $0.value) }
            guard isOurs else { return nil }
            let change = FieldChange(
                path: field.path, from: field.meaningfulValue(in: instance.config.value),
                to: field.meaningfulValue(in: wanted.config.value))
            return ClassifiedChange(
                change: change, kind: wanted.rules.classify(change),
                isDrift: ([applied].compactMap(\.self) + attempts).allSatisfy {
                    field.isSame(in: $0.value, and: wanted.config.value)
                } && applied != nil)
        }
        if instance.ownership.specHash != wanted.hash {
            let hashed = wanted.capabilities.hashedFields
            // An object that stands is from the one or from the other.
            let origin = (attempts + [applied].compactMap(\.self)).first {
                wanted.capabilities.hash(of: $0.value) == instance.ownership.specHash
            }
            let making = wanted.capabilities.making
            let known =
                origin.map {
                    FieldTable.difference(from: making($0.value), to: making(wanted.config.value))
                } ?? []
            let named = known.filter { hashed.contains($0.path) }.map {
                ClassifiedChange(change: $0, kind: wanted.rules.classify($0))
            }
            found += named.isEmpty ? [unnamed(wanted, instance.value)] : named
        }
        if input.replaceBecause != nil {
            for index in found.indices { found[index].kind = max(found[index].kind, .replace) }
        }
        return found
    }

    /// What was last made true, and what was attempted since. Shared: a config is not copied only
    /// to be looked at.
    private static func origins(
        _ input: PlanInput
    ) -> (applied: Shared<InstanceConfig>?, attempts: [Shared<InstanceConfig>]) {
        guard let record = input.record else { return (nil, []) }
        guard record.value.attempted != nil || record.value.attemptedBefore != nil else {
            return (record.value.applied, [])
        }
        return (record.value.applied, record.value.attempts)
    }

    /// What the object was made from is not known: of the fields whose change replaces, the worst
    /// that there can be.
    private static func unnamed(_ wanted: Wanted, _ instance: VSCodeInstance) -> ClassifiedChange {
        let kinds = wanted.capabilities.hashedFields.meaningful(in: wanted.config.value).map {
            field in
            wanted.rules.classify(
                FieldChange(
                    path: field.path, from: field.meaningfulValue(in: instance.config.value),
                    to: field.meaningfulValue(in: wanted.config.value)))
        }
        let change = FieldChange(path: "(spec)", from: nil, to: nil)
        return ClassifiedChange(change: change, kind: max(kinds.max() ?? .replace, .replace))
    }

    private static func refusal(
        _ input: PlanInput, _ changes: [ClassifiedChange]
    ) -> InstancePlan {
        let fields = changes.filter { $0.kind == .replaceLosingData }.map {
            $0.change.path == "(spec)" ? "the spec changed, and that" : $0.change.text
        }
        return blocked(
            input, "WouldLoseData",
            "\(place(input))\(fields.joined(separator: "; ")) would lose the persistent data; "
                + "set onReplace: discard to allow that, or change it back")
    }

    private static func replacement(
        _ input: PlanInput, _ wanted: Wanted, _ instance: VSCodeInstance,
        _ changes: [ClassifiedChange]
    ) -> InstancePlan {
        var plan = base(input, .replace, changes)
        // A creation that was begun is begun again under its number: where a list is behind, the
        // platform itself then says that it stands already.
        let generation = max(
            input.record?.generation ?? 0, instance.ownership.generation + 1)
        let creation = Step(.create, generation: generation)
        if plan.change == .replace, startsFirst(input, wanted, instance) {
            plan.steps =
                [creation]
                + removal(instance).map { step in
                    var later = step
                    later.awaitsReady = true
                    return later
                }
            return plan
        }
        plan.steps = removal(instance)
        if plan.change == .replaceLosingData { plan.steps.append(Step(.deleteStorage)) }
        plan.steps.append(creation)
        return plan
    }

    private static func update(
        _ input: PlanInput, _ instance: VSCodeInstance, _ changes: [ClassifiedChange]
    ) -> InstancePlan {
        var plan = base(input, .update, changes)
        let partial = PartialConfig(changes.map(\.change))
        plan.steps = [Step(.update, target: instance.reference, partial: partial)]
        return plan
    }

    private static func base(
        _ input: PlanInput, _ action: InstancePlan.Action, _ changes: [ClassifiedChange]
    ) -> InstancePlan {
        var plan = empty(input)
        plan.action = action
        plan.change = changes.map(\.kind).max()
        plan.causes = changes.map {
            $0.change.path == "(spec)" ? .init("the spec changed") : .init($0.change)
        }
        return plan
    }

    private static func poweredAsWanted(
        _ input: PlanInput, _ instance: Shared<VSCodeInstance>, _ wanted: DesiredState
    ) -> InstancePlan {
        var plan = empty(input)
        let isUp = instance.status == .running || instance.status == .starting
        if wanted == .stopped {
            guard isUp else { return plan }
            plan.action = .stop
            plan.causes = [
                .init(
                    input.declaration?.config.value.state == .stopped ? "state: stopped" : "held")
            ]
            plan.steps = [Step(.stop, target: instance.value.reference)]
        } else if !isUp {
            plan.action = .start
            plan.causes = [.init("it is \(instance.value.statusText)")]
            plan.steps = [Step(.start, target: instance.value.reference)]
        } else if input.restarts {
            plan.action = .restart
            plan.causes = [.init("a restart was asked for")]
            plan.steps = [
                Step(.stop, target: instance.value.reference),
                Step(.start, target: instance.value.reference),
            ]
        }
        return plan
    }
}

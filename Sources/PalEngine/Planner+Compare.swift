internal import FoundationEssentials
internal import PalModel
internal import PalProvider

extension Planner {
    /// The decision for an instance that stands: the same, changed, to be replaced, started,
    /// stopped.
    static func compared(
        _ input: PlanInput, _ config: InstanceConfig, _ rules: any ProviderRules,
        _ instance: VSCodeInstance, _ wanted: DesiredState
    ) -> InstancePlan {
        if [.deleting, .stopping, .updating, .creating].contains(instance.status) {
            var plan = empty(input)
            plan.causes = [.init("it is \(instance.status.rawValue); waiting")]
            return plan
        }
        let changes = changes(input, config, rules, instance)
        var plan: InstancePlan
        switch changes.map(\.kind).max() {
        case .replaceLosingData? where config.onReplace != .discard:
            plan = refusal(input, changes)
        case .replace?, .replaceLosingData?:
            plan = replacement(input, instance, changes)
        case .live?, .restart?:
            plan = update(input, instance, changes)
        case nil:
            plan = poweredAsWanted(input, instance, wanted)
        }
        plan.conditions += heldCondition(input, wanted)
        return plan
    }

    private struct ClassifiedChange {
        var change: FieldChange
        var kind: ChangeClass
    }

    /// What differs: by hash for the fields that replace, by value for the others.
    private static func changes(
        _ input: PlanInput, _ config: InstanceConfig, _ rules: any ProviderRules,
        _ instance: VSCodeInstance
    ) -> [ClassifiedChange] {
        let capabilities = rules.getCapabilities()
        let compared = capabilities.comparedFields
        let applied = input.record?.applied
        var found: [ClassifiedChange] = FieldTable.all.compactMap { field in
            guard compared.contains(field.path) else { return nil }
            let want = field.meaningfulValue(in: config)
            let have = field.meaningfulValue(in: instance.config)
            if want == nil, applied.flatMap({ field.meaningfulValue(in: $0) }) == nil { return nil }
            guard want?.canonicalJSON != have?.canonicalJSON else { return nil }
            let change = FieldChange(path: field.path, from: have, to: want)
            return ClassifiedChange(change: change, kind: rules.classify(change))
        }
        let hashed = capabilities.hashedFields
        if instance.ownership.specHash != SpecHash(of: config, fields: hashed) {
            let known = applied.map { FieldTable.difference(from: $0, to: config) } ?? []
            let named = known.filter { hashed.contains($0.path) }.map {
                ClassifiedChange(change: $0, kind: rules.classify($0))
            }
            let unnamed = FieldChange(path: "(spec)", from: nil, to: nil)
            found += named.isEmpty ? [ClassifiedChange(change: unnamed, kind: .replace)] : named
        }
        if input.replaceBecause != nil, !found.isEmpty {
            found = found.map { ClassifiedChange(change: $0.change, kind: max($0.kind, .replace)) }
        }
        return found
    }

    private static func refusal(
        _ input: PlanInput, _ changes: [ClassifiedChange]
    ) -> InstancePlan {
        let fields = changes.filter { $0.kind == .replaceLosingData }.map(\.change.text)
        return blocked(
            input, "WouldLoseData",
            "\(fields.joined(separator: "; ")) would lose the persistent data; "
                + "set onReplace: discard to allow that, or change it back")
    }

    private static func replacement(
        _ input: PlanInput, _ instance: VSCodeInstance, _ changes: [ClassifiedChange]
    ) -> InstancePlan {
        var plan = base(input, .replace, changes)
        let generation = max(input.record?.generation ?? 0, instance.ownership.generation) + 1
        plan.steps = removal(instance)
        if plan.change == .replaceLosingData { plan.steps.append(Step(.deleteStorage)) }
        plan.steps.append(Step(.create, generation: generation))
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
        _ input: PlanInput, _ instance: VSCodeInstance, _ wanted: DesiredState
    ) -> InstancePlan {
        var plan = empty(input)
        let isUp = instance.status == .running || instance.status == .starting
        if wanted == .stopped {
            guard isUp else { return plan }
            plan.action = .stop
            plan.causes = [
                .init(input.declaration?.config.state == .stopped ? "state: stopped" : "held")
            ]
            plan.steps = [Step(.stop, target: instance.reference)]
        } else if !isUp {
            plan.action = .start
            let end = instance.exit.map { " (\($0.text))" } ?? ""
            plan.causes = [.init("it is \(instance.status.rawValue)\(end)")]
            plan.steps = [Step(.start, target: instance.reference)]
        } else if input.restarts {
            plan.action = .restart
            plan.causes = [.init("a restart was asked for")]
            plan.steps = [
                Step(.stop, target: instance.reference), Step(.start, target: instance.reference),
            ]
        }
        return plan
    }

    static func heldCondition(_ input: PlanInput, _ wanted: DesiredState) -> [Condition] {
        guard let hold = input.record?.hold, wanted == .stopped,
            input.declaration?.config.state != .stopped
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
}

// MARK: What an interrupted change left

extension Planner {
    /// The decision where nothing stands and nothing shall: a storage that was to go may be left.
    static func leftovers(_ input: PlanInput) -> InstancePlan {
        guard input.record?.discardsStorageSince != nil,
            input.declaration?.config.onDelete ?? .delete == .delete
        else { return empty(input) }
        var plan = empty(input)
        if input.declaration == nil, let block = input.pruneBlock {
            plan.conditions = [
                Condition(
                    .parked, reason: "PruneBlocked", message: "storage not deleted: \(block)")
            ]
            return plan
        }
        plan.action = .delete
        plan.causes = [.init("the instance is deleted, and its storage was to go as well")]
        plan.steps = [Step(.deleteStorage)]
        return plan
    }

    /// The rest of a replacement that loses data, where the spec still asks for that.
    static func discardedStorage(_ input: PlanInput, _ config: InstanceConfig) -> [Step] {
        guard input.record?.discardsStorageSince != nil, config.onReplace == .discard,
            config.resources.storagePersistent == false
        else { return [] }
        return [Step(.deleteStorage)]
    }
}

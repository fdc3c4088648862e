import FoundationEssentials
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import PalEngine

/// What holds of every decision, whatever the situation. A failure names its seed.
@Suite("Properties of the planner")
struct PlannerPropertyTests {
    /// Cases with their plans, drawn once for all.
    private static let drawn = (0..<4_000 as Range<UInt64>).map { seed in
        let example = GeneratedCase(seed: seed)
        let input = example.input
        return (seed: seed, example: example, input: input, plan: Planner.plan(input))
    }

    private func each(_ body: (UInt64, GeneratedCase, PlanInput, InstancePlan) -> Void) {
        for drawn in Self.drawn { body(drawn.seed, drawn.example, drawn.input, drawn.plan) }
    }

    @Test func theCasesReachEveryDecision() {
        var actions: [InstancePlan.Action: Int] = [:]
        var reasons: Set<String> = []
        each { _, _, _, plan in
            actions[plan.action, default: 0] += 1
            reasons.formUnion(plan.conditions.map(\.reason))
        }
        for action in InstancePlan.Action.allCases {
            #expect(actions[action] ?? 0 > 5, "\(action)")
        }
        let all: Set = [
            "InvalidSpec", "InvalidConfig", "UnknownProvider", "Suspended", "Unreachable", "NotYet",
            "Protected", "ForeignHash", "Ambiguous", "WouldLoseData", "Orphan", "PruneBlocked",
            "Stopped", "DisruptionApprove", "NotEnforced", "ChangedBehindPal", "Moved",
            "NothingToAdopt", "AdoptsBesideItsOwn",
        ]
        #expect(all.subtracting(reasons) == [])
    }

    // MARK: Safety

    @Test func nothingIsDoneThatMustNotBe() {
        each { seed, _, input, plan in
            let config = input.declaration?.config.value
            if !input.frozen.isEmpty { #expect(plan.steps.isEmpty, "frozen, seed \(seed)") }
            if !input.isObserved { #expect(plan.steps.isEmpty, "not observed, seed \(seed)") }
            if config?.suspend == true { #expect(plan.steps.isEmpty, "suspended, seed \(seed)") }
            if plan.consent != nil { #expect(plan.steps.isEmpty, "unasked, seed \(seed)") }
            if plan.isBlocked { #expect(plan.steps.isEmpty, "blocked, seed \(seed)") }
        }
    }

    @Test func whatAnotherControllerMadeIsNotTouched() {
        each { seed, example, input, plan in
            // Of two generations the newer one says whose the older one is.
            guard input.observed.count == 1, input.elsewhere.isEmpty,
                let object = input.observed.first,
                !["take over ", "delete "].contains(where: {
                    input.record?.consent?.hasPrefix($0) == true
                })
            else { return }
            let hash = object.value.ownership.specHash
            let wanted = input.declaration.map { example.provider.hash($0.config.value) }
            let isKnown = hash == wanted || input.record?.issuedHashes.contains(hash) == true
            #expect(isKnown || plan.steps.isEmpty, "seed \(seed)")
        }
    }

    @Test func onlyWhatThisPathDeclaredIsDeletedForWantOfAFile() {
        each { seed, _, input, plan in
            guard input.declaration == nil, !input.observed.isEmpty, !plan.steps.isEmpty,
                input.record?.consent?.hasPrefix("delete ") != true
            else { return }
            #expect(input.record?.declaredFrom == input.specsPath, "seed \(seed)")
            #expect(input.pruneBlock == nil && plan.isPrune, "seed \(seed)")
        }
    }

    @Test func whatIsProtectedIsNeverDeleted() {
        each { seed, _, input, plan in
            let config = input.declaration?.config ?? input.record?.applied
            guard config?.value.protect == true, !input.observed.isEmpty else { return }
            guard input.declaration != nil || input.record?.consent?.hasPrefix("delete ") != true
            else { return }
            #expect(plan.action != .delete, "seed \(seed)")
        }
    }

    @Test func storageGoesOnlyWhereTheSpecSaysSo() {
        each { seed, _, input, plan in
            guard plan.steps.contains(where: { $0.verb == .deleteStorage }) else { return }
            let wanted = input.declaration?.config.value
            let applied = input.record?.applied?.value
            let wasToGo = input.record?.discardsStorageSince != nil
            let isAllowed =
                wanted.map {
                    $0.onReplace == .discard
                        || $0.state == .absent && $0.onDelete != .retain
                            && ($0.onDelete == .delete || wasToGo)
                } ?? (applied?.onDelete == .delete || wasToGo)
            #expect(isAllowed, "seed \(seed)")
        }
    }

    @Test func aRunningEditorIsAskedToEndBeforeItsObjectGoes() {
        each { seed, _, input, plan in
            let all = input.observed.map(\.value) + input.elsewhere.map(\.instance.value)
            for (index, step) in plan.steps.enumerated() where step.verb == .delete {
                guard let object = all.first(where: { $0.reference == step.target }) else {
                    Issue.record("the target of a deletion is not there, seed \(seed)")
                    continue
                }
                let isAsked = plan.steps[..<index].contains {
                    $0.verb == .stop && $0.target == step.target
                }
                #expect(isAsked == object.isUp, "seed \(seed)")
            }
        }
    }

    @Test func noRunningEditorIsInterruptedWhoseSpecAsksToBeAsked() {
        each { seed, _, input, plan in
            let config = input.declaration?.config ?? input.record?.applied
            guard config?.value.disruption == .approve else { return }
            guard let first = plan.steps.first, first.verb == .stop || first.verb == .delete,
                let object = (input.observed + input.elsewhere.map(\.instance)).map(\.value)
                    .first(where: { $0.reference == first.target }), object.isUp
            else { return }
            let isAskedFor =
                plan.action == .restart || plan.action == .stop && config?.value.state != .stopped
            let agreement = input.record?.consent ?? ""
            let isAgreed = ["\(plan.action.rawValue): ", "delete ", "take over "].contains {
                agreement.hasPrefix($0)
            }
            let isSuccessor = plan.givesUp != nil
            #expect(isAskedFor || isAgreed || isSuccessor, "seed \(seed)")
        }
    }

    @Test func twoStandSideBySideOnlyWhereNothingIsShared() {
        each { seed, example, input, plan in
            let creations = plan.steps.indices.filter { plan.steps[$0].verb == .create }
            #expect(creations.count <= 1, "seed \(seed)")
            guard let creation = creations.first else { return }
            let all = input.observed.map(\.value) + input.elsewhere.map(\.instance.value)
            let gone = plan.steps[..<creation].filter { $0.verb == .delete }.map(\.target)
            let left = all.filter { !gone.contains($0.reference) }
            let generation = plan.steps[creation].generation ?? 0
            #expect(all.allSatisfy { $0.ownership.generation < generation }, "seed \(seed)")
            guard !left.isEmpty else { return }
            let wanted = input.declaration?.config.value
            let applied = input.record?.applied?.value
            let keeps = [wanted, applied].contains { $0?.resources.storagePersistent != false }
            let hasStorage = example.provider.getCapabilities().features.contains(.storage)
            #expect(left.count == 1 && !(hasStorage && keeps), "seed \(seed)")
            let path = wanted?.workspacePath
            #expect(path == nil || path != applied?.workspacePath, "seed \(seed)")
            let fixed = Set((wanted?.network.ports ?? []).compactMap(\.external))
            let taken = left.flatMap { $0.network.ports.compactMap(\.external) }
            #expect(fixed.isDisjoint(with: taken), "seed \(seed)")
            #expect(
                plan.steps[(creation + 1)...].allSatisfy { $0.awaitsReady == true }, "seed \(seed)")
        }
    }

    @Test func noObjectOfAnotherNameIsMeant() {
        each { seed, _, input, plan in
            let here = input.observed.map { Optional($0.value.reference) }
            let there = input.elsewhere.map { Optional($0.instance.value.reference) }
            for step in plan.steps {
                switch step.verb {
                case .create, .deleteStorage: #expect(step.target == nil, "seed \(seed)")
                default:
                    #expect(
                        (plan.provider == input.provider ? here : there).contains(step.target),
                        "seed \(seed)")
                }
            }
        }
    }

    // MARK: It comes to an end, and that is right

    @Test func plansComeToAnEnd() {
        each { seed, example, input, _ in
            var engine = PaperEngine(input, example.provider)
            guard let plans = engine.settle(), let last = plans.last else {
                Issue.record("there is no end, seed \(seed)")
                return
            }
            #expect(Planner.plan(engine.input) == last, "planned again, seed \(seed)")
            guard engine.input.isObserved, engine.input.frozen.isEmpty,
                !last.conditions.contains(where: { $0.kind.stopsWork || $0.kind == .suspended })
            else { return }
            let problem = difference(engine.input, example.provider)
            #expect(problem == nil, "seed \(seed)")
        }
    }

    /// What is not as declared where nothing is left to do.
    private func difference(_ input: PlanInput, _ provider: PaperProvider) -> String? {
        guard let config = input.declaration?.config.value else {
            return input.observed.isEmpty ? nil : "undeclared, and still there"
        }
        guard input.elsewhere.isEmpty else { return "still at the other provider" }
        guard config.state != .absent else {
            return input.observed.isEmpty ? nil : "absent, and still there"
        }
        guard input.observed.count == 1, let object = input.observed.first?.value else {
            return "\(input.observed.count) objects"
        }
        guard object.ownership.specHash == provider.hash(config) else { return "another spec" }
        let compared = provider.getCapabilities().comparedFields.meaningful(in: config)
        for field in compared where !field.isSame(in: object.config.value, and: config) {
            return "\(field.path) differs"
        }
        let isHeld = input.record?.hold?.holds(at: input.now, state: config.state) == true
        let runs = (config.state ?? .running) == .running && !isHeld
        return object.isUp == runs ? nil : "it is \(object.status)"
    }

    @Test func aWordOfConsentIsEnough() {
        each { seed, example, input, plan in
            var engine = PaperEngine(input, example.provider)
            guard let asking = engine.settle()?.last, let consent = asking.consent else { return }
            var given = engine.input
            given.record?.consent = consent
            let next = Planner.plan(given)
            #expect(
                next.consent == nil,
                "asked for '\(consent)', then for '\(next.consent ?? "")', seed \(seed)")
        }
    }

    // MARK: Determinism

    @Test func theOrderOfProvidersDoesNotMatter() {
        each { seed, _, input, plan in
            var turned = input
            turned.providerNames.reverse()
            #expect(Planner.plan(turned) == plan, "seed \(seed)")
        }
    }

    /// In another process every set and dictionary has another order.
    @Test func anotherProcessPlansTheSame() async throws {
        let digest = try Self.digestOfPlans()
        #expect(try Self.digestOfPlans() == digest)
        await #expect(processExitsWith: .success) { [digest = digest as String] in
            guard try PlannerPropertyTests.digestOfPlans() == digest else {
                throw Unequal()
            }
        }
    }

    private struct Unequal: Error {}

    private static func digestOfPlans() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var digest = Digest()
        for seed in 0..<1_000 as Range<UInt64> {
            let plan = Planner.plan(GeneratedCase(seed: seed).input)
            digest.add(String(decoding: try encoder.encode(plan), as: UTF8.self))
        }
        return digest.text
    }
}

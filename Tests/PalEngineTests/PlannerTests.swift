import FoundationEssentials
import PalModel
import PalProvider
import Testing

@testable import PalEngine

@Suite("The planner")
struct PlannerTests {
    @Test func createsWhatIsDeclaredAndMissing() {
        let plan = Planner.plan(input(config()))
        #expect(plan.action == .create)
        #expect(plan.steps.map(\.verb) == [.create])
        #expect(plan.causes.first?.message == "declared in a.yaml:1:7, and there is none")
    }

    @Test func doesNothingWhereNothingDiffers() {
        #expect(Planner.plan(standing(config())).action == .none)
    }

    @Test func doesNothingBeforeTheProviderWasListed() {
        var input = input(config())
        input.isObserved = false
        let plan = Planner.plan(input)
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.map(\.kind) == [.providerUnreachable])
    }

    @Test func updatesALiveFieldAndNamesIt() {
        var wanted = config()
        wanted.resources.memoryMax = 2048
        var old = config()
        old.resources.memoryMax = 1024
        let plan = Planner.plan(standing(old, declared: wanted))
        #expect(plan.action == .update)
        #expect(plan.change == .live)
        #expect(plan.causes.map(\.message) == ["resources.memory.max: 1024 → 2048"])
        #expect(plan.steps.first?.target?.providerInstanceId == "object-1")
    }

    @Test func replacesForAHashedFieldAndStopsBeforeItDeletes() {
        var wanted = config()
        wanted.env = ["A": "2"]
        let plan = Planner.plan(standing(config(), declared: wanted))
        #expect(plan.action == .replace)
        #expect(plan.steps.map(\.verb) == [.stop, .delete, .create])
        #expect(plan.steps.last?.generation == 2)
        #expect(plan.causes.map(\.message) == [#"env: {"A":"1"} → {"A":"2"}"#])
    }

    @Test func refusesToLosePersistentData() {
        var wanted = config()
        wanted.resources.storagePersistent = false
        let plan = Planner.plan(standing(config(), declared: wanted))
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.map(\.reason) == ["WouldLoseData"])
        wanted.onReplace = .discard
        let allowed = Planner.plan(standing(config(), declared: wanted))
        #expect(allowed.steps.map(\.verb) == [.stop, .delete, .deleteStorage, .create])
    }

    @Test func clearsALimitThatPalHadSet() {
        var old = config()
        old.resources.memoryMax = 1024
        let plan = Planner.plan(standing(old, declared: config()))
        #expect(plan.causes.map(\.message) == ["resources.memory.max: 1024 → (unset)"])
    }

    @Test func ignoresALimitThatTheUserNeverSet() {
        var input = standing(config())
        input.observed[0].config.resources.memoryMax = 512
        #expect(Planner.plan(input).action == .none)
    }

    @Test func freezesAnObjectWithAHashThatNobodyHereIssued() {
        var wanted = config()
        wanted.env = ["A": "other"]
        var input = standing(config(), declared: wanted)
        input.record = nil
        let plan = Planner.plan(input)
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.map(\.reason) == ["ForeignHash"])
        input.record = Shared(record(config()))
        input.record?.issuedHashes = []
        input.record?.consent = plan.consent
        #expect(plan.consent == "take over object-1")
        #expect(Planner.plan(input).action == .replace)
    }

    @Test func adoptsAnExactMatchWithTheLedgerLost() {
        var input = standing(config())
        input.record = nil
        let plan = Planner.plan(input)
        #expect(plan.action == .none)
        #expect(plan.conditions.isEmpty)
    }

    @Test func startsWhatWasStopped() {
        var input = standing(config())
        input.observed[0].status = .stopped
        #expect(Planner.plan(input).action == .start)
    }

    @Test func endsADeletionThatSomebodyBeganOfWhatIsDeclared() {
        var input = standing(config())
        input.observed[0].status = .deleting
        #expect(Planner.plan(input).action == .none, "it goes on by itself, as a rule")
        input.isDeletionLate = true
        let plan = Planner.plan(input)
        #expect(plan.action == .replace)
        #expect(plan.steps.map(\.verb) == [.delete])
        #expect(plan.causes.map(\.message) == ["its deletion broke off, and it is declared"])
        input.observed = []
        #expect(Planner.plan(input).steps.map(\.verb) == [.create])
    }

    @Test func doesNotFightAHold() {
        var input = standing(config())
        input.record?.hold = Hold(
            by: "ann", since: Date(timeIntervalSince1970: 0), declaredState: nil)
        #expect(Planner.plan(input).action == .stop)
        input.observed[0].status = .stopped
        let held = Planner.plan(input)
        #expect(held.steps.isEmpty)
        #expect(held.conditions.map(\.kind) == [.held])
    }

    @Test func aHoldEndsWithItsTimeOrAnotherState() {
        var input = standing(config())
        input.observed[0].status = .stopped
        input.record?.hold = Hold(
            by: "ann", since: Date(timeIntervalSince1970: 0),
            until: Date(timeIntervalSince1970: 50), declaredState: nil)
        #expect(Planner.plan(input).action == .start)
        input.record?.hold = Hold(
            by: "ann", since: Date(timeIntervalSince1970: 0), declaredState: .stopped)
        #expect(Planner.plan(input).action == .start)
    }

    @Test func prunesOnlyWhatThisPathDeclared() {
        var input = standing(config())
        input.declaration = nil
        let prune = Planner.plan(input)
        #expect(prune.action == .delete && prune.isPrune)
        input.record?.declaredFrom = "/elsewhere"
        #expect(Planner.plan(input).conditions.map(\.kind) == [.orphan])
        input.record = nil
        #expect(Planner.plan(input).conditions.map(\.kind) == [.orphan])
    }

    @Test func prunesNothingThatAnotherControllerMade() {
        var input = standing(config())
        input.declaration = nil
        input.record?.issuedHashes = []
        let plan = Planner.plan(input)
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.map(\.reason) == ["ForeignHash"])
        var wanted = config()
        wanted.state = .absent
        wanted.env = ["A": "another"]
        var absent = standing(config(), declared: wanted)
        absent.record?.issuedHashes = []
        #expect(Planner.plan(absent).conditions.map(\.reason) == ["ForeignHash"])
    }

    @Test func prunesNothingWhileTheReadingIsNotWhole() {
        var input = standing(config())
        input.declaration = nil
        input.pruneBlock = "b.yaml cannot be read"
        let plan = Planner.plan(input)
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.map(\.reason) == ["PruneBlocked"])
    }

    @Test func protectOutlivesTheFile() {
        var input = standing(config())
        input.declaration = nil
        input.record?.applied?.protect = true
        let plan = Planner.plan(input)
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.map(\.reason) == ["Protected"])
    }

    @Test func onDeleteDecidesOfTheStorage() {
        var input = standing(config())
        input.declaration = nil
        #expect(Planner.plan(input).steps.map(\.verb) == [.stop, .delete])
        input.record?.applied?.onDelete = .delete
        #expect(Planner.plan(input).steps.map(\.verb) == [.stop, .delete, .deleteStorage])
    }

    @Test func aScaledDownReplicaKeepsItsStorageWhoeverAgreesToItsDeletion() throws {
        var config = config()
        (config.onDelete, config.protect) = (.delete, true)
        var input = standing(config)
        input.declaration = nil
        input.isScaledDown = true
        let consent = try #require(Planner.plan(input).consent)
        input.record?.consent = consent
        #expect(Planner.plan(input).steps.map(\.verb) == [.stop, .delete])
    }

    @Test func absentDeletesOutsideTheBudgetUnlessProtected() {
        var wanted = config()
        wanted.state = .absent
        let plan = Planner.plan(standing(config(), declared: wanted))
        #expect(plan.action == .delete && !plan.isPrune)
        wanted.protect = true
        #expect(Planner.plan(standing(config(), declared: wanted)).steps.isEmpty)
    }

    @Test func aDuplicateNameIsFrozen() {
        var input = standing(config())
        input.frozen = [Diagnostic(SourceLocation(file: "b.yaml", line: 2), "declared twice")]
        let plan = Planner.plan(input)
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.first?.message == "b.yaml:2: declared twice")
    }

    @Test func anUnknownProviderIsNamedWithTheNearest() {
        var input = input(config())
        input.provider = "dokcer"
        input.rules = nil
        input.providerNames = ["docker", "process"]
        let message = Planner.plan(input).conditions.first?.message
        #expect(
            message == "a.yaml:1:7: no provider is named 'dokcer'; did you mean 'docker'?")
    }

    @Test func aPlatformThatTakesNothingOverRefusesAdopt() {
        var wanted = config()
        wanted.adopt = "x"
        let plan = Planner.plan(input(wanted))
        #expect(plan.steps.isEmpty)
        #expect(plan.conditions.first?.message.contains("cannot take over") == true)
    }

    @Test func theSameInputGivesTheSamePlan() {
        var wanted = config()
        wanted.env = ["Z": "1", "B": "2", "A": "3"]
        let plans = (0..<20).map { _ in Planner.plan(standing(config(), declared: wanted)) }
        #expect(Set(plans).count == 1)
    }
}

// MARK: Fixtures

extension PlannerTests {
    private func config() -> InstanceConfig {
        var config = InstanceConfig(name: "alice")
        config.env = ["A": "1"]
        return config
    }

    private func input(_ config: InstanceConfig) -> PlanInput {
        var input = PlanInput(
            name: "alice", specsPath: "/specs", now: Date(timeIntervalSince1970: 100))
        input.declaration = Declaration(
            config: config, location: SourceLocation(file: "a.yaml", line: 1, column: 7))
        input.isObserved = true
        input.rules = RuleBook(TestRules())
        return input
    }

    private func record(_ config: InstanceConfig) -> InstanceRecord {
        var record = InstanceRecord(name: "alice", id: "id-1", provider: "docker")
        record.generation = 1
        record.issuedHashes = [SpecHash(of: config, fields: TestRules.hashed)]
        record.applied = Shared(config)
        record.declaredFrom = "/specs"
        return record
    }

    private func standing(
        _ config: InstanceConfig, declared: InstanceConfig? = nil
    ) -> PlanInput {
        var input = input(declared ?? config)
        input.record = Shared(record(config))
        let ownership = Ownership(
            swarm: "s", name: "alice", id: "id-1", generation: 1,
            specHash: SpecHash(of: config, fields: TestRules.hashed))
        input.observed = [
            Shared(
                VSCodeInstance(
                    id: "id-1", name: "alice", type: "docker", providerName: "docker",
                    providerRegion: "local", providerInstanceId: "object-1", status: .running,
                    config: config, ownership: ownership, readiness: .ready))
        ]
        return input
    }
}

/// Rules like the docker provider's.
struct TestRules: ProviderRules {
    static let hashed = TestRules().getCapabilities().hashedFields

    func getCapabilities() -> Capabilities {
        Capabilities(
            fields: [
                "image": .honoured(.replace), "env": .honoured(.replace),
                "resources.memory.max": .honoured(.live), "resources.cpu.cores": .honoured(.live),
                "resources.storage.persistent": .honoured(.replace),
                "resources.storage.size": .notEnforced("the driver has no sizes"),
            ], features: [.storage], maximumConcurrentCalls: 4)
    }
    func validateInstanceConfig(_ config: InstanceConfig) -> [ConfigProblem] { [] }
    func classify(_ change: FieldChange) -> ChangeClass {
        if change.path == "resources.storage.persistent" { return .replaceLosingData }
        return change.path.hasPrefix("resources") ? .live : .replace
    }
}

import FoundationEssentials
import Logging
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// What single seeds of the simulation found, played on the engine alone.
@Suite("What seeds found", .timeLimit(.minutes(10)))
struct SeedTests {
    private static let refusal = ProviderFailure.error(
        ProviderError(.instance, .notFound, "there is no such object", isRetryable: true))

    /// Seed 22310: a list that was behind led to a second creation, whose refusal made pal forget
    /// the first one; the name was given to another provider, and stood twice.
    @Test func aRefusedCreationSaysNothingOfTheOneBefore() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.onReplace = .discard
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.platform.state.withLock { state in
            state.hidden = ["a"]
            state.failures["create"] = Array(repeating: Self.refusal, count: 100)
        }
        try await swarm.perform(.once)
        #expect(swarm.platform.changes().count > 1, "the second creation was made, and refused")
        config.provider = "other"
        swarm.source.declare([config])
        try await swarm.perform(.once)
        #expect(swarm.other.objects.isEmpty)
    }

    /// Seed 23709: what left the spec while the new generation was not ready yet stayed for ever.
    @Test func aFieldThatLeavesTheSpecDuringAReplacementIsTakenOut() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a", "1")
        config.resources.storagePersistent = false
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.platform.state.withLock { $0.readiness = .notReady("warming up") }
        config.env = ["A": "2"]
        config.resources.memoryMax = 512
        swarm.source.declare([config])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { [config] group in
            group.addTask { await reconciler.run() }
            try await eventually("both stand") { swarm.platform.objects.count == 2 }
            var shorter = config
            shorter.resources.memoryMax = nil
            swarm.source.declare([shorter])
            swarm.platform.meddleNewest("a") { $0.readiness = .ready }
            try await eventually("the new one is as declared") {
                swarm.platform.objects.map(\.ownership.generation) == [2]
                    && swarm.platform.objects.allSatisfy { $0.config.resources.memoryMax == nil }
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    /// Seed 21615: pal ended before a creation was answered, and the update after it was refused:
    /// then nobody knew any more that it was pal that had set the field.
    @Test func aFieldOfACreationThatWasCutOffIsTakenOut() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.resources.memoryMax = 512
        let marks = Ownership(
            swarm: "test", name: "a", id: "id-a", generation: 1,
            specHash: SpecHash(of: config, fields: TestRules.hashed))
        _ = try await swarm.platform.createInstance(
            CreateRequest(config: config, ownership: marks))
        var cut = InstanceRecord(name: "a", id: "id-a", provider: "docker")
        cut.generation = 1
        cut.attempted = Shared(config)
        cut.issuedHashes = [marks.specHash]
        try swarm.ledger.save(cut)
        config.resources.memoryMax = nil
        swarm.source.declare([config])
        swarm.platform.state.withLock { $0.failures["update"] = [Self.refusal] }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.first?.config.resources.memoryMax == nil)
        #expect(swarm.platform.objects.count == 1)
    }

    // MARK: A spec that comes back

    private func thatGoes(_ swarm: TestSwarm) -> InstanceConfig {
        var config = swarm.config("a")
        config.onDelete = .delete
        return config
    }

    /// Seed 24176: its file was back while the editor was being stopped, and its storage went.
    @Test func aDeletionEndsWhenTheFileIsBack() async throws {
        let swarm = try TestSwarm()
        let config = thatGoes(swarm)
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.source.declare([swarm.config("b")])
        let reconciler = try swarm.reconciler()
        swarm.platform.state.withLock { state in
            state.duringStop = { [source = swarm.source] in
                source.declare([config])
                try? await eventually("the file is read") {
                    await reconciler.declares("a")
                }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("a was stopped, and runs again") {
                swarm.platform.changes().contains("start object-1")
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
        #expect(swarm.platform.state.withLock { $0.volumes.contains("a") })
        #expect(!swarm.platform.changes().contains("delete object-1"))
    }

    /// Seed 2146: what a deletion had not got round to went with the next creation.
    @Test func theStorageOfADeletionThatDidNotEndStays() async throws {
        let swarm = try TestSwarm()
        var config = thatGoes(swarm)
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.source.declare([swarm.config("b")])
        swarm.platform.state.withLock {
            $0.failures["deleteStorage"] = Array(repeating: Self.refusal, count: 100)
        }
        try await swarm.perform(.once)
        #expect(swarm.platform.objects.allSatisfy { $0.name == "b" })
        swarm.platform.state.withLock { $0.failures = [:] }
        config.onReplace = .discard
        swarm.source.declare([config])
        swarm.platform.state.withLock {
            $0.failures["create"] = Array(repeating: Self.refusal, count: 2)
        }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.map(\.name).contains("a"))
        #expect(try swarm.record("a")?.discardsStorageSince == nil)
        #expect(swarm.platform.state.withLock { $0.removedVolumes } == [])
    }

    /// Seed 13062: what its file had said last was read while its provider did not answer, and what
    /// it had said before deleted its storage.
    @Test func theLastWordOfAFileCountsThoughTheProviderDidNotAnswer() async throws {
        let swarm = try TestSwarm()
        let config = thatGoes(swarm)
        swarm.source.declare([config, swarm.config("b")])
        try await swarm.perform(.apply)
        let silence = ProviderFailure.error(
            ProviderError(.connection, .unreachable, "no answer", isRetryable: true))
        swarm.platform.state.withLock {
            $0.failures["list"] = Array(repeating: silence, count: 100_000)
        }
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            var kept = config
            kept.onDelete = .retain
            swarm.source.declare([kept, swarm.config("b")])
            try await eventually("it is read") { await reconciler.retains("a") }
            swarm.source.declare([swarm.config("b")])
            try await eventually("it is gone") { await !reconciler.declares("a") }
            swarm.platform.state.withLock { $0.failures = [:] }
            try await eventually("it is deleted") {
                swarm.platform.objects.map(\.name) == ["b"]
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
        #expect(swarm.platform.state.withLock { $0.removedVolumes } == [])
    }

    // MARK: Names that go

    /// Seed 3730: what depended on a frozen name waited for it when replicas had taken its place.
    @Test func whatStoodForABrokenFileIsNotAwaitedWhenItIsInOrder() async throws {
        let swarm = try TestSwarm()
        var web = swarm.config("web")
        web.dependsOn = ["db"]
        var replica = swarm.config("db-0")
        replica.replicas = 1
        swarm.source.desired.withLock { desired in
            desired.frozen = [
                "db": [Diagnostic(SourceLocation(file: "db.yaml"), "it cannot be read")]
            ]
            desired.groups = ["db": 1]
        }
        swarm.source.declare([web, replica])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("web waits") { try swarm.kinds("web").contains(.waiting) }
            swarm.source.desired.withLock { $0.frozen = [:] }
            swarm.source.bell.ring()
            try await eventually("web is made") {
                swarm.platform.objects.map(\.name) == ["db-0", "web"]
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    /// Seed 29764: nobody asked the provider that it would have had, and requests waited for it.
    @Test func aNameThatWentBeforeAnythingWasNotedOfItIsForgotten() async throws {
        let swarm = try TestSwarm()
        var (first, second) = (swarm.config("a"), swarm.config("b"))
        (first.provider, second.provider) = ("other", "other")
        swarm.source.declare([first])
        swarm.other.state.withLock { $0.listTime = .milliseconds(50) }
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("a is read") { await reconciler.knows("a") }
            swarm.source.declare([second])
            try await eventually("a is forgotten") { await !reconciler.knows("a") }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    /// Seed 35073: the last look that it waited for came, and nobody told it.
    @Test func whereItMayHaveLandedIsAskedThoughItHasMovedOn() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.provider = "other"
        swarm.source.declare([config, swarm.config("b")])
        var moved = InstanceRecord(name: "a", id: "id-a", provider: "other")
        moved.generation = 1
        moved.applied = Shared(config)
        moved.landing = Landing(provider: "docker", from: Date() - 2, seconds: 1)
        try swarm.ledger.save(moved)
        swarm.platform.state.withLock { $0.listTime = .milliseconds(50) }
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.other.objects.map(\.name) == ["a"])
    }

    // MARK: What an object was made from

    /// Seed 60714: a list that was behind said that a field had gone already, and pal forgot that
    /// it had set it.
    @Test func aFieldThatLeavesTheSpecJustAfterAnUpdateIsTakenOut() async throws {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        config.resources.memoryMax = 512
        swarm.source.declare([config])
        let reconciler = try swarm.reconciler()
        let limits: @Sendable () -> [Int?] = {
            swarm.platform.objects.map(\.config.resources.memoryMax)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("it is made") { limits() == [512] }
            config.resources.memoryMax = 1024
            swarm.source.declare([config])
            try await eventually("it is changed") {
                let isSettled = await reconciler.isSettled("a", limit: 1024)
                return isSettled && limits() == [1024]
            }
            // The list that is asked for now comes after the spec was read.
            swarm.platform.state.withLock { $0.listTime = .seconds(1) }
            swarm.platform.limit("a", to: nil)
            swarm.platform.meddle("a") { _ in }
            try await eventually("a look is asked for") { await reconciler.mustLook(at: "a") }
            config.resources.memoryMax = nil
            swarm.source.declare([config])
            try await eventually("the file is read") {
                await reconciler.declaresNoLimit("a")
            }
            swarm.platform.state.withLock { $0.listTime = .zero }
            try await eventually("the list is behind") {
                await reconciler.isSettled("a", limit: nil)
            }
            swarm.platform.limit("a", to: 1024)
            swarm.platform.meddle("a") { _ in }
            try await eventually("it is changed again") { limits() == [nil] }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    /// Seed 58606: a creation that was repeated, because a list was behind, made pal forget what
    /// the first one had been made from.
    @Test func ofTwoAttemptsTheOneThatWasMadeIsKnown() async throws {
        let swarm = try TestSwarm()
        let made = swarm.config("a", "1")
        let marks = Ownership(
            swarm: "test", name: "a", id: "id-a", generation: 2,
            specHash: SpecHash(of: made, fields: TestRules.hashed))
        _ = try await swarm.platform.createInstance(CreateRequest(config: made, ownership: marks))
        var record = InstanceRecord(name: "a", id: "id-a", provider: "docker")
        record.generation = 2
        record.applied = Shared(swarm.config("a", "0"))
        (record.attemptedBefore, record.attempted) = (
            Shared(made), Shared(swarm.config("a", "2"))
        )
        record.issuedHashes = [marks.specHash]
        try swarm.ledger.save(record)
        swarm.source.declare([swarm.config("a", "2")])
        let plan = try #require(try await swarm.preview().plans.first)
        #expect(plan.causes.map(\.message) == [#"env: {"A":"1"} → {"A":"2"}"#])
    }

    /// Seed 64346: the clock was set forward, and nobody looked whether a hold had ended.
    @Test func aHoldEndsThoughTheClockIsSet() async throws {
        var swarm = try TestSwarm()
        swarm.policy.resync = .milliseconds(20)
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        var request = ControlRequest(verb: .stop, names: ["a"], by: "ann")
        request.holdFor = TimeSpan(.string("1h"))
        request.number = try swarm.ledger.ask(request)
        _ = try await swarm.reconciler().perform(request, only: ["a"])
        #expect(swarm.platform.objects.map(\.status) == [.stopped])
        let clock = ClockThatIsSet()
        let reconciler = try Reconciler(
            .init(
                swarm: "test", source: swarm.source, providers: [swarm.platform, swarm.other],
                ledger: swarm.ledger, clock: clock, logger: Logger(label: "test")),
            policy: swarm.policy)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("it is looked at") {
                await reconciler.isSettled("a", limit: nil)
            }
            clock.set(forwardBy: 7200)
            try await eventually("it runs") {
                swarm.platform.objects.map(\.status) == [.running]
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }
}

/// The machine's clock, whose date somebody sets.
private final class ClockThatIsSet: EngineClock {
    private let base = SystemClock()
    private let offset = Mutex(0.0)

    func set(forwardBy seconds: Double) { offset.withLock { $0 += seconds } }
    func elapsed() -> Duration { base.elapsed() }
    func date() -> Date { base.date() + offset.withLock { $0 } }
    func sleep(for duration: Duration) async throws { try await base.sleep(for: duration) }
}

extension Reconciler {
    fileprivate func declares(_ name: String) -> Bool { world[name]?.declaration != nil }
    /// Whether nothing is left to do for it, and its spec says so.
    fileprivate func isSettled(_ name: String, limit: Int?) -> Bool {
        guard let key = world[name], !queue.inFlight.contains(name) else { return false }
        return key.outcome == .settled && key.mustLookAt.isEmpty
            && key.declaration?.config.value.resources.memoryMax == limit
    }
    fileprivate func mustLook(at name: String) -> Bool { world[name]?.mustLookAt.isEmpty == false }
    fileprivate func retains(_ name: String) -> Bool {
        world[name]?.declaration?.config.value.onDelete == .retain
    }
    fileprivate func declaresNoLimit(_ name: String) -> Bool {
        world[name]?.declaration.map { $0.config.value.resources.memoryMax == nil } == true
    }
    fileprivate func knows(_ name: String) -> Bool { world[name] != nil }
}

extension FakePlatform {
    /// Changes an object's limit, and tells nobody.
    fileprivate func limit(_ name: String, to limit: Int?) {
        state.withLock { state in
            for (id, object) in state.objects where object.name == name {
                var config = object.config.value
                config.resources.memoryMax = limit
                state.objects[id]?.config = Shared(config)
            }
        }
    }
}

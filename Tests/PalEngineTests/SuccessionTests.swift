import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// Start-first replacement: the old one goes only when the new one is ready.
@Suite("Start-first replacement", .timeLimit(.minutes(10)))
struct SuccessionTests {
    private func config(_ value: String) -> InstanceConfig {
        var config = InstanceConfig(name: "a")
        config.env = ["A": value]
        config.resources.storagePersistent = false
        return config
    }

    @Test func makesTheNewOneFirstWhereNothingIsShared() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([config("1")])
        try await swarm.perform(.apply)
        swarm.platform.forgetCalls()
        swarm.source.declare([config("2")])
        let plan = try #require(try await swarm.preview().plans.first)
        #expect(plan.steps.map(\.verb) == [.create, .stop, .delete])
        #expect(plan.steps.map(\.awaitsReady) == [nil, true, true])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == ["create a", "stop object-1", "delete object-1"])
        #expect(swarm.platform.objects.map(\.ownership.generation) == [2])
    }

    /// Both generations stand beside a running controller; the newer one is not ready.
    private func whileReplacing(_ body: (TestSwarm) async throws -> Void) async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([config("1")])
        try await swarm.perform(.apply)
        swarm.platform.state.withLock { $0.readiness = .notReady("warming up") }
        swarm.source.declare([config("2")])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("both stand") { swarm.platform.objects.count == 2 }
            try await body(swarm)
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    @Test func theOldOneServesUntilTheNewOneIsReady() async throws {
        try await whileReplacing { swarm in
            try await eventually("it waits") {
                try swarm.record("a")?.decision?.outcome == .underWay
            }
            #expect(swarm.platform.objects.map(\.status) == [.running, .running])
            swarm.platform.meddleNewest("a") { $0.readiness = .ready }
            try await eventually("the old one is gone") {
                swarm.platform.objects.map(\.ownership.generation) == [2]
            }
        }
    }

    @Test func itMayEndUnderANewerDeclaration() async throws {
        try await whileReplacing { swarm in
            swarm.source.declare([config("3")])
            try await eventually("the newest is made") {
                swarm.platform.objects.contains { $0.config.env == ["A": "3"] }
            }
            let old = swarm.platform.objects.first { $0.providerInstanceId == "object-1" }
            #expect(old?.status == .running, "nobody who works in it waits for another")
            swarm.platform.meddleNewest("a") { $0.readiness = .ready }
            try await eventually("it alone is left") {
                swarm.platform.objects.map(\.config.env) == [["A": "3"]]
            }
            try await eventually("it is what was applied") {
                try swarm.record("a")?.applied?.value.env == ["A": "3"]
            }
        }
    }

    @Test func aNewOneThatEndsIsTakenAwayAndTheOldOneGoesOn() async throws {
        var swarm = try TestSwarm()
        swarm.policy.stallAfter = 2
        swarm.source.declare([config("1")])
        try await swarm.perform(.apply)
        swarm.platform.state.withLock { $0.startedStatus = .failed }
        swarm.source.declare([config("2")])
        let reply = try await swarm.perform(.apply)
        #expect(!reply.isDone)
        #expect(swarm.platform.objects.map(\.providerInstanceId) == ["object-1"])
        #expect(swarm.platform.objects.map(\.status) == [.running])
        #expect(try swarm.kinds("a").contains(.stalled))
        #expect(try swarm.record("a")?.failures == 2)
    }

    /// Both generations stand, the newer one as `config("2")`.
    private func halfReplaced() async throws -> TestSwarm {
        let swarm = try TestSwarm()
        swarm.source.declare([config("1")])
        try await swarm.perform(.apply)
        let old = try #require(swarm.platform.objects.first)
        let hash = SpecHash(of: config("2"), fields: TestRules.hashed)
        _ = try await swarm.platform.createInstance(
            CreateRequest(
                config: config("2"),
                ownership: Ownership(
                    swarm: "test", name: "a", id: old.id, generation: 2, specHash: hash)))
        return swarm
    }

    @Test func whereALedgerWasLostInBetweenTheOldOneGoesWithConsent() async throws {
        let swarm = try await halfReplaced()
        swarm.source.declare([config("2")])
        let fresh = try SQLiteLedger.inMemory()
        #expect(try await swarm.perform(.apply, with: fresh)?.isDone == false)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [1, 2])
        #expect(try await swarm.perform(.approve, ["a"], with: fresh)?.isDone == true)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [2])
    }

    @Test func twoThatOnlyALostLedgerKnewAreTakenOverWithConsent() async throws {
        let swarm = try await halfReplaced()
        var changed = config("3")
        changed.onReplace = .discard
        swarm.source.declare([changed])
        let fresh = try SQLiteLedger.inMemory()
        let reply = try await swarm.perform(.apply, with: fresh)
        #expect(reply?.messages.first?.contains("this ledger does not know") == true)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [1, 2])
        #expect(try await swarm.perform(.approve, ["a"], with: fresh)?.isDone == true)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [3])
        #expect(swarm.platform.objects.first?.config.env == ["A": "3"])
    }

    /// Seed 2394: what another had put in the place of the old one went with it, unasked.
    @Test func anOldOneThatAnotherMadeGoesOnlyWithConsent() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([config("1")])
        try await swarm.perform(.apply)
        let mine = try #require(swarm.platform.objects.first)
        let stranger = Ownership(
            swarm: "test", name: "a", id: mine.id, generation: 0, specHash: SpecHash(text: "v1:0"))
        _ = try await swarm.platform.createInstance(
            CreateRequest(config: config("9"), ownership: stranger))
        let reply = try await swarm.perform(.apply)
        #expect(reply.messages.first?.contains("this ledger does not know") == true)
        #expect(swarm.platform.objects.count == 2)
        #expect(try await swarm.perform(.approve, ["a"]).isDone)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [1])
    }

    @Test func twoThatAreNoSuccessorsOfEachOtherAreNotTouched() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([config("1")])
        try await swarm.perform(.apply)
        _ = try await swarm.platform.createInstance(
            CreateRequest(
                config: config("9"),
                ownership: Ownership(
                    swarm: "test", name: "a", id: "another", generation: 2,
                    specHash: SpecHash(text: "v1:0"))))
        let reply = try await swarm.perform(.apply)
        #expect(reply.messages.first?.contains("more than one object bears this name") == true)
        #expect(swarm.platform.objects.count == 2)
    }

    @Test(arguments: ["storage", "workspace", "port", "kept port", "stopped"])
    func stopsFirstWhereSomethingIsShared(_ what: String) {
        var old = config("1")
        var wanted = config("2")
        var instance = VSCodeInstance(
            id: "id", name: "a", type: "docker", providerName: "docker", providerRegion: "local",
            providerInstanceId: "o1", status: .running, config: old,
            ownership: Ownership(
                swarm: "s", name: "a", id: "id", generation: 1,
                specHash: SpecHash(of: old, fields: TestRules.hashed)), readiness: .ready)
        var sharesPorts = true
        switch what {
        case "storage": wanted.resources.storagePersistent = nil; old = wanted
        case "workspace": wanted.workspacePath = "/w"; old.workspacePath = "/w"
        case "port":
            wanted.network.ports = [PortMapping(internal: 80, external: 8080)]
            instance.network.ports = [PortMapping(internal: 80, external: 8080)]
        case "kept port":
            sharesPorts = false
            instance.network.ports = [PortMapping(internal: 80, external: 23456)]
        default: instance.status = .stopped
        }
        var record = InstanceRecord(name: "a", id: "id", provider: "docker")
        record.applied = Shared(old)
        var input = PlanInput(name: "a", specsPath: "/s", now: Date(timeIntervalSince1970: 0))
        input.record = Shared(record)
        let rules = TestRules()
        let plain = rules.getCapabilities()
        let book = RuleBook(
            rules,
            capabilities: Capabilities(
                fields: plain.fields, features: plain.features, maximumConcurrentCalls: 1,
                sharesOutsidePorts: sharesPorts))
        #expect(!Planner.startsFirst(input, Wanted(input, Shared(wanted), book), instance))
    }
}

extension TestSwarm {
    /// The same with another ledger.
    func perform(
        _ verb: ControlRequest.Verb, _ names: [String] = [], with fresh: SQLiteLedger
    ) async throws -> ControlReply? {
        var request = ControlRequest(verb: verb, names: names, by: "ann")
        request.number = try fresh.ask(request)
        return try await reconciler(fresh).perform(request, only: nil)
    }
}

extension FakePlatform {
    func meddleNewest(_ name: String, _ body: (inout VSCodeInstance) -> Void) {
        state.withLock { state in
            guard
                var object = state.objects.values.filter({ $0.name == name }).max(by: {
                    $0.ownership.generation < $1.ownership.generation
                })
            else { return }
            body(&object)
            state.objects[object.providerInstanceId] = object
            state.listener?.yield(
                .changed(name: name, providerInstanceId: object.providerInstanceId, what: "x"))
        }
    }
}

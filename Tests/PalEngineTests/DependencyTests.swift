import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

@Suite("What depends on others", .timeLimit(.minutes(10)))
struct DependencyTests {
    private func config(_ name: String, on others: [String]) -> InstanceConfig {
        var config = InstanceConfig(name: name)
        config.dependsOn = others
        return config
    }

    @Test func isMadeOnlyWhenThoseAreReadyOverProviders() async throws {
        let swarm = try TestSwarm()
        var database = swarm.config("db")
        database.provider = "other"
        swarm.source.declare([config("web", on: ["db"]), database])
        swarm.other.state.withLock { $0.readiness = .notReady("warming up") }
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("web waits") { try swarm.kinds("web").contains(.waiting) }
            #expect(swarm.platform.objects.isEmpty)
            #expect(
                try Explanation(#require(try swarm.record("web")), in: nil).decision
                    .hasSuffix("not yet: waits for db"))
            swarm.other.state.withLock { $0.readiness = .ready }
            swarm.other.meddle("db") { $0?.readiness = .ready }
            try await eventually("web is made") { swarm.platform.objects.map(\.name) == ["web"] }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    @Test func whatMovesStaysWhereItIsUntilThoseAreReady() async throws {
        let swarm = try TestSwarm()
        var web = config("web", on: ["db"])
        web.onReplace = .discard
        swarm.source.declare([web, swarm.config("db")])
        try await swarm.perform(.apply)
        web.provider = "other"
        var stopped = swarm.config("db")
        stopped.state = .stopped
        swarm.source.declare([web, stopped])
        #expect(try await !swarm.perform(.apply).isDone)
        #expect(swarm.platform.objects.map(\.name) == ["db", "web"])
        web.state = .absent
        swarm.source.declare([web, stopped])
        try await swarm.perform(.apply)
        #expect(swarm.platform.objects.map(\.name) == ["db"], "nothing follows, nothing is awaited")
        #expect(swarm.other.objects.isEmpty)
    }

    @Test func applyWaitsForBothAndSaysWhatIsInTheWay() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([config("web", on: ["db"]), swarm.config("db")])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(swarm.platform.changes() == ["create db", "create web"])
    }

    @Test func applyEndsWhereADependencyCannotBe() async throws {
        let swarm = try TestSwarm()
        var stopped = swarm.config("db")
        stopped.state = .stopped
        swarm.source.declare([config("web", on: ["db"]), stopped])
        let reply = try await swarm.perform(.apply)
        #expect(reply.messages == ["web: waits for db, which is stopped"])
    }

    /// The file of the one says what cannot be; it answers all the same, and after a restart nobody
    /// remembers that it was ready.
    @Test func whatIsReadyReleasesOthersThoughItIsBlocked() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("db")])
        try await swarm.perform(.apply)
        var contradiction = swarm.config("db")
        (contradiction.state, contradiction.protect) = (.absent, true)
        swarm.source.declare([config("web", on: ["db"]), contradiction])
        let reply = try await swarm.perform(.apply)
        #expect(swarm.platform.objects.map(\.name) == ["db", "web"])
        #expect(reply.messages.count == 1, "\(reply.messages)")
    }

    /// Seed 18342: those that waited for it did so until the next list of everything.
    @Test func whatIsBlockedIsLookedAtUntilItIsReady() async throws {
        let swarm = try TestSwarm()
        swarm.platform.state.withLock { $0.readiness = .notReady("warming up") }
        swarm.source.declare([swarm.config("db")])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("db is made") { swarm.platform.objects.map(\.name) == ["db"] }
            var contradiction = swarm.config("db")
            (contradiction.state, contradiction.protect) = (.absent, true)
            swarm.source.declare([config("web", on: ["db"]), contradiction])
            try await eventually("db is blocked") { try swarm.kinds("db").contains(.blocked) }
            // No event tells of it.
            swarm.platform.state.withLock { state in
                state.readiness = .ready
                for id in state.objects.keys { state.objects[id]?.readiness = .ready }
            }
            try await eventually("web is made") {
                swarm.platform.objects.map(\.name).sorted() == ["db", "web"]
            }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    @Test func startsOneWhereTheOtherIsReadyAndNotToBeTouched() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("db")])
        try await swarm.perform(.apply)
        swarm.source.declare([config("web", on: ["db"]), swarm.config("db")])
        #expect(try await swarm.perform(.start, ["web"]).isDone)
        #expect(swarm.platform.objects.map(\.name) == ["db", "web"])
    }

    @Test func saysWhatIsInTheWayWhereTheOtherIsNotToBeTouched() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([config("web", on: ["db"]), swarm.config("db")])
        let reply = try await swarm.perform(.start, ["web"])
        #expect(reply.messages == ["web: waits for db, which is not there"])
        #expect(swarm.platform.objects.isEmpty)
    }

    /// A replacement may end ready before anybody looked while it was not.
    @Test func whatWasGoneForAMomentIsTold() async throws {
        let swarm = try TestSwarm()
        let key = Key("db", WorldIndex())
        let ownership = Ownership(
            swarm: "test", name: "db", id: "id", generation: 1, specHash: SpecHash(text: "v1:0"))
        let instance = try await swarm.platform.createInstance(
            CreateRequest(config: swarm.config("db"), ownership: ownership))
        key.take([instance], at: "docker")
        key.readySince = .zero
        #expect(key.isReady)
        key.take([], at: "docker")
        key.take([instance], at: "docker")
        #expect(!key.isReady)
        #expect(key.readySince == nil)
    }

    @Test(arguments: [nil, "other"])
    func aCircleIsSpelledOutForEachOfIt(provider: String?) async throws {
        let swarm = try TestSwarm()
        var elsewhere = config("b", on: ["c"])
        elsewhere.provider = provider
        swarm.source.declare([
            config("a", on: ["b"]), elsewhere, config("c", on: ["a"]), swarm.config("d"),
        ])
        let reply = try await swarm.perform(.apply)
        #expect(swarm.platform.objects.map(\.name) == ["d"])
        #expect(swarm.other.objects.isEmpty)
        #expect(reply.messages.count == 3)
        #expect(
            reply.messages.first
                == "a: a.yaml:1:1: dependsOn goes round in a circle: a → b → c → a; "
                + "take one of them out")
    }

    @Test func aCircleThatIsBrokenUpIsForgotten() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([config("a", on: ["b"]), config("b", on: ["a"])])
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            try await eventually("blocked") { try swarm.kinds("a").contains(.blocked) }
            swarm.source.declare([config("a", on: ["b"]), swarm.config("b")])
            try await eventually("both") { swarm.platform.objects.map(\.name) == ["a", "b"] }
            await reconciler.stop()
            try await group.waitForAll()
        }
    }

    @Test func itselfAndNobodyAreNoDependencies() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([
            config("self", on: ["self"]), config("web", on: ["databse"]), swarm.config("database"),
        ])
        let reply = try await swarm.perform(.apply)
        #expect(
            reply.messages == [
                "self: self.yaml:1:1: dependsOn goes round in a circle: self → self; "
                    + "take one of them out",
                "web: web.yaml:1:1: dependsOn: no spec declares 'databse'; "
                    + "did you mean 'database'?",
            ])
        #expect(swarm.platform.objects.map(\.name) == ["database"])
    }

    @Test func aGroupIsReadyWhenAllOfItIs() {
        var desired = Desired(specsPath: "/specs")
        for name in ["web", "db-0", "db-1"] {
            let made = name == "web" ? config(name, on: ["db"]) : InstanceConfig(name: name)
            desired.declarations[name] = Declaration(
                config: made, location: SourceLocation(file: "a.yaml"))
        }
        desired.groups = ["db": 2]
        var dependencies = Dependencies()
        #expect(dependencies.update(desired) == ["web"])
        #expect(dependencies.needs == ["web": ["db-0", "db-1"]])
        #expect(dependencies.dependents == ["db-0": ["web"], "db-1": ["web"]])
        #expect(dependencies.problems.isEmpty)
    }

    /// Of two circles that share names, the second one was not found, and waited for ever.
    @Test func whoeverIsInACircleIsToldWhateverElseIsInOne() {
        var desired = Desired(specsPath: "/specs")
        let needs = ["a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["a"], "e": ["a"], "f": []]
        for (name, needed) in needs {
            desired.declarations[name] = Declaration(
                config: config(name, on: needed), location: SourceLocation(file: "a.yaml"))
        }
        var dependencies = Dependencies()
        _ = dependencies.update(desired)
        #expect(dependencies.problems.keys.sorted() == ["a", "b", "c", "d"])
        #expect(dependencies.problems["c"]?.message.contains(": c → d → a → c;") == true)
    }

    @Test func aDeepChainIsNoProblem() {
        var desired = Desired(specsPath: "/specs")
        for number in 0..<20_000 {
            let made = config("n\(number)", on: number > 0 ? ["n\(number - 1)"] : [])
            desired.declarations[made.name] = Declaration(
                config: made, location: SourceLocation(file: "a.yaml"))
        }
        var dependencies = Dependencies()
        #expect(dependencies.update(desired).count == 19_999)
        #expect(dependencies.problems.isEmpty)
    }
}

func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    for _ in 0..<2000 {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("never came true: \(what)")
}

import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

@Suite("Progress", .timeLimit(.minutes(2)))
struct ProgressTests {
    private func reasons(_ swarm: TestSwarm) throws -> [String] {
        try swarm.ledger.events(name: "a", after: 0, limit: 100).map(\.reason)
    }

    @Test func aLongCallTellsEachReasonOnceAndLeavesNothingBehind() async throws {
        let swarm = try TestSwarm { $0.progressPause = .seconds(3600) }
        let seen = Mutex<[InstanceRecord]>([])
        swarm.platform.state.withLock { state in
            state.tells = { tell in
                for percent in [0.0, 0.25, 0.5] {
                    await tell(Progress("Pulling", "the image x", fraction: percent))
                    if let record = try? swarm.record("a") { seen.withLock { $0.append(record) } }
                }
                await tell(Progress("Pulled", "the image x at sha256:1", fraction: 1))
            }
        }
        swarm.source.declare([swarm.config("a")])
        #expect(try await swarm.perform(.apply).isDone)
        #expect(
            try reasons(swarm) == ["Creating", "Pulling", "Pulled", "Created", "Ready"])
        let first = try #require(seen.withLock { $0.first })
        #expect(first.progress == Progress("Pulling", "the image x", fraction: 0))
        let ready = try #require(first.conditions.first { $0.kind == .ready })
        #expect(!ready.isTrue)
        #expect(ready.reason == "Pulling")
        #expect(ready.message == "pulling the image x")
        // More of the same within the pause is not written.
        #expect(seen.withLock { $0.last }?.progress?.fraction == 0)
        let record = try #require(try swarm.record("a"))
        #expect(record.progress == nil)
        #expect(record.conditions.contains { $0.kind == .ready && $0.isTrue })
    }

    @Test func whatServesWhileItsSuccessorIsPreparedStaysReady() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        let seen = Mutex<[InstanceRecord]>([])
        let ledger = swarm.ledger
        swarm.platform.state.withLock { state in
            state.tells = { tell in
                await tell(Progress("Pulling", "the image x"))
                guard let record = try? ledger.records().first else { return }
                seen.withLock { $0.append(record) }
            }
        }
        swarm.source.declare([swarm.config("a", "2")])
        #expect(try await swarm.perform(.apply).isDone)
        let first = try #require(seen.withLock { $0.first })
        #expect(first.progress?.reason == "Pulling")
        #expect(first.conditions.contains { $0.kind == .ready && $0.isTrue })
    }

    @Test func aFailureClearsIt() async throws {
        let swarm = try TestSwarm()
        swarm.platform.state.withLock { state in
            state.tells = { await $0(Progress("Pulling", "the image x")) }
            state.lateFailures["create"] = [
                .error(ProviderError(.instance, .imageMissing, "broke off", isRetryable: true))
            ]
        }
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.once)
        #expect(try reasons(swarm).contains("Failed"))
        #expect(try swarm.record("a")?.progress == nil)
    }

    @Test func whatADeadControllerWasDoingIsNotGoingOn() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        var record = try #require(try swarm.record("a"))
        record.progress = Progress("Pulling", "the image x", fraction: 0.5)
        try swarm.ledger.save(record)
        try await swarm.perform(.apply)
        #expect(try swarm.record("a")?.progress == nil)
    }
}

@Suite("What moved by itself", .timeLimit(.minutes(2)))
struct MovedTests {
    private static let change = FieldChange(
        path: "image", from: .string("sha256:old"), to: .string("sha256:new"))

    private func moved(follows: Bool) async throws -> TestSwarm {
        let swarm = try TestSwarm()
        var config = swarm.config("a")
        if follows { config.metadata = ["follow": .bool(true)] }
        swarm.source.declare([config])
        try await swarm.perform(.apply)
        swarm.platform.meddle("a") { $0?.outdated = [Self.change] }
        try await swarm.perform(.apply)
        return swarm
    }

    @Test func itIsShownAndChangesNothing() async throws {
        let swarm = try await moved(follows: false)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [1])
        let record = try #require(try swarm.record("a"))
        #expect(record.drift?.map(\.change) == [Self.change])
        let condition = try #require(record.conditions.first { $0.kind == .drifted })
        #expect(condition.reason == "Moved")
        #expect(
            condition.message == #"image: the tag moved from "sha256:old" to "sha256:new""#)
        let told = try swarm.ledger.events(name: "a", after: 0, limit: 100)
            .filter { $0.reason == "Drifted" }
        #expect(told.map(\.message) == [condition.message])
        try await swarm.perform(.apply)
        #expect(
            try swarm.ledger.events(name: "a", after: 0, limit: 100)
                .count { $0.reason == "Drifted" } == 1)
    }

    @Test func itIsFollowedWhereTheRulesSaySo() async throws {
        let swarm = try await moved(follows: true)
        #expect(swarm.platform.objects.map(\.ownership.generation) == [2])
        #expect(try swarm.record("a")?.drift == nil)
        let events = try swarm.ledger.events(name: "a", after: 0, limit: 100)
        #expect(
            events.contains {
                $0.reason == "Replacing" && $0.message == Self.change.text
            })
    }
}

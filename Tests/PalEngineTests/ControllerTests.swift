import FoundationEssentials
import PalLedger
import PalModel
import PalProvider
import Synchronization
import Testing

@testable import PalEngine

/// The loop as `pal run` runs it: changes come in while it works.
@Suite("The running controller", .timeLimit(.minutes(10)))
struct ControllerTests {
    /// Runs a controller while the body works, then stops it.
    private func running(
        _ swarm: TestSwarm, _ body: @escaping @Sendable (Reconciler) async throws -> Void
    ) async throws {
        let reconciler = try swarm.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            group.addTask {
                defer { Task { await reconciler.stop() } }
                try await body(reconciler)
            }
            try await group.waitForAll()
        }
    }

    @Test func aListThatTheEndInterruptsIsNoProblemOfTheProvider() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        swarm.platform.state.withLock {
            $0.listTime = .seconds(3600)
            $0.failures["list"] = [
                .error(ProviderError(.connection, .unreachable, "cancelled", isRetryable: true))
            ]
        }
        try await running(swarm) { _ in
            try await eventually("it is asked") { swarm.platform.state.withLock(\.lists) == 1 }
        }
        #expect(swarm.platform.state.withLock { $0.failures["list"] } == [])
        #expect(try swarm.ledger.events(name: nil, after: 0, limit: 100).map(\.reason) == [])
    }

    @Test func followsTheSpecs() async throws {
        let swarm = try TestSwarm()
        try await running(swarm) { _ in
            swarm.source.declare([swarm.config("a")])
            try await eventually("a") { swarm.platform.objects.map(\.name) == ["a"] }
            swarm.source.declare([swarm.config("a", "2"), swarm.config("b")])
            try await eventually("b, and a replaced") {
                swarm.platform.objects.map(\.ownership.generation) == [2, 1]
            }
            swarm.source.declare([swarm.config("b")])
            try await eventually("a gone") { swarm.platform.objects.map(\.name) == ["b"] }
            swarm.source.declare([])
            try await eventually("the only one gone") { swarm.platform.objects.isEmpty }
        }
    }

    /// It had an intent, a landing and a word of success, and for 20 seconds nobody forgot it.
    @Test func whatIsNotDeclaredAnyMoreWhenItsTurnComesIsNotMade() async throws {
        let swarm = try TestSwarm()
        try await running(swarm) { reconciler in
            swarm.source.declare([swarm.config("a"), swarm.config("b")])
            try await eventually("both") { swarm.platform.objects.count == 2 }
            swarm.platform.state.withLock {
                $0.tells = { _ in
                    swarm.source.declare([swarm.config("b")])
                    while await reconciler.preview().desired.declarations["a"] != nil {
                        await Task.yield()
                    }
                }
            }
            swarm.source.declare([swarm.config("a", "2"), swarm.config("b")])
            try await eventually("a is forgotten") {
                try swarm.record("a") == nil && swarm.platform.objects.map(\.name) == ["b"]
            }
            #expect(swarm.platform.changes().count { $0 == "create a" } == 1)
            #expect(try swarm.ledger.openIntents().isEmpty)
            let reasons = try swarm.ledger.events(name: "a", after: 0, limit: 100).map(\.reason)
            #expect(reasons.contains("Superseded") && !reasons.contains("Replaced"))
        }
    }

    @Test func repairsOnTheEventAgainAndAgainAndNeverStalls() async throws {
        let swarm = try TestSwarm()
        try await running(swarm) { _ in
            swarm.source.declare([swarm.config("a")])
            try await eventually("ready") {
                try swarm.record("a")?.conditions.contains { $0.kind == .ready && $0.isTrue }
                    == true
            }
            for round in 0..<20 {
                let before = swarm.platform.objects.first?.providerInstanceId
                swarm.platform.meddle("a") { $0 = nil }
                try await eventually("made again, \(round)") {
                    let now = swarm.platform.objects.first?.providerInstanceId
                    return now != nil && now != before
                }
                swarm.platform.meddle("a") { $0?.status = .stopped }
                try await eventually("started again, \(round)") {
                    swarm.platform.objects.first?.status == .running
                }
            }
            let conditions = try swarm.record("a")?.conditions ?? []
            #expect(!conditions.contains { $0.kind == .stalled })
        }
    }

    @Test func aCrashLoopBacksOffAndStallsAtLast() async throws {
        var swarm = try TestSwarm()
        swarm.policy.stallAfter = 4
        swarm.platform.state.withLock { $0.startedStatus = .failed }
        let tested = swarm
        try await running(tested) { _ in
            tested.source.declare([tested.config("a")])
            // Every start ends in a new crash: another exit report each time.
            try await eventually("stalled") {
                tested.platform.state.withLock { state in
                    for (id, object) in state.objects where object.status == .failed {
                        state.objects[id]?.exit = ExitReport(
                            code: 1, at: Date(timeIntervalSince1970: Double(state.calls.count)))
                    }
                }
                return try tested.record("a")?.conditions.contains { $0.kind == .stalled } == true
            }
        }
    }

    @Test func answersRequestsFromTheLedger() async throws {
        let swarm = try TestSwarm()
        try await running(swarm) { reconciler in
            swarm.source.declare([swarm.config("a")])
            try await eventually("a") { swarm.platform.objects.count == 1 }
            let number = try swarm.ledger.ask(
                ControlRequest(verb: .stop, names: ["a"], by: "ann"))
            await reconciler.requestMayHaveCome()
            try await eventually("answered") { try swarm.ledger.reply(to: number) != nil }
            #expect(swarm.platform.objects.first?.status == .stopped)
            #expect(try swarm.record("a")?.hold?.by == "ann")
        }
    }

    @Test func aHoldThatEndsBeforeTheStopIsMadeIsAnswered() async throws {
        var swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.apply)
        swarm.policy.retry = Backoff(first: .seconds(60), limit: .seconds(60))
        let failure = ProviderFailure.error(
            ProviderError(.provider, .platformFailure, "it hiccups", isRetryable: true))
        swarm.platform.state.withLock { $0.failures["stop"] = [failure] }
        var request = ControlRequest(
            verb: .stop, names: ["a"], holdFor: TimeSpan(milliseconds: 200), by: "ann")
        request.number = try swarm.ledger.ask(request)
        let reply = try await swarm.reconciler().perform(request, only: ["a"])
        #expect(
            reply
                == ControlReply(isDone: false, messages: ["a: it runs, and is not held any more"]))
        #expect(swarm.platform.objects.first?.status == .running)
    }

    @Test func aStartThatAStopOvertakesIsAnswered() async throws {
        let swarm = try TestSwarm()
        swarm.source.declare([swarm.config("a")])
        try await swarm.perform(.stop, ["a"])
        swarm.platform.state.withLock {
            $0.startedStatus = .starting
            $0.readiness = .notReady("warming up")
        }
        try await running(swarm) { reconciler in
            let start = try swarm.ledger.ask(
                ControlRequest(verb: .start, names: ["a"], by: "ann"))
            await reconciler.requestMayHaveCome()
            try await eventually("starting") {
                swarm.platform.objects.first?.status == .starting
            }
            let stop = try swarm.ledger.ask(
                ControlRequest(verb: .stop, names: ["a"], by: "bob"))
            await reconciler.requestMayHaveCome()
            try await eventually("both are answered") {
                try swarm.ledger.reply(to: start) != nil && swarm.ledger.reply(to: stop) != nil
            }
            #expect(
                try swarm.ledger.reply(to: start)?.messages == ["a: it is held stopped by bob"])
            #expect(try swarm.ledger.reply(to: stop)?.isDone == true)
        }
    }
}

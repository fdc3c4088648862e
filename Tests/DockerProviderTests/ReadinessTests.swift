import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Readiness on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct ReadinessTests {
    @Test("an editor that does not answer, or not with 200, is not ready, and the reason is said")
    func notReady() async throws {
        try await TestSwarm.run { swarm in
            let silent = try await swarm.create("silent") { $0.command = ["sleep", "1000"] }
            let port = try #require(silent.network.port)
            #expect(
                silent.readiness
                    == .notReady("http://127.0.0.1:\(port)/healthz does not answer yet"))
            let wrong = try await swarm.create("wrong") { $0.health.path = "/nothing-here" }
            let answered = try await swarm.wait(wrong.reference) {
                guard case .notReady(let reason) = $0.readiness else { return false }
                return reason.contains("status 404")
            }
            #expect(answered.status == .running)
            let list = try await swarm.provider.listInstances(.all)
            #expect(!list.contains { $0.readiness.isReady })
        }
    }

    @Test("people's URLs have the host that the operator says, and pal asks where it is published")
    func otherHost() async throws {
        let specific: [String: Value] = [
            "bindAddress": .string("0.0.0.0"), "urlHost": .string("dev.invalid"),
        ]
        try await TestSwarm.run(specific: specific) { swarm in
            let made = try await swarm.createReady("alice")
            let port = try #require(made.network.port)
            #expect(made.network.urls == ["http://dev.invalid:\(port)/"])
            let access = try await swarm.provider.getAccess(made.reference)
            #expect("\(access)".contains("http://dev.invalid:\(port)/"), "\(access)")
        }
    }

    @Test("a custom editor without a path is ready when it runs")
    func custom() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("custom") {
                $0.editor = .custom
                $0.command = ["sleep", "1000"]
            }
            #expect(made.readiness == .ready)
        }
    }

    @Test("one that was ready is not asked again before it is started again")
    func remembered() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("alice")
            let broken = try await swarm.provider.executeCommand(
                made.reference, Command(["busybox", "rm", "/www/healthz"]))
            #expect(broken.exitCode == 0)
            #expect(try await swarm.provider.listInstances(.all).first?.readiness == .ready)
            try await swarm.provider.stopInstance(made.reference, force: false)
            try await swarm.provider.startInstance(made.reference)
            _ = try await swarm.wait(made.reference) {
                guard case .notReady(let reason) = $0.readiness else { return false }
                return reason.contains("status 404")
            }
        }
    }

    @Test(
        "the Engine's check decides: unhealthy is not ready, with what the check said",
        .notOnPodman("without systemd it repeats no check of health"))
    func unhealthy() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("sick") {
                $0.health.path = "/it's-gone?a=$(b)"
                $0.health.interval = TimeSpan(milliseconds: 100)
                $0.health.grace = TimeSpan(milliseconds: 1)
            }
            let sick = try await swarm.wait(made.reference) {
                $0.metadata["health"] == "unhealthy"
            }
            guard case .notReady(let reason) = sick.readiness else {
                throw TestFailure("ready while it is unhealthy")
            }
            #expect(reason.contains("404"))
        }
    }

    @Test(
        "one that was ready and becomes unhealthy is ready no more",
        .notOnPodman("without systemd it repeats no check of health"))
    func becomesUnhealthy() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("alice") {
                $0.health.interval = TimeSpan(milliseconds: 100)
                $0.health.grace = TimeSpan(milliseconds: 1)
            }
            _ = try await swarm.wait(made.reference) { $0.metadata["health"] == "healthy" }
            _ = try await swarm.provider.executeCommand(
                made.reference, Command(["busybox", "rm", "/www/healthz"]))
            _ = try await swarm.wait(made.reference) { !$0.readiness.isReady }
        }
    }
}

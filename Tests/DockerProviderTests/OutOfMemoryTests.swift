import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Docker's want of memory", .needsDockerEngine, .timeLimit(.minutes(10)))
struct OutOfMemoryTests {
    /// Keeps more and more of what it reads.
    private static let greedy = ["busybox", "tail", "-c", "200000000", "/dev/zero"]

    private func watching(
        _ swarm: TestSwarm, _ body: () async throws -> Void
    ) async throws {
        let provider = swarm.provider
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (connected, told) = AsyncStream.makeStream(of: Void.self)
            group.addTask {
                try await provider.watchEvents {
                    if $0 == .connected { told.yield() }
                }
            }
            for await _ in connected { break }
            try await body()
            group.cancelAll()
        }
    }

    @Test(
        "an instance that the Engine starts again says why it ended",
        .notOnPodman("4.3 tells of no want of memory under version 1 of cgroups"))
    func restarted() async throws {
        try await TestSwarm.run { swarm in
            try await watching(swarm) {
                let made = try await swarm.create("alice") {
                    $0.editor = .custom
                    $0.command = Self.greedy
                    $0.resources.memoryMax = 16
                }
                let ended = try await swarm.wait(made.reference) {
                    $0.exit?.isOutOfMemory == true
                }
                #expect(ended.exit?.text == "out of memory")
                #expect(ended.config.resources.memoryMax == 16)
            }
        }
    }

    @Test(
        "a command that is killed inside is told, though the instance runs on",
        .notOnPodman("4.3 tells of no want of memory under version 1 of cgroups"))
    func inside() async throws {
        try await TestSwarm.run { swarm in
            try await watching(swarm) {
                let made = try await swarm.createReady("alice") { $0.resources.memoryMax = 16 }
                #expect(made.exit == nil)
                let result = try await swarm.provider.executeCommand(
                    made.reference, Command(Self.greedy))
                #expect(result.exitCode == 137)
                let now = try await swarm.wait(made.reference) { $0.exit?.isOutOfMemory == true }
                #expect(now.status == .running)
                #expect(now.readiness.isReady)
            }
        }
    }

    @Test(
        "without Docker's restart the report is the Engine's own",
        .notOnPodman("4.3 tells of no want of memory under version 1 of cgroups"))
    func stopped() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice") {
                $0.editor = .custom
                $0.command = Self.greedy
                $0.resources.memoryMax = 16
                $0.specific = ["network": .string("bridge"), "restart": .string("no")]
            }
            // A busy Engine hears of the end before it hears of its reason, and then never says it.
            for _ in 1...10 {
                let ended = try await swarm.wait(made.reference) { $0.status == .stopped }
                #expect(ended.exit?.code == 137)
                if ended.exit?.isOutOfMemory == true { return }
                try await swarm.provider.startInstance(made.reference)
            }
            Issue.record("the Engine never said that memory was the reason")
        }
    }
}

import FoundationEssentials
import PalModel
import PalProvider
import Synchronization
import TestSupport
import Testing

@testable import DockerProvider

/// Lines that came, and somebody who waits for one of them.
private final class Lines: Sendable {
    private let state = Mutex<[String]>([])
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    func add(_ line: String) {
        state.withLock { $0.append(line) }
        bell.continuation.yield()
    }

    var all: [String] { state.withLock { $0 } }

    func wait(for line: String) async throws { try await wait { $0.contains(line) } }

    /// For one task at a time.
    func wait(_ isEnough: ([String]) -> Bool) async throws {
        if isEnough(all) { return }
        for await _ in bell.stream where isEnough(all) { return }
        throw CancellationError()
    }
}

@Suite("Logs that are followed over ends, on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct LogPursuitTests {
    /// Writes the numbers of the run on both outputs, the last one without an end of its line.
    private func script(_ mark: String) -> [String] {
        [
            "sh", "-c",
            "echo x >> /tmp/runs; run=$(grep -c x /tmp/runs); "
                + "for i in $(seq 1 300); do "
                + "echo \(mark)-$run-$i; echo e\(mark)-$run-$i >&2; done; "
                + "echo \(mark)-$run-last; exec sleep 1000",
        ]
    }

    private func expected(_ mark: String, run: Int) -> [String] {
        (1...300).map { "\(mark)-\(run)-\($0)" } + ["\(mark)-\(run)-last"]
    }

    @Test("every line comes once, over restarts and a replacement, on both streams in order")
    func restartsAndReplacement() async throws {
        try await TestSwarm.run { swarm in
            let first = try await swarm.create("talker") { $0.command = script("a") }
            let (lines, notices) = (Lines(), Lines())
            let pursuit = LogPursuit(swarm.provider, name: "talker", options: LogOptions())
            let following = Task {
                try await pursuit.run(from: first) {
                    notices.add("\($0)")
                } _: { line in
                    lines.add(line.text)
                }
            }
            for run in 1...3 {
                try await lines.wait(for: "a-\(run)-last")
                try await swarm.provider.stopInstance(first.reference, force: true)
                if run == 1 { try await notices.wait(for: "stopped") }
                if run < 3 { try await swarm.provider.startInstance(first.reference) }
            }
            _ = try await swarm.provider.deleteInstance(first.reference)
            let second = try await swarm.provider.createInstance(
                swarm.request(swarm.config("talker") { $0.command = script("b") }, generation: 2))
            try await lines.wait(for: "b-1-last")
            try await swarm.provider.stopInstance(second.reference, force: true)
            try await swarm.provider.startInstance(second.reference)
            try await lines.wait { $0.count >= 5 * 601 }
            following.cancel()
            try await following.value

            let wanted =
                (1...3).flatMap { expected("a", run: $0) }
                + (1...2).flatMap { expected("b", run: $0) }
            #expect(lines.all.filter { !$0.hasPrefix("e") } == wanted)
            let errors = wanted.filter { !$0.hasSuffix("last") }.map { "e" + $0 }
            #expect(lines.all.filter { $0.hasPrefix("e") } == errors)
            #expect(notices.all.contains("replaced"))
            #expect(notices.all.contains("stopped"))
            #expect(notices.all.contains("restarted"))
        }
    }

    @Test(
        "a line that the first run did not end goes on, and is not said again",
        .notOnPodman("it does not always end the log of what has ended"))
    func unfinished() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("talker") {
                $0.command = ["sh", "-c", "echo begin; printf half; exec sleep 1000"]
            }
            let lines = Lines()
            let pursuit = LogPursuit(swarm.provider, name: "talker", options: LogOptions())
            let following = Task {
                try await pursuit.run(from: made) { _ in
                } _: {
                    lines.add($0.text)
                }
            }
            try await lines.wait(for: "begin")
            try await swarm.provider.stopInstance(made.reference, force: true)
            try await lines.wait(for: "half")
            try await swarm.provider.startInstance(made.reference)
            try await lines.wait { $0.count == 3 }
            try await swarm.provider.stopInstance(made.reference, force: true)
            try await lines.wait { $0.count == 4 }
            following.cancel()
            try await following.value
            #expect(lines.all == ["begin", "half", "begin", "half"])
        }
    }

    @Test("only so many lines, a pattern, and a time hold after a break too")
    func options() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("talker") { $0.command = script("a") }
            let before = Lines()
            let waiting = LogPursuit(
                swarm.provider, name: "talker", options: LogOptions(lines: 0))
            let new = Task {
                try await waiting.run(from: made) { _ in
                } _: {
                    before.add($0.text)
                }
            }
            let whole = Lines()
            let all = LogPursuit(
                swarm.provider, name: "talker", options: LogOptions(pattern: "^a-[0-9]-(7|last)$"))
            let some = Task {
                try await all.run(from: made) { _ in
                } _: {
                    whole.add($0.text)
                }
            }
            try await whole.wait(for: "a-1-last")
            try await swarm.provider.stopInstance(made.reference, force: true)
            try await swarm.provider.startInstance(made.reference)
            try await whole.wait(for: "a-2-last")
            try await before.wait(for: "a-2-last")
            for task in [new, some] {
                task.cancel()
                try await task.value
            }
            #expect(whole.all == ["a-1-7", "a-1-last", "a-2-7", "a-2-last"])
            #expect(Set(expected("a", run: 2)).subtracting(before.all).isEmpty)
            #expect(Set(before.all).count == before.all.count)
        }
    }

    @Test("a pattern that is none ends it at once")
    func badPattern() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("talker")
            let failure = try await failure { () throws(ProviderFailure) in
                try await LogPursuit(
                    swarm.provider, name: "talker", options: LogOptions(pattern: "a(b")
                ).run(from: made) { _ in
                } _: { _ in
                }
            }
            #expect(failure.error?.kind == .configuration)
        }
    }
}

import FoundationEssentials
import PalModel
import PalProvider
import Synchronization
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Logs of Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct LogTests {
    /// Runs a script to its end and gives its instance.
    private func ended(_ swarm: TestSwarm, _ script: String) async throws -> VSCodeInstance {
        let made = try await swarm.create("writer") {
            $0.command = ["sh", "-c", script + "; touch /tmp/done; exec sleep 1000"]
        }
        for _ in 0..<600 {
            let test = try await swarm.provider.executeCommand(
                made.reference, Command(["test", "-f", "/tmp/done"]))
            if test.exitCode == 0 { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        try await swarm.provider.stopInstance(made.reference, force: true)
        return made
    }

    private func texts(
        _ swarm: TestSwarm, _ instance: VSCodeInstance, _ options: LogOptions = LogOptions()
    ) async throws -> [String] {
        try await swarm.provider.getInstanceLogs(instance.reference, options).map(\.text)
    }

    @Test(
        "lines come from both streams, with times, and the last one without an end, too",
        .notOnPodman("its times of lines are whole seconds"))
    func lines() async throws {
        try await TestSwarm.run { swarm in
            let made = try await ended(
                swarm, "echo one; echo; sleep 0.1; echo two >&2; sleep 0.1; printf 'ünfinished'")
            let lines = try await swarm.provider.getInstanceLogs(made.reference, LogOptions())
            #expect(lines.map(\.text) == ["one", "", "two", "ünfinished"])
            #expect(lines.map(\.stream) == [.stdout, .stdout, .stderr, .stdout])
            let times = lines.compactMap(\.at)
            #expect(times.count == 4)
            #expect(times == times.sorted())

            let later = try await swarm.provider.getInstanceLogs(
                made.reference, LogOptions(since: times[2]))
            #expect(later.map(\.text) == ["two", "ünfinished"])
        }
    }

    @Test("the last so many lines are counted before the pattern is applied")
    func tail() async throws {
        try await TestSwarm.run { swarm in
            let made = try await ended(swarm, "seq 1 200")
            #expect(try await texts(swarm, made).count == 200)
            let three = LogOptions(lines: 3)
            #expect(try await texts(swarm, made, three) == ["198", "199", "200"])
            #expect(try await texts(swarm, made, LogOptions(lines: 0)).isEmpty)
            let pattern = LogOptions(lines: 30, pattern: "^1?[79]5$")
            #expect(try await texts(swarm, made, pattern) == ["175", "195"])
        }
    }

    @Test("a pattern that is none is a configuration error")
    func badPattern() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.getInstanceLogs(made.reference, LogOptions(pattern: "a(b"))
            }
            #expect(failure.error?.kind == .configuration)
            #expect(failure.description.contains("a(b"))
        }
    }

    @Test("a line of 100 kB is one line, although the Engine keeps it in pieces")
    func longLine() async throws {
        try await TestSwarm.run { swarm in
            let made = try await ended(
                swarm, "head -c 100000 /dev/zero | tr '\\0' x; echo; echo after")
            let lines = try await texts(swarm, made)
            #expect(lines.map(\.count) == [100_000, 5])
            #expect(lines.first?.allSatisfy { $0 == "x" } == true)
        }
    }

    @Test("the log of a container with a terminal is read as it is")
    func terminal() async throws {
        try await TestSwarm.run { swarm in
            let labels = swarm.ownership(swarm.config("tty")).labels
            let id = try await swarm.makeForeign(
                labels: labels, starts: true,
                [
                    "Tty": .bool(true), "Entrypoint": .strings([]),
                    "Cmd": .strings(["sh", "-c", "echo one; echo two; exec sleep 1000"]),
                ])
            let reference = InstanceReference(id: "", providerInstanceId: id)
            var lines: [LogLine] = []
            for _ in 0..<600 where lines.count < 2 {
                lines = try await swarm.provider.getInstanceLogs(reference, LogOptions())
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(lines.map(\.text) == ["one", "two"])
            #expect(lines.allSatisfy { $0.at != nil })
        }
    }

    @Test("followed lines come as they are written, and end with the instance")
    func follow() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("talker") {
                $0.command = [
                    "sh", "-c",
                    "echo start; while ! test -f /tmp/go; do sleep 0.05; done; "
                        + "echo went; echo skipped-here; exec sleep 1000",
                ]
            }
            let seen = Mutex<[String]>([])
            try await swarm.provider.followInstanceLogs(
                made.reference, LogOptions(pattern: "^[a-z]+$")
            ) { line in
                seen.withLock { $0.append(line.text) }
                if line.text == "start" {
                    _ = try? await swarm.provider.executeCommand(
                        made.reference, Command(["touch", "/tmp/go"]))
                } else {
                    try? await swarm.provider.stopInstance(made.reference, force: true)
                }
            }
            #expect(seen.withLock { $0 } == ["start", "went"])
        }
    }

    @Test("following ends without an error when its task is cancelled")
    func cancelled() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("talker")
            let seen = EventLog()
            let following = Task {
                try await swarm.provider.followInstanceLogs(made.reference, LogOptions()) { _ in
                    seen.append(.connected)
                }
            }
            try await seen.wait { !$0.all.isEmpty }
            following.cancel()
            try await following.value
        }
    }
}

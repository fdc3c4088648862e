import Glibc
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct ExecTests {
    @Test func aCommandSeesTheInstancesEnvironmentAndDirectory() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice") {
                $0.workspacePath = bench.directory
                $0.env = ["COLOR": "blue"]
            }
            let command = Command(
                ["sh", "-c", "echo $PAL_NAME $COLOR $EXTRA $PWD; echo bad >&2; exit 3"],
                environment: ["EXTRA": "x"])
            let result = try await bench.provider.executeCommand(made.reference, command)
            #expect(result.exitCode == 3)
            let output = String(decoding: result.standardOutput, as: UTF8.self)
            #expect(output == "alice blue x \(bench.directory)\n")
            #expect(result.standardError == Array("bad\n".utf8))
        }
    }

    @Test func aCommandGetsNoDescriptorOfTheController() async throws {
        try await Bench.run { bench in
            var ends: [CInt] = [-1, -1]
            #expect(pipe(&ends) == 0)
            defer { ends.forEach { close($0) } }
            let made = try await bench.create("alice")
            let script = "for f in /proc/$$/fd/*; do echo ${f##*/}; done"
            let result = try await bench.provider.executeCommand(
                made.reference, Command(["bash", "-c", script]))
            let open = String(decoding: result.standardOutput, as: UTF8.self).split(separator: "\n")
            // 3 is the directory that the shell itself is reading, 255 its script.
            #expect(Set(open).subtracting(["3", "255"]) == ["0", "1", "2"])
        }
    }

    @Test func signalsAndMissingProgramsAreExitCodes() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let killed = try await bench.provider.executeCommand(
                made.reference, Command(["sh", "-c", "kill -9 $$"]))
            #expect(killed.exitCode == 137)
            let missing = try await bench.provider.executeCommand(
                made.reference, Command(["no-such-program"]))
            #expect(missing.exitCode == 127)
        }
    }

    @Test func aCommandThatTakesTooLongIsEndedWithAllThatItStarted() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let command = Command(
                ["sh", "-c", "sleep 1000 & echo $! > ~/pid; wait"], timeout: .milliseconds(500))
            _ = await failure(.timedOut) { () async throws(ProviderFailure) in
                try await bench.provider.executeCommand(made.reference, command)
            }
            let marked = try JSONFile.read(LaunchFile.self, at: try bench.files(made).launch)
            let left = ProcessTable.pids(withVariable: LaunchFile.marker, marked.run)
            #expect(left == [try bench.run(made).child?.pid])
        }
    }

    @Test func tooMuchOutputIsAnErrorAndEndsTheCommand() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            _ = await failure(.outputTooLarge) { () async throws(ProviderFailure) in
                try await bench.provider.executeCommand(
                    made.reference, Command(["cat", "/dev/zero"]))
            }
        }
    }

    @Test func nothingRunsInAStoppedInstance() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", starts: false)
            _ = await failure(.wrongState) { () async throws(ProviderFailure) in
                try await bench.provider.executeCommand(made.reference, Command(["true"]))
            }
        }
    }
}

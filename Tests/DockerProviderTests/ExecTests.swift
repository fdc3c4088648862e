import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Commands on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct ExecTests {
    private func run(
        _ swarm: TestSwarm, _ instance: VSCodeInstance, _ command: Command
    ) async throws -> (code: Int, out: String, error: String) {
        let result = try await swarm.provider.executeCommand(instance.reference, command)
        return (
            result.exitCode, String(decoding: result.standardOutput, as: UTF8.self),
            String(decoding: result.standardError, as: UTF8.self)
        )
    }

    @Test("the exit code, both outputs, the variables and the directory are the command's")
    func results() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.env = ["OWN": "own", "BOTH": "spec"] }
            let script = "echo $OWN $BOTH $EXTRA; pwd; echo wrong >&2; exit 42"
            let command = Command(
                ["sh", "-c", script], environment: ["EXTRA": "a b", "BOTH": "command"],
                workingDirectory: "/www")
            let result = try await run(swarm, made, command)
            #expect(result.code == 42)
            #expect(result.out == "own command a b\n/www\n")
            #expect(result.error == "wrong\n")
            let argument = try await run(swarm, made, Command(["echo", "a b", "$HOME", "'"]))
            #expect(argument.out == "a b $HOME '\n")
            let quiet = try await run(swarm, made, Command(["true"]))
            #expect(quiet == (0, "", ""))
        }
    }

    @Test("a command that is not there is a result")
    func notFound() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let missing = try await run(swarm, made, Command(["no-such-command"]))
            #expect([126, 127].contains(missing.code))
            let forbidden = try await run(swarm, made, Command(["/www/index.html"]))
            #expect(forbidden.code == 126)
        }
    }

    @Test("a command that a signal ends has 128 and the signal as its code")
    func signal() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let result = try await run(swarm, made, Command(["sh", "-c", "kill -KILL $$"]))
            #expect(result.code == 137)
        }
    }

    @Test("megabytes come whole")
    func large() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let result = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", "seq 1 700000; seq 1 10 >&2"]))
            let lines = result.standardOutput.split(separator: UInt8(ascii: "\n"))
            #expect(lines.count == 700_000)
            #expect(lines.last.map { Array($0) } == Array("700000".utf8))
            #expect(result.standardError.count == 21)
        }
    }

    @Test("what is not running runs no commands")
    func stopped() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            try await swarm.provider.stopInstance(made.reference, force: false)
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.executeCommand(made.reference, Command(["true"]))
            }
            #expect(failure.error?.kind == .instance)
            #expect(failure.error?.code == .wrongState)
        }
    }

    @Test("a command that takes too long is given up")
    func timeout() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.executeCommand(
                    made.reference, Command(["sleep", "1000"], timeout: .milliseconds(300)))
            }
            #expect(failure.error?.kind == .instance)
            #expect(failure.error?.code == .timedOut)
            let quick = try await run(swarm, made, Command(["true"], timeout: .seconds(60)))
            #expect(quick.code == 0)
        }
    }
}

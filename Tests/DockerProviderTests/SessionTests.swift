import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Sessions on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct SessionTests {
    private func open(
        _ swarm: TestSwarm, _ instance: VSCodeInstance, _ command: Command,
        terminal: TerminalSize? = nil, takesInput: Bool = true
    ) async throws -> any InteractiveSession {
        try await swarm.provider.openSession(
            instance.reference,
            SessionRequest(command, terminal: terminal, takesInput: takesInput))
    }

    private func finish(
        _ session: any InteractiveSession
    ) async throws -> (code: Int, out: String, error: String) {
        var (out, error): ([UInt8], [UInt8]) = ([], [])
        while let output = try await session.read() {
            if output.stream == .stdout { out += output.bytes } else { error += output.bytes }
        }
        let code = try await session.exitCode()
        await session.close()
        return (code, String(decoding: out, as: UTF8.self), String(decoding: error, as: UTF8.self))
    }

    /// Reads until the text was seen.
    private func read(_ session: any InteractiveSession, until text: String) async throws -> String
    {
        var seen = ""
        while !seen.contains(text) {
            let output = try #require(
                await session.read(), "it ended after \(seen.debugDescription)")
            seen += String(decoding: output.bytes, as: UTF8.self)
        }
        return seen
    }

    @Test("the input reaches the command, and so does its end")
    func input() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice") { $0.env = ["OWN": "own"] }
            let script = "cat; echo $OWN $EXTRA; pwd; echo wrong >&2; exit 42"
            let session = try await open(
                swarm, made,
                Command(
                    ["sh", "-c", script], environment: ["EXTRA": "more"],
                    workingDirectory: "/www"))
            try await session.write(Array("hi\n".utf8))
            try await session.closeInput()
            let end = try await finish(session)
            #expect(end == (42, "hi\nown more\n/www\n", "wrong\n"))
        }
    }

    @Test("megabytes go in and come out as they are")
    func large() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let session = try await open(swarm, made, Command(["cat"]))
            let data = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
            async let echoed = {
                var all: [UInt8] = []
                while let output = try await session.read() { all += output.bytes }
                return all
            }()
            try await session.write(data)
            try await session.closeInput()
            #expect(try await echoed == data)
            #expect(try await session.exitCode() == 0)
            await session.close()
        }
    }

    @Test("without an input the command finds its end at once")
    func noInput() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let session = try await open(
                swarm, made, Command(["sh", "-c", "cat; echo done"]), takesInput: false)
            #expect(try await finish(session) == (0, "done\n", ""))
        }
    }

    @Test("a terminal has the size that it is told, echoes, and passes Ctrl-C to the command")
    func terminal() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let script =
                "trap 'echo caught; exit 7' INT; test -t 0 && test -t 1 && echo is-terminal; "
                + "while true; do read line; echo \"got $line\"; done"
            let session = try await open(
                swarm, made, Command(["sh", "-c", script]),
                terminal: TerminalSize(rows: 33, columns: 111))
            #expect(try await read(session, until: "is-terminal\r\n") == "is-terminal\r\n")
            try await session.write(Array("word\r".utf8))
            #expect(try await read(session, until: "got word").contains("word\r\ngot word"))
            try await session.resize(TerminalSize(rows: 44, columns: 122))
            try await session.write([3])
            let end = try await finish(session)
            #expect(end.code == 7)
            #expect(end.out.contains("caught"))
            #expect(end.error.isEmpty)
        }
    }

    @Test("a terminal's size is the command's to ask, before and after a change")
    func size() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let session = try await open(
                swarm, made,
                Command(["sh", "-c", "while read x; do busybox stty size; done"]),
                terminal: TerminalSize(rows: 33, columns: 111))
            try await session.write([13])
            _ = try await read(session, until: "33 111")
            try await session.resize(TerminalSize(rows: 44, columns: 122))
            // Podman says that it is done, and does it a little later.
            var seen = ""
            while !seen.contains("44 122") {
                try await session.write([13])
                seen += try await read(session, until: "\r\n")
            }
            // Ctrl-D.
            try await session.write([4])
            #expect(try await finish(session).code == 0)
        }
    }

    @Test("a command runs as the user that is asked for")
    func user() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let command = Command(["id", "-u"], user: "1234")
            #expect(try await finish(open(swarm, made, command)).out == "1234\n")
            let result = try await swarm.provider.executeCommand(made.reference, command)
            #expect(String(decoding: result.standardOutput, as: UTF8.self) == "1234\n")
        }
    }

    @Test("a command that is not there is a session that ends so")
    func notFound() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let end = try await finish(open(swarm, made, Command(["no-such-command"])))
            #expect([126, 127].contains(end.code))
            #expect((end.out + end.error).contains("no-such-command"))
        }
    }

    @Test("what is not running has no sessions")
    func stopped() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            try await swarm.provider.stopInstance(made.reference, force: true)
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.openSession(
                    made.reference, SessionRequest(Command(["cat"])))
            }
            #expect(failure.error?.code == .wrongState)
        }
    }

    @Test("a session that is let go of ends the command's input")
    func closed() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let script = "echo here; cat > /tmp/all; touch /tmp/ended"
            let session = try await open(swarm, made, Command(["sh", "-c", script]))
            _ = try await read(session, until: "here")
            await session.close()
            let wait = "while ! test -f /tmp/ended; do sleep 0.05; done"
            let result = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", wait], timeout: .seconds(60)))
            #expect(result.exitCode == 0)
        }
    }
}

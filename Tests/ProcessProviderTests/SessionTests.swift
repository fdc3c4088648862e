import Glibc
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite("Sessions of processes", .timeLimit(.minutes(5)))
struct SessionTests {
    private func open(
        _ bench: Bench, _ instance: VSCodeInstance, _ command: Command,
        terminal: TerminalSize? = nil, takesInput: Bool = true
    ) async throws -> any InteractiveSession {
        try await bench.provider.openSession(
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
        try await Bench.run { bench in
            let made = try await bench.create("alice") { $0.env = ["OWN": "own"] }
            let session = try await open(
                bench, made,
                Command(
                    ["sh", "-c", "cat; echo $OWN $EXTRA $PWD; echo wrong >&2; exit 42"],
                    environment: ["EXTRA": "more"], workingDirectory: "/usr"))
            try await session.write(Array("hi\n".utf8))
            try await session.closeInput()
            #expect(try await finish(session) == (42, "hi\nown more /usr\n", "wrong\n"))
        }
    }

    @Test("megabytes go in and come out as they are")
    func large() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let session = try await open(bench, made, Command(["cat"]))
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
        }
    }

    @Test("a terminal has the size that it is told, echoes, and passes Ctrl-C to the command")
    func terminal() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let script =
                "trap 'echo caught; exit 7' INT; stty size; "
                + "while true; do read line; echo \"got $line\"; stty size; done"
            let session = try await open(
                bench, made, Command(["sh", "-c", script]),
                terminal: TerminalSize(rows: 33, columns: 111))
            _ = try await read(session, until: "33 111\r\n")
            try await session.resize(TerminalSize(rows: 44, columns: 122))
            try await session.write(Array("word\r".utf8))
            let seen = try await read(session, until: "44 122")
            #expect(seen.contains("word\r\ngot word"))
            try await session.write([3])
            let end = try await finish(session)
            #expect(end.code == 7)
            #expect(end.out.contains("caught"))
        }
    }

    @Test("the end of a terminal's input is the end of a file for the command")
    func terminalInputEnds() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let session = try await open(
                bench, made, Command(["sh", "-c", "stty -echo; echo go; cat; echo done"]),
                terminal: TerminalSize(rows: 24, columns: 80))
            _ = try await read(session, until: "go\r\n")
            try await session.closeInput()
            #expect(try await finish(session).out == "done\r\n")
        }
    }

    @Test("what a command leaves running does not hold the session up")
    func leftRunning() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let session = try await open(
                bench, made, Command(["sh", "-c", "sleep 1000 & echo started"]))
            #expect(try await finish(session) == (0, "started\n", ""))
        }
    }

    @Test("a session that is let go of ends the command and all that it started")
    func closed() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let session = try await open(
                bench, made, Command(["sh", "-c", "sleep 1000 & echo here; wait"]))
            _ = try await read(session, until: "here")
            let run = try JSONFile.read(LaunchFile.self, at: try bench.files(made).launch).run
            #expect(ProcessTable.pids(withVariable: LaunchFile.marker, run).count == 3)
            await session.close()
            #expect(try await session.exitCode() == 137)
            let left = ProcessTable.pids(withVariable: LaunchFile.marker, run)
            #expect(left == [try bench.run(made).child?.pid])
        }
    }

    @Test("input that nobody reads is refused when the command has ended")
    func unread() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let session = try await open(bench, made, Command(["true"]))
            #expect(try await session.exitCode() == 0)
            _ = await failure(.wrongState) { () async throws(ProviderFailure) in
                try await session.write([UInt8](repeating: 0, count: 1 << 20))
            }
        }
    }

    @Test("a command gets no descriptor of pal's, and no other user")
    func narrow() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let script = "for f in /proc/$$/fd/*; do echo ${f##*/}; done"
            let session = try await open(bench, made, Command(["bash", "-c", script]))
            let open = try await finish(session).out.split(separator: "\n")
            #expect(Set(open).subtracting(["3", "255"]) == ["0", "1", "2"])
            let message = await failure(.invalidConfig) { () async throws(ProviderFailure) in
                try await bench.provider.executeCommand(
                    made.reference, Command(["true"], user: "nobody-of-that-name"))
            }
            #expect(message?.contains("nobody-of-that-name") == true)
            let own = try await bench.provider.executeCommand(
                made.reference, Command(["true"], user: String(getuid())))
            #expect(own.exitCode == 0)
        }
    }

    @Test("a program that is not there is exit code 127")
    func missing() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let end = try await finish(open(bench, made, Command(["no-such-program"])))
            #expect(end.code == 127)
            #expect(end.error.contains("no-such-program"))
        }
    }
}

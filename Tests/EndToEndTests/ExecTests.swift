import Foundation
import Glibc
import TestSupport
import Testing

@Suite("pal exec", .needsDockerEngine, .timeLimit(.minutes(10)))
struct ExecTests {
    private func with(
        _ platform: Scene.Platform, _ body: (Scene) async throws -> Void
    ) async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            try scene.write("alice.yaml", scene.spec("alice", platform))
            try await scene.apply()
            try await body(scene)
        }
    }

    private func terminal(
        _ scene: Scene, _ command: String...
    ) throws -> TerminalProgram {
        try TerminalProgram(
            ["exec", "-it", "alice", "--", "sh", "-c"] + command,
            environment: scene.environment, directory: scene.root, rows: 33, columns: 111)
    }

    @Test("with -i a pipe reaches the command", arguments: Scene.Platform.allCases)
    func pipe(platform: Scene.Platform) async throws {
        try await with(platform) { scene in
            let script =
                "(echo hi; cat /bin/busybox) | '\(PalProgram.pal)' exec -i alice "
                + "--env A=b --workdir /tmp -- sh -c 'cat; echo \"$A $PWD\" >&2; exit 5' > out; "
                + "echo $? > code"
            let outcome = try await PalProgram.run(
                ["-c", script], program: "/bin/sh", environment: scene.environment,
                directory: scene.root)
            #expect(outcome.err == "b /tmp\n")
            let sent = Data("hi\n".utf8) + (try Data(contentsOf: URL(filePath: "/bin/busybox")))
            #expect(try Data(contentsOf: URL(filePath: scene.root + "/out")) == sent)
            #expect(try String(contentsOfFile: scene.root + "/code", encoding: .utf8) == "5\n")
        }
    }

    @Test(
        "with -it the command has the terminal: its size, its keys, Ctrl-C",
        arguments: Scene.Platform.allCases)
    func atTerminal(platform: Scene.Platform) async throws {
        try await with(platform) { scene in
            let program = try terminal(
                scene,
                "trap 'echo caught; exit 7' INT; echo ready; "
                    + "while true; do read x; busybox stty size; echo $TERM; done")
            try await program.read(until: "ready")
            #expect(program.isRaw)
            try await press(program, until: "33 111\r\nxterm")
            program.resize(rows: 44, columns: 122)
            try await press(program, until: "44 122\r\nxterm")
            program.type("\u{3}")
            #expect(await program.end() == 7)
            #expect(program.isRestored)
        }
    }

    /// Presses the return key until the text is shown: a size has a way of its own to the command.
    private func press(_ program: TerminalProgram, until text: String) async throws {
        var seen = ""
        for _ in 0..<600 where !seen.contains(text) {
            program.type("\r")
            seen = try await program.read(until: "xterm")
        }
        #expect(seen.contains(text))
    }

    @Test("a signal to pal leaves the terminal as it was", arguments: [SIGTERM, SIGHUP, SIGINT])
    func signalled(number: Int32) async throws {
        try await with(.process) { scene in
            let program = try terminal(scene, "echo here; exec sleep 1000")
            try await program.read(until: "here")
            #expect(program.isRaw)
            program.signal(number)
            #expect(await program.end() == 128 + number)
            #expect(program.isRestored)
        }
    }

    @Test("-t needs a terminal, and what cannot run says so with exit code 1")
    func refused() async throws {
        try await with(.process) { scene in
            let tty = try await scene.pal("exec", "-it", "alice", "--", "true")
            #expect(tty.code == 1)
            #expect(tty.err.contains("leave out -t"))
            let user = try await scene.pal("exec", "-i", "-u", "somebody", "alice", "--", "true")
            #expect(user.code == 1)
            #expect(user.err.contains("not as 'somebody'"))
            let late = try await scene.pal(
                "exec", "-i", "--timeout", "1s", "alice", "--", "sleep", "1000")
            #expect(late.code == 1)
            #expect(late.err.contains("longer than 1s"))
            let pair = try await scene.pal("exec", "--env", "secret", "alice", "--", "true")
            #expect(pair.code == 64)
            #expect(!pair.err.contains("secret"))
        }
    }
}

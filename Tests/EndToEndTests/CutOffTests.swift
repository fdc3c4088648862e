import Foundation
import PalHTTP
import TestSupport
import Testing

/// What hangs on the Engine by a connection of its own: it ends with it, says why, and can be had
/// again.
@Suite("What an Engine's death cuts off", .needsKillableEngine, .timeLimit(.minutes(10)))
struct CutOffTests {
    /// A scene with one instance on an Engine of its own.
    private func play(
        _ more: String = "", _ body: (Scene, any KillableEngine, DockerEngine) async throws -> Void
    ) async throws {
        let engine: any KillableEngine = DockerEngine.isPodman ? OwnPodman() : try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        let docker = DockerEngine(socket: engine.socket)
        try await Scene.play { plain in
            let scene = plain.with([
                "DOCKER_HOST": "unix://\(engine.socket)", "TMPDIR": plain.root + "/tmp",
            ])
            // Where what is copied goes through.
            try FileManager.default.createDirectory(
                atPath: scene.root + "/tmp", withIntermediateDirectories: true)
            try scene.write("alice.yaml", "name: alice\nimage: \(BusyboxImage.name)\n\(more)")
            try await scene.apply()
            try await body(scene, engine, docker)
            try await docker.removeEverything(of: scene.swarm)
        }
    }

    private func comeBack(_ engine: any KillableEngine, _ scene: Scene) async throws {
        try await engine.bury()
        try await engine.start()
        try await scene.apply()
    }

    @Test func aCommandSaysSo() async throws {
        try await play { scene, engine, _ in
            let seconds = Int.random(in: 100_000_000...999_999_999)
            async let command = scene.pal("exec", "alice", "--", "sleep", "\(seconds)")
            try await scene.eventually("the command runs") { _ in
                try FileManager.default.contentsOfDirectory(atPath: "/proc").contains {
                    FileManager.default.contents(atPath: "/proc/\($0)/cmdline")
                        == Data("sleep\u{0}\(seconds)\u{0}".utf8)
                }
            }
            engine.killer()
            let cut = try await command
            #expect(cut.code == 1 && cut.err.contains("Docker"), "\(cut)")
            try await comeBack(engine, scene)
            let again = try await scene.pal("exec", "alice", "--", "echo", "here")
            #expect(again.out == "here\n", "\(again)")
        }
    }

    @Test(arguments: [true, false]) func aCopySaysSo(_ isInwards: Bool) async throws {
        try await play { scene, engine, _ in
            let volume = engine.volumes + "/pal_\(scene.swarm)_alice_home/_data"
            let file = isInwards ? scene.root + "/big" : volume + "/big"
            // Nothing but holes, which cost time to copy and no room to keep.
            #expect(FileManager.default.createFile(atPath: file, contents: nil))
            let handle = try FileHandle(forWritingTo: URL(filePath: file))
            try handle.truncate(atOffset: 1 << 30)
            try handle.close()
            let (inside, copy) = ("alice:/home/coder/big", scene.root + "/copy")
            async let copied =
                isInwards ? scene.pal("cp", file, inside) : scene.pal("cp", inside, copy)
            try await scene.eventually("it is under way") { _ in
                isInwards
                    ? size(volume + "/big") > 0
                    : try FileManager.default.subpathsOfDirectory(atPath: scene.root + "/tmp")
                        .contains { size(scene.root + "/tmp/" + $0) > 1 << 20 }
            }
            engine.killer()
            let cut = try await copied
            #expect(cut.code == 1 && cut.err.contains("Docker"), "\(cut)")
            #expect(isInwards || size(copy) == 0, "half of it is no copy")
            try await comeBack(engine, scene)
            try "whole".write(toFile: scene.root + "/small", atomically: true, encoding: .utf8)
            let again = try await scene.pal("cp", scene.root + "/small", inside)
            #expect(again.code == 0, "\(again)")
            let read = try await scene.pal("exec", "alice", "--", "cat", "/home/coder/big")
            #expect(read.out == "whole", "\(read)")
        }
    }

    /// No line from before the Engine's death comes again, and none of those after it is missing.
    @Test func aLogThatIsFollowedGoesOnWithEachLineOnce() async throws {
        let count =
            "n=0; while true; do n=$((n+1)); "
            + "echo line $(cat /proc/sys/kernel/random/uuid) $n; sleep 0.1; done"
        try await play("editor: custom\ncommand: [sh, -c, \"\(count)\"]\n") { scene, engine, _ in
            let log = scene.root + "/followed"
            let following = try PalProgram.start(
                ["logs", "alice", "--follow"], environment: scene.environment,
                directory: scene.root, log: log)
            defer {
                following.terminate()
                following.waitUntilExit()
            }
            func lines() throws -> [String] {
                try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
                    .map(String.init).filter { $0.hasPrefix("line ") }
            }
            try await scene.eventually("it is followed") { _ in try lines().count > 5 }
            engine.killer()
            try await comeBack(engine, scene)
            let before = try lines().count
            try await scene.eventually("it goes on") { _ in try lines().count > before + 10 }
            let all = try lines()
            #expect(Set(all).count == all.count, "a line came twice")
            let numbers = all.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
            // It begins anew where the container did.
            let gaps = zip(numbers, numbers.dropFirst()).filter { $1 != $0 + 1 && $1 != 1 }
            #expect(gaps.isEmpty, "\(gaps)")
        }
    }

    private func size(_ path: String) -> Int {
        let found = try? FileManager.default.attributesOfItem(atPath: path)
        return found?[.size] as? Int ?? 0
    }
}

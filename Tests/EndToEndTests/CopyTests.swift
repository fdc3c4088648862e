import Foundation
import Glibc
import TestSupport
import Testing

/// `pal cp`, with the built program, on every platform.
@Suite("Copying", .timeLimit(.minutes(10)))
struct CopyTests {
    enum Platform: String, CaseIterable, CustomTestStringConvertible {
        case process, docker, podman
        var testDescription: String { rawValue }
        var isHere: Bool {
            switch self {
            case .process: true
            case .docker: DockerEngine.isHere
            case .podman: Podman.isHere
            }
        }
    }

    private static let platforms = Platform.allCases.filter(\.isHere)

    /// A scene with one instance and a directory inside; without that where the spec says more.
    private func play(
        _ platform: Platform, _ more: String = "", _ body: (Scene, String) async throws -> Void
    ) async throws {
        if platform == .docker { try await BusyboxImage.ensure() }
        if platform == .podman { try await Podman.ensureImage() }
        try await Scene.play { plain in
            let isPodman = platform == .podman
            let here = plain.with(["TMPDIR": plain.root + "/tmp"])
            let scene = isPodman ? here.with(["DOCKER_HOST": Podman.host]) : here
            let image = isPodman ? Podman.image : BusyboxImage.name
            try scene.write(
                "alice.yaml",
                platform == .process
                    ? scene.spec("alice", .process) : "name: alice\nimage: \(image)\n\(more)")
            try await scene.apply()
            // Where what is copied goes through, and is removed again.
            try FileManager.default.createDirectory(
                atPath: scene.root + "/tmp", withIntermediateDirectories: true)
            let inside = platform == .process ? scene.root + "/inside" : "/home/coder/inside"
            if more.isEmpty {
                let made = try await scene.pal(
                    "exec", "alice", "--", "sh", "-c", "mkdir \(inside)")
                #expect(made.code == 0, "\(made)")
            }
            try put(scene, "src/a file", "one")
            try put(scene, "src/sub/two", "two")
            try await body(scene, inside)
        }
    }

    private func put(_ scene: Scene, _ path: String, _ text: String) throws {
        let full = scene.root + "/" + path
        try FileManager.default.createDirectory(
            atPath: URL(filePath: full).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try text.write(toFile: full, atomically: true, encoding: .utf8)
    }

    private func text(_ scene: Scene, _ path: String) -> String? {
        try? String(contentsOfFile: scene.root + "/" + path, encoding: .utf8)
    }

    @Test(arguments: platforms)
    func aDirectoryGoesInAndComesOutAsItWas(_ platform: Platform) async throws {
        try await play(platform) { scene, inside in
            func copied(_ from: String, _ to: String) async throws {
                let run = try await scene.pal("cp", from, to)
                #expect(run.code == 0 && run.out.isEmpty && run.err.isEmpty, "\(run)")
            }
            try await copied("src", "alice:\(inside)")
            try await copied("src", "alice:\(inside)/renamed")
            try await copied("src/.", "alice:\(inside)/renamed/sub")
            try await copied("src/a file", "alice:\(inside)/b, & c")
            let linked = try await scene.pal(
                "exec", "alice", "--", "sh", "-c", "ln -s \(inside)/src \(inside)/link")
            #expect(linked.code == 0, "\(linked)")
            try await copied("src/a file", "alice:\(inside)/link/c")
            try await copied("src/a file", "alice:\(inside)/link")
            try await copied("alice:\(inside)/src/c", "through-a-link")
            #expect(text(scene, "through-a-link") == "one")
            try await copied("alice:\(inside)/src", "out")
            #expect(text(scene, "out/a file") == "one")
            #expect(text(scene, "out/sub/two") == "two")
            try await copied("alice:\(inside)/renamed", "out")
            #expect(text(scene, "out/renamed/sub/sub/two") == "two")
            try await copied("alice:\(inside)/src/.", "contents")
            #expect(text(scene, "contents/sub/two") == "two")
            try await copied("alice:\(inside)/b, & c", "single")
            #expect(text(scene, "single") == "one")
            #expect(try FileManager.default.contentsOfDirectory(atPath: scene.root + "/tmp") == [])
        }
    }

    @Test(arguments: platforms)
    func whatCannotBeCopiedIsSaidAndLeavesNothing(_ platform: Platform) async throws {
        try await play(platform) { scene, inside in
            func refused(_ from: String, _ to: String, _ words: String, code: Int32 = 1)
                async throws
            {
                let run = try await scene.pal("cp", from, to)
                #expect(run.code == code, "\(run)")
                #expect(run.err.contains(words), "\(run)")
            }
            try await refused("alice:\(inside)/gone", "out", "there is no \(inside)/gone")
            try await refused("alice:\(inside)/gone/.", "out", "there is no directory")
            try await refused("alice:\(inside)", "src/a file", "is not a directory")
            #expect(text(scene, "src/a file") == "one")
            try await refused("src", "alice:\(inside)/no/where", "make it first")
            try await refused("src/a file/.", "alice:\(inside)", "is not a directory")
            try await refused("gone", "alice:\(inside)", "there is no gone")
            try await refused("bob:/x", ".", "no instance is named 'bob'")
            try await refused("alice:x", ".", "must be absolute", code: 64)
            try await refused("src", "other", "must be NAME:PATH", code: 64)
            let copied = try await scene.pal("cp", "src/a file", "alice:\(inside)/file")
            #expect(copied.code == 0, "\(copied)")
            try await refused("src", "alice:\(inside)/file", "is not a directory")
            #expect(!FileManager.default.fileExists(atPath: scene.root + "/out"))
        }
    }

    /// The Engine was asked to give them to the container's user, and refused one that its host
    /// does not know, as those of editors' images are.
    @Test(arguments: platforms.filter { $0 != .process })
    func ownersKeepTheirNumbersWhoeverTheContainersUserIs(_ platform: Platform) async throws {
        try await play(platform, "specific: { user: \"1000:1000\" }\n") { scene, _ in
            let own = geteuid() == 0 ? (1234, 1235) : (Int(geteuid()), Int(getegid()))
            for path in ["src", "src/a file", "src/sub", "src/sub/two"] {
                chown(scene.root + "/" + path, uid_t(own.0), gid_t(own.1))
            }
            let copied = try await scene.pal("cp", "src", "alice:/tmp")
            #expect(copied.code == 0, "\(copied)")
            let listed = try await scene.pal("exec", "alice", "--", "ls", "-ln", "/tmp/src")
            let owners = listed.out.split(separator: "\n").dropFirst().map {
                $0.split(separator: " ")[2...3].joined(separator: ":")
            }
            #expect(owners == ["\(own.0):\(own.1)", "\(own.0):\(own.1)"], "\(listed)")
        }
    }

    @Test(.needsDockerEngine) func whatIsStoppedIsCopiedToAndFrom() async throws {
        try await play(.docker) { scene, inside in
            for command in [
                ["stop", "alice"], ["cp", "src/a file", "alice:\(inside)/file"],
                ["cp", "alice:\(inside)/file", "back"],
            ] {
                let run = try await PalProgram.run(
                    command, environment: scene.environment, directory: scene.root)
                #expect(run.code == 0, "\(run)")
            }
            #expect(text(scene, "back") == "one")
        }
    }
}

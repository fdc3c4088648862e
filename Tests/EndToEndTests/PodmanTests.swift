import Foundation
import PalModel
import TestSupport
import Testing

/// The docker provider on Podman's service, with the built program: what differs from an Engine.
@Suite("Podman", .needsPodman, .timeLimit(.minutes(10)))
struct PodmanTests {
    private func play(_ body: (Scene) async throws -> Void) async throws {
        try await Podman.ensureImage()
        try await Scene.play { scene in
            try await body(scene.with(["DOCKER_HOST": Podman.host]))
        }
    }

    private func spec(_ name: String, _ more: String = "") -> String {
        """
        name: \(name)
        image: \(Podman.image)
        onDelete: delete
        \(more)

        """
    }

    /// It labels no volume that it makes along with a container, so that nobody's storage stood
    /// there at the next creation.
    @Test func aSwarmComesAndGoesWithAllThatBelongsToIt() async throws {
        try await play { scene in
            try scene.write("alice.yaml", spec("alice"))
            try await scene.apply()
            let status = try await scene.status()
            let alice = try #require(status["alice"])
            #expect(alice.ready)
            let text = try await scene.pal("status", "alice", "-o", "json").out
            #expect(text.contains(#""used""#), "what it uses is told: \(text)")
            #expect(try await Podman.leftovers(of: scene.swarm).allSatisfy { $0 > 0 })
            #expect(try await scene.pal("plan").out == "Nothing to change.\n")
            try scene.remove("alice.yaml")
            try scene.write("other.yaml", spec("other", "state: absent"))
            try await scene.apply()
            #expect(try await Podman.leftovers(of: scene.swarm) == [0, 0, 0])
        }
    }

    /// Before 5.1 there is no call for it: an update was tried that cannot be, and an editor that
    /// was not to be interrupted unasked would have been.
    @Test func aLimitIsChangedByAReplacementThatKeepsTheHome() async throws {
        try await play { scene in
            try scene.write("alice.yaml", spec("alice", "resources: { memory: { max: 128 } }"))
            try await scene.apply()
            let first = try await scene.status()["alice"]?.instance?.providerInstanceId
            let kept = try await scene.pal(
                "exec", "alice", "--", "sh", "-c", "echo work > /home/coder/unsaved")
            #expect(kept.code == 0, "\(kept)")
            try scene.write(
                "alice.yaml",
                spec("alice", "resources: { memory: { max: 256 } }\ndisruption: approve"))
            let plan = try await scene.pal("plan")
            #expect(plan.out.contains("'pal approve alice' lets it happen"), "\(plan)")
            #expect(try await scene.pal("apply").code != 0)
            #expect(try await scene.status()["alice"]?.instance?.providerInstanceId == first)
            #expect(try await scene.pal("approve", "alice").code == 0)
            let after = try #require(try await scene.status()["alice"]?.instance)
            #expect(after.providerInstanceId != first)
            let limit = try await scene.pal(
                "exec", "alice", "--", "sh", "-c",
                "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes")
            #expect(limit.out == "\(256 << 20)\n", "\(limit)")
            let seen = try await scene.pal("exec", "alice", "--", "cat", "/home/coder/unsaved")
            #expect(seen.out == "work\n", "\(seen)")
        }
    }

    /// Without systemd nobody runs it, and what had nothing else to be asked was never ready.
    @Test func theCheckOfAnImageIsRunWhereNothingElseCanBeAsked() async throws {
        try await play { scene in
            let image = "localhost/checked-\(scene.swarm):latest"
            try await Podman.build(
                image, "HEALTHCHECK CMD wget -q -O- http://127.0.0.1:8080/healthz")
            try scene.write(
                "alice.yaml",
                """
                name: alice
                image: \(image)
                editor: custom
                onDelete: delete
                """)
            try await scene.apply()
            #expect(try await scene.status()["alice"]?.ready == true)
        }
    }

    @Test func aStoppedInstanceRunsNoCommandAndStartsAgain() async throws {
        try await play { scene in
            try scene.write("alice.yaml", spec("alice"))
            try await scene.apply()
            #expect(try await scene.pal("stop", "alice").code == 0)
            let refused = try await scene.pal("exec", "alice", "--", "true")
            #expect(refused.err.contains("does not run"), "\(refused)")
            #expect(try await scene.pal("start", "alice").code == 0)
            #expect(try await scene.status()["alice"]?.ready == true)
        }
    }

    /// Its times of lines are whole seconds.
    @Test func linesAreFollowedOverARestartWithoutGapsOrRepeats() async throws {
        try await play { scene in
            let script =
                "trap exit TERM; i=0; while true; do i=$((i+1)); echo line $i; sleep 0.1; done"
            try scene.write(
                "alice.yaml",
                spec("alice", "editor: custom\ncommand: [sh, -c, \"\(script)\"]"))
            try await scene.apply()
            let log = scene.root + "/follow"
            let follower = try PalProgram.start(
                ["logs", "alice", "--follow"], environment: scene.environment,
                directory: scene.root, log: log)
            defer { follower.terminate() }
            try await scene.eventually("lines come") { _ in lines(log).count > 15 }
            #expect(try await scene.pal("restart", "alice").code == 0)
            try await scene.eventually("lines of the second run come") { _ in
                lines(log).lastIndex(of: "line 1").map { lines(log).count - $0 > 15 } ?? false
                    && lines(log).first == "line 1"
            }
            let all = lines(log)
            let second = try #require(all.lastIndex(of: "line 1"))
            #expect(second > 0)
            for (index, line) in all[..<second].enumerated() {
                #expect(line == "line \(index + 1)")
            }
            for (index, line) in all[second...].enumerated() {
                #expect(line == "line \(index + 1)")
            }
        }
    }

    private func lines(_ path: String) -> [String] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
            .dropLast(text.hasSuffix("\n") ? 0 : 1)
    }

    @Test func whatIsRemovedBehindPalsBackComesBack() async throws {
        try await play { scene in
            try scene.write("alice.yaml", spec("alice"))
            try await scene.running {
                let made = try await scene.eventually("alice is ready") {
                    $0["alice"]?.ready == true
                }
                let id = try #require(made["alice"]?.instance?.providerInstanceId)
                try await Podman.call("DELETE", "/containers/\(id)?force=1")
                try await scene.eventually("alice is ready again") {
                    $0["alice"]?.ready == true
                        && $0["alice"]?.instance?.providerInstanceId != id
                }
                try scene.remove("alice.yaml")
                try await scene.eventually("alice is gone") { $0["alice"] == nil }
            }
        }
    }

    /// A name that is taken is answered with 500 there.
    @Test func aForeignContainerOfTheNameIsLeftAloneAndSaid() async throws {
        try await play { scene in
            let name = "pal_\(scene.swarm)_alice"
            let made = try await Podman.call(
                "POST", "/containers/create?name=\(name)",
                body: Array(#"{"Image": "\#(Podman.image)"}"#.utf8))
            #expect(made == 201)
            try scene.write("alice.yaml", spec("alice"))
            let applied = try await scene.pal("apply")
            #expect(applied.code == 1, "\(applied)")
            let why = try await scene.pal("why", "alice")
            #expect(why.out.contains("which is not pal's"), "\(why)")
            let left = try await Podman.call("GET", "/containers/\(name)/json")
            #expect(left == 200)
            try await Podman.call("DELETE", "/containers/\(name)?force=1")
        }
    }
}

import Foundation
import PalHTTP
import TestSupport
import Testing

/// What happens at a real Engine behind pal's back.
@Suite("On Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct DockerRepairTests {
    private func playing(
        _ more: String = "", _ body: (Scene) async throws -> Void
    ) async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            try scene.write("alice.yaml", scene.spec("alice", .docker, more))
            try await scene.running {
                try await scene.eventually("ready") { $0["alice"]?.ready == true }
                try await body(scene)
            }
        }
    }

    private func container(_ scene: Scene) async throws -> DockerEngine.Container? {
        try await DockerEngine.shared.containers(swarm: scene.swarm).first
    }

    @Test(.needsChangesOfLimits)
    func aMemoryChangeKeepsTheContainer() async throws {
        try await playing("resources: { memory: { max: 64 } }") { scene in
            let before = try await container(scene)
            try scene.write(
                "alice.yaml", scene.spec("alice", .docker, "resources: { memory: { max: 96 } }"))
            try await scene.eventually("updated") { _ in
                try await scene.pal("events", "alice").out.contains("Updated")
            }
            #expect(try await container(scene)?.Id == before?.Id)
        }
    }

    @Test func anEnvironmentChangeReplacesAndKeepsTheVolume() async throws {
        try await playing { scene in
            let before = try await container(scene)
            let write = try await scene.pal(
                "exec", "alice", "--", "sh", "-c", "echo work > /home/coder/unsaved")
            #expect(write.code == 0, "\(write)")
            try scene.write("alice.yaml", scene.spec("alice", .docker, "env: { A: b }"))
            try await scene.eventually("replaced") {
                $0["alice"]?.generation == 2 && $0["alice"]?.ready == true
            }
            #expect(try await container(scene)?.Id != before?.Id)
            let read = try await scene.pal("exec", "alice", "--", "cat", "/home/coder/unsaved")
            #expect(read.out == "work\n", "\(read)")
        }
    }

    @Test func whatOthersDeleteOrStopIsRepairedEachTime() async throws {
        try await playing { scene in
            for _ in 0..<4 {
                let before = try #require(try await container(scene))
                try await DockerEngine.shared.call(
                    "DELETE", "/containers/\(before.Id)?force=1&v=1")
                try await scene.eventually("made again") {
                    $0["alice"]?.ready == true
                        && $0["alice"]?.instance?.providerInstanceId != before.Id
                }
                let now = try #require(try await container(scene))
                try await DockerEngine.shared.call("POST", "/containers/\(now.Id)/stop")
                try await scene.eventually("started again") { _ in
                    try await container(scene)?.State == "running"
                }
            }
            let status = try await scene.eventually("ready at last") { $0["alice"]?.ready == true }
            #expect(status["alice"]?.has("Stalled") == false)
        }
    }

    @Test func aForeignContainerWithADeclaredNameIsNeverTouched() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            let name = "pal_\(scene.swarm)_alice"
            let body = #"{"Image": "\#(BusyboxImage.name)"}"#
            let made = try await DockerEngine.shared.call(
                "POST", "/containers/create?name=\(name)", body: Array(body.utf8))
            #expect(made.status == 201)
            try scene.write("alice.yaml", scene.spec("alice", .docker))
            let applied = try await scene.pal("apply")
            #expect(applied.code == 1)
            #expect(applied.out.contains("NameTaken") || applied.err.contains(name), "\(applied)")
            let still = try await DockerEngine.shared.call("GET", "/containers/\(name)/json")
            #expect(still.status == 200)
            try await DockerEngine.shared.call("DELETE", "/containers/\(name)?force=1")
        }
    }
}

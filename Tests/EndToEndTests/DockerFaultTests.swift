import Foundation
import Glibc
import PalHTTP
import TestSupport
import Testing

/// What goes wrong around a real Engine, with a controller beside it: each is said, nothing is
/// lost, and when the cause is gone all is as declared.
@Suite("Docker on a bad day", .needsDockerEngine, .timeLimit(.minutes(10)))
struct DockerFaultTests {
    private func playing(
        _ spec: (Scene) -> String = { $0.spec("alice", .docker) },
        variables: [String: String] = [:], _ body: (Scene) async throws -> Void
    ) async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { plain in
            let scene = plain.with(variables)
            try scene.write("alice.yaml", spec(scene))
            try await scene.running { try await body(scene) }
        }
    }

    private func container(_ scene: Scene) async throws -> DockerEngine.Container {
        try #require(try await DockerEngine.shared.containers(swarm: scene.swarm).first)
    }

    @Test(
        .needsRoot, .notOnPodman("there it breaks the whole store"),
        .notWithContainerdStore("it removes a layer later, and tells nobody"))
    func aRemovalThatBreaksOffIsSaidAndEndedAndTheInstanceComesBack() async throws {
        try await playing { scene in
            try await scene.eventually("ready") { $0["alice"]?.ready == true }
            let wrote = try await scene.pal(
                "exec", "alice", "--", "sh", "-c", "echo work > /home/coder/unsaved")
            #expect(wrote.code == 0, "\(wrote)")
            let before = try await container(scene)
            let removal = try await BrokenRemoval(of: before.Id)
            try await scene.eventually("what Docker says is told") {
                $0["alice"]?.status == "deleting"
                    && $0["alice"]?.message("Failing")?.contains(removal.file) == true
            }
            try await removal.mend()
            try await scene.eventually("made anew") {
                $0["alice"]?.ready == true
                    && $0["alice"]?.instance?.providerInstanceId != before.Id
            }
            let read = try await scene.pal("exec", "alice", "--", "cat", "/home/coder/unsaved")
            #expect(read.out == "work\n", "\(read)")
        }
    }

    @Test func aPortThatAnotherProgramHoldsIsSaidAndUsedWhenItIsFree() async throws {
        let (descriptor, port) = try TestSocket.listenOnLoopback(backlog: 1)
        try await playing { scene in
            scene.spec(
                "alice", .docker,
                "network: { ports: [{ internal: 8080, external: \(port) }] }")
        } _: { scene in
            try await scene.eventually("the port is told, and what to do") {
                $0["alice"]?.message("Failing")?.contains(
                    "port \(port) on the host, which 'alice' fixes for 8080/tcp, is in use by "
                        + "something else; end that, or choose another") == true
            }
            #expect(try await DockerEngine.shared.containers(swarm: scene.swarm).isEmpty)
            close(descriptor)
            try await scene.eventually("ready") { $0["alice"]?.ready == true }
            let urls = try await scene.status()["alice"]?.instance?.network.urls
            #expect(urls == ["http://127.0.0.1:\(port)/"])
        }
    }

    @Test func aVolumeThatAnotherContainerUsesIsSaidAndGoesWhenItIsFree() async throws {
        try await playing {
            $0.spec("alice", .docker, "onDelete: delete")
        } _: { scene in
            try await scene.eventually("ready") { $0["alice"]?.ready == true }
            let volume = "pal_\(scene.swarm)_alice_home"
            let body =
                #"{"Image": "\#(BusyboxImage.name)", "HostConfig": {"Binds": ["\#(volume):/x"]}}"#
            let stranger = "stranger-\(scene.swarm)"
            let made = try await DockerEngine.shared.call(
                "POST", "/containers/create?name=\(stranger)", body: Array(body.utf8))
            #expect(made.status == 201)
            try scene.write(
                "alice.yaml", scene.spec("alice", .docker, "onDelete: delete\nstate: absent"))
            try await scene.eventually("who uses it is told") {
                $0["alice"]?.message("Failing")?.contains(
                    "'docker ps --all --filter volume=\(volume)' shows who by") == true
            }
            #expect(try await status(of: "/containers/\(stranger)/json") == 200)
            #expect(try await status(of: "/volumes/\(volume)") == 200)
            try await DockerEngine.shared.call("DELETE", "/containers/\(stranger)")
            _ = try await scene.pal("retry", "alice")
            try await scene.eventually("the volume is gone") { _ in
                try await status(of: "/volumes/\(volume)") == 404
            }
        }
    }

    @Test(.notOnPodman("without systemd it repeats no check of health"))
    func whatIsUnhealthyForAWhileIsSaidWithTheReasonAndStays() async throws {
        try await playing {
            $0.spec("alice", .docker, "health: { interval: 100ms, grace: 1ms }").replacing(
                "network: bridge",
                with: """
                    network: bridge, healthCheck: { retries: 1, command: \
                    "test ! -e /tmp/down || { echo no disk; exit 1; }" }
                    """)
        } _: { scene in
            try await scene.eventually("ready") { $0["alice"]?.ready == true }
            let before = try await container(scene).Id
            _ = try await scene.pal("exec", "alice", "--", "busybox", "touch", "/tmp/down")
            try await scene.eventually("it is said") { $0["alice"]?.ready == false }
            _ = try await scene.pal("exec", "alice", "--", "busybox", "rm", "/tmp/down")
            try await scene.eventually("ready again") { $0["alice"]?.ready == true }
            let events = try await scene.pal("events", "alice")
            #expect(
                events.out.contains("NotReady  its health check fails: no disk"), "\(events)")
            #expect(try await container(scene).Id == before)
        }
    }

    @Test func whatOthersPauseGoesOn() async throws {
        try await playing { scene in
            try await scene.eventually("ready") { $0["alice"]?.ready == true }
            let before = try await container(scene)
            try await DockerEngine.shared.call("POST", "/containers/\(before.Id)/pause")
            try await scene.eventually("it goes on") { _ in
                try await container(scene).State == "running"
            }
            try await scene.eventually("ready again") { $0["alice"]?.ready == true }
            #expect(try await container(scene).Id == before.Id)
            let events = try await scene.pal("events", "alice")
            #expect(events.out.contains("it is stopped (paused)"), "\(events)")
        }
    }

    @Test func whatIsHeldStoppedStaysSoThoughDockerWouldStartItAlways() async throws {
        try await playing {
            $0.spec("alice", .docker).replacing(
                "network: bridge", with: "network: bridge, restart: always")
        } _: { scene in
            try await scene.eventually("ready") { $0["alice"]?.ready == true }
            let stopped = try await scene.pal("stop", "alice")
            #expect(stopped.code == 0, "\(stopped)")
            let state = try await container(scene).State
            #expect(state == "exited")
            // Somebody starts it by hand: what is held stopped is stopped again.
            try await DockerEngine.shared.call(
                "POST", "/containers/\(try await container(scene).Id)/start")
            try await scene.eventually("stopped again") { _ in
                try await container(scene).State == "exited"
            }
            let started = try await scene.pal("start", "alice")
            #expect(started.code == 0, "\(started)")
            try await scene.eventually("ready again") { $0["alice"]?.ready == true }
        }
    }

    @Test(.needsRegistry) func aPullThatIsCutIsSaidAndMadeGood() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        relay.treat { $0.path.hasPrefix("/images/create") ? .cut(after: 400) : .pass }
        try await TestRegistry.run { registry in
            let image = try await registry.push("cut:1", megabytes: 2)
            try await playing(
                { _ in "name: alice\nimage: \(image)\nspecific: { network: bridge }\n" },
                variables: ["DOCKER_HOST": "unix://\(relay.path)"]
            ) { scene in
                try await scene.eventually("the cut is told") {
                    $0["alice"]?.message("Failing")?.contains(image) == true
                }
                relay.treat { _ in .pass }
                _ = try await scene.pal("retry", "alice")
                try await scene.eventually("ready") { $0["alice"]?.ready == true }
            }
        }
    }

    @Test(.needsRoot) func aDiskThatIsFullStopsEveryChangeUntilThereIsRoom() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            try FileManager.default.createDirectory(
                atPath: scene.state, withIntermediateDirectories: true)
            try await PalProgram.succeed(
                "/usr/bin/mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", scene.state)
            defer { umount2(scene.state, Int32(MNT_DETACH)) }
            try scene.write("alice.yaml", scene.spec("alice", .docker))
            try await scene.running {
                try await scene.eventually("ready") { $0["alice"]?.ready == true }
                let ballast = scene.state + "/ballast"
                fill(ballast)
                try scene.write("bob.yaml", scene.spec("bob", .docker))
                try await scene.eventually("the full disk is told, and bob tried again") { _ in
                    let said = try log(scene)
                    return said.contains(" is full; free some space")
                        && said.components(separatedBy: "bob: Creating").count > 3
                }
                #expect(try await DockerEngine.shared.containers(swarm: scene.swarm).count == 1)
                unlink(ballast)
                let said = try log(scene).split(separator: "\n").filter {
                    $0.contains("cannot save the record of 'bob'")
                }
                #expect(said.count <= 1, "said again and again: \(said)")
                try await scene.eventually("all is made good") {
                    $0["alice"]?.ready == true && $0["bob"]?.ready == true
                }
            }
        }
    }

    private func log(_ scene: Scene) throws -> String {
        try String(contentsOfFile: scene.root + "/controller.log", encoding: .utf8)
    }

    /// Takes all the room of a disk.
    private func fill(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 4096)
        while write(descriptor, page, page.count) > 0 {}
    }

    private func status(of path: String) async throws -> Int {
        try await DockerEngine.shared.call("GET", path).status
    }
}

import Foundation
import TestSupport
import Testing

/// Files come, change and go; instances follow. On real platforms, with the built program.
@Suite("Files become instances", .timeLimit(.minutes(10)))
struct LifeTests {
    private static let platforms: [Scene.Platform] =
        DockerEngine.isHere ? [.process, .docker] : [.process]

    private func prepared(_ platform: Scene.Platform) async throws {
        if platform == .docker { try await BusyboxImage.ensure() }
    }

    @Test(arguments: platforms)
    func droppingEditingAndRemovingAFile(_ platform: Scene.Platform) async throws {
        try await prepared(platform)
        try await Scene.play { scene in
            try await scene.running {
                try scene.write("alice.yaml", scene.spec("alice", platform))
                let made = try await scene.eventually("alice is ready") {
                    $0["alice"]?.ready == true
                }
                let url = try #require(made["alice"]?.instance?.network.urls.first)
                #expect(url.hasPrefix("http://127.0.0.1:"))
                try scene.write(
                    "alice.yaml", scene.spec("alice", platform, "env: { COLOUR: blue }"))
                try await scene.eventually("alice has the new environment") { status in
                    guard status["alice"]?.ready == true else { return false }
                    let seen = try await scene.pal(
                        "exec", "alice", "--", "sh", "-c", "echo $COLOUR")
                    return seen.out == "blue\n"
                }
                try scene.remove("alice.yaml")
                try await scene.eventually("alice is gone") { $0["alice"] == nil }
            }
        }
    }

    @Test(arguments: platforms)
    func severalDocumentsAndJSON(_ platform: Scene.Platform) async throws {
        try await prepared(platform)
        try await Scene.play { scene in
            try scene.write(
                "team/two.yaml",
                scene.spec("one", platform) + "---\n" + scene.spec("two", platform))
            let json =
                platform == .docker
                ? #"{"name": "three", "image": "\#(BusyboxImage.name)"}"#
                : #"{"name": "three", "provider": "process", "editor": "custom", "#
                    + #""command": ["sleep", "1000"]}"#
            try scene.write("three.json", json)
            let applied = try await scene.pal("apply")
            #expect(applied.code == 0, "\(applied)")
            let status = try await scene.status()
            #expect(status.instances.map(\.name) == ["one", "three", "two"])
            #expect(status.instances.allSatisfy { $0.ready })
            let plan = try await scene.pal("plan")
            #expect(plan.code == 0, "\(plan)")
            #expect(plan.out == "Nothing to change.\n")
        }
    }

    @Test(.needsDockerEngine)
    func theClassicExampleAsItStands() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            let workspace = scene.root + "/workspace"
            try FileManager.default.createDirectory(
                atPath: workspace, withIntermediateDirectories: true)
            try "hello".write(toFile: workspace + "/file", atomically: true, encoding: .utf8)
            try scene.write(
                "vscode-instance.yaml",
                """
                name: vscode-instance
                provider: docker
                workspacePath: \(workspace)
                image: \(BusyboxImage.name)
                resources:
                  cpu: { cores: 2 }
                  memory: { min: 1024, max: 2048 }
                  storage: { size: 10, persistent: true }
                network: { port: 8080 }
                env: { NODE_ENV: development }
                """)
            let plan = try await scene.pal("plan")
            #expect(plan.code == 2, "\(plan)")
            #expect(plan.out.contains("NotEnforced: resources.storage.size"), "\(plan)")
            let applied = try await scene.pal("apply")
            #expect(applied.code == 0, "\(applied)")
            let seen = try await scene.pal(
                "exec", "vscode-instance", "--", "sh", "-c", "cat /home/coder/project/file; env")
            #expect(seen.out.hasPrefix("hello"), "\(seen)")
            #expect(seen.out.contains("NODE_ENV=development"))
        }
    }

    @Test(arguments: platforms)
    func stopIsNotFoughtByTheRunningController(_ platform: Scene.Platform) async throws {
        try await prepared(platform)
        try await Scene.play { scene in
            try scene.write("alice.yaml", scene.spec("alice", platform))
            try await scene.running {
                try await scene.eventually("ready") { $0["alice"]?.ready == true }
                let stopped = try await scene.pal("stop", "alice")
                #expect(stopped.code == 0, "\(stopped)")
                let applied = try await scene.pal("apply")
                #expect(applied.code == 0, "\(applied)")
                let status = try await scene.status()
                #expect(status["alice"]?.status == "stopped")
                #expect(status["alice"]?.has("Held") == true)
                let started = try await scene.pal("start", "alice")
                #expect(started.code == 0, "\(started)")
                let running = try await scene.status()
                #expect(running["alice"]?.ready == true)
            }
        }
    }

    @Test(arguments: platforms)
    func theControllerEndsAndInstancesGoOn(_ platform: Scene.Platform) async throws {
        try await prepared(platform)
        try await Scene.play { scene in
            try scene.write("alice.yaml", scene.spec("alice", platform))
            let controller = try PalProgram.start(
                ["run"], environment: scene.environment, directory: scene.root,
                log: scene.root + "/log")
            let before = try await scene.eventually("ready") { $0["alice"]?.ready == true }
            for arguments in [["run"], ["run", "--once"]] {
                let second = try await PalProgram.run(
                    arguments, environment: scene.environment, directory: scene.root)
                #expect(second.code == 1)
                #expect(second.err.contains("pid \(controller.processIdentifier) on"), "\(second)")
            }
            controller.terminate()
            controller.waitUntilExit()
            #expect(controller.terminationStatus == 0)
            let after = try await scene.status()
            #expect(after.controller == nil)
            let plan = try await scene.pal("plan")
            #expect(plan.code == 0, "\(plan)")
            let again = try await scene.pal("apply")
            #expect(again.code == 0, "\(again)")
            let last = try await scene.status()
            #expect(
                last["alice"]?.instance?.providerInstanceId
                    == before["alice"]?.instance?.providerInstanceId)
        }
    }

    @Test(arguments: platforms)
    func aLostStateDirectoryPlansNoChange(_ platform: Scene.Platform) async throws {
        try await prepared(platform)
        try await Scene.play { scene in
            let limited = scene.spec("alice", platform, "resources: { memory: { max: 256 } }")
            try scene.write("alice.yaml", limited)
            try scene.write("bob.yaml", scene.spec("bob", platform))
            try await scene.apply()
            // A live change among them: the label says nothing of it.
            try scene.write(
                "alice.yaml", scene.spec("alice", platform, "resources: { memory: { max: 300 } }"))
            try await scene.apply()
            let before = try await scene.status()
            try FileManager.default.removeItem(atPath: scene.state)
            let plan = try await scene.pal("plan")
            #expect(plan.out == "Nothing to change.\n", "\(plan)")
            try await scene.apply()
            let after = try await scene.status()
            #expect(after.instances.map(\.id) == before.instances.map(\.id))
            #expect(
                after.instances.map(\.instance?.providerInstanceId)
                    == before.instances.map(\.instance?.providerInstanceId))
        }
    }
}

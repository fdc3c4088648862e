import Foundation
import PalHTTP
import TestSupport
import Testing

/// What people had before pal becomes specs, and goes on as it was.
@Suite("Import", .timeLimit(.minutes(10)))
struct ImportTests {
    /// A container as somebody runs it by hand. Returns its id.
    private func makeByHand(_ name: String, port: Int) async throws -> String {
        let body = """
            {"Image": "\(BusyboxImage.name)", "Env": ["COLOUR=red", "API_TOKEN=s3cret-\(port)"],
             "ExposedPorts": {"8080/tcp": {}},
             "HostConfig": {"Memory": 67108864, "NetworkMode": "bridge",
               "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "\(port)"}]}}}
            """
        let answer = try await DockerEngine.shared.call(
            "POST", "/containers/create?name=\(name)", body: Array(body.utf8))
        struct Made: Decodable { var Id: String }
        let id = try JSONDecoder().decode(Made.self, from: Data(answer.body)).Id
        try await DockerEngine.shared.call("POST", "/containers/\(id)/start")
        return id
    }

    @Test(.needsDockerEngine)
    func aContainerIsTakenOverAndReplacedOnlyByAChange() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            let port = Int.random(in: 18_400...19_900)
            let name = "hand-\(scene.swarm)"
            let id = try await makeByHand(name, port: port)
            let imported = try await scene.pal("import", "docker", name)
            #expect(imported.code == 0, "\(imported)")
            #expect(imported.err.contains("API_TOKEN looks like a secret: it goes into a file"))
            let file = "\(name).yaml"
            let spec = try String(contentsOfFile: "\(scene.specs)/\(file)", encoding: .utf8)
            #expect(spec.contains("adopt: \(id)") && !spec.contains("s3cret"), "\(spec)")

            let again = try await scene.pal("import", "docker", name)
            #expect(again.code == 1 && again.err.contains("are there already"), "\(again)")

            let plan = try await scene.pal("plan")
            #expect(plan.code == 0 && plan.out.hasSuffix("Nothing to change.\n"), "\(plan)")
            let applied = try await scene.pal("apply")
            #expect(applied.code == 0, "\(applied)")
            #expect(try await scene.status()[name]?.instance?.providerInstanceId == id)
            let said = try await scene.pal("exec", name, "--", "sh", "-c", "echo $COLOUR")
            #expect(said.out == "red\n", "\(said)")

            try (spec.replacingOccurrences(of: "red", with: "blue"))
                .replacingOccurrences(of: "disruption: approve\n", with: "")
                .write(toFile: "\(scene.specs)/\(file)", atomically: true, encoding: .utf8)
            let changed = try await scene.pal("apply")
            #expect(changed.code == 0, "\(changed)")
            let status = try await scene.status()
            let instance = try #require(status[name]?.instance)
            #expect(instance.providerInstanceId != id)
            #expect(instance.network.urls.first?.contains(":\(port)/") == true)
            #expect(try await scene.pal("plan").code == 0)
            let containers = try await DockerEngine.shared.containers(swarm: scene.swarm)
            #expect(containers.count == 1)
            try await DockerEngine.shared.call("DELETE", "/containers/\(id)?force=1")
        }
    }

    @Test func aComposeFileBecomesSpecsAndNothingIsDroppedSilently() async throws {
        try await Scene.play { scene in
            let file = scene.root + "/compose.yaml"
            try """
            services:
              web:
                image: example/editor
                container_name: mine
                environment: { PASSWORD: hunter2, A: "1" }
              other: { image: codercom/code-server }
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let printed = try await scene.pal("import", "compose", file, "--print")
            #expect(printed.code == 0, "\(printed)")
            #expect(printed.out.contains("name: web\n") && printed.out.contains("---\nname: other"))
            #expect(printed.err.contains("compose.yaml:4:5: container_name: not carried over"))
            #expect(!printed.out.contains("hunter2") && !printed.err.contains("hunter2"))
            #expect(printed.err.contains("/imported/web/PASSWORD is not written with --print"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: scene.specs) == [])

            let written = try await scene.pal("import", "compose", file, "web")
            #expect(written.code == 0, "\(written)")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: scene.specs) == ["web.yaml"])
            let secret = scene.root + "/data/pal/\(scene.swarm)/imported/web/PASSWORD"
            #expect(try String(contentsOfFile: secret, encoding: .utf8) == "hunter2")
            let mode = try FileManager.default.attributesOfItem(atPath: secret)[.posixPermissions]
            #expect(mode as? Int == 0o600)

            // The spec lies elsewhere now, and its instance lives by that secret.
            try FileManager.default.moveItem(
                atPath: scene.specs + "/web.yaml", toPath: scene.root + "/web.yaml")
            let again = try await scene.pal("import", "compose", file, "web")
            #expect(again.code == 1 && again.err.contains(secret), "\(again)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: scene.specs) == [])
        }
    }

    @Test func whatPalWouldRefuseIsSaidAtOnce() async throws {
        try await Scene.play { scene in
            let file = scene.root + "/compose.yaml"
            try """
            services:
              good: { image: a:1, hostname: my_box, stop_signal: sigint }
              bad: { image: a:1, cap_add: [net-admin] }
            """.write(toFile: file, atomically: true, encoding: .utf8)
            for more in [["--print"], []] {
                let made = try await PalProgram.run(
                    ["import", "compose", file] + more, environment: scene.environment,
                    directory: scene.root)
                #expect(made.code == 0, "\(made)")
                let refused = made.err.split(separator: "\n").filter { $0.contains("refuses") }
                #expect(refused.count == 1, "\(made.err)")
                let first = refused.first ?? ""
                #expect(first.contains("/bad.yaml:") && first.contains("such as SYS_PTRACE"))
            }
            let checked = try await scene.pal("validate")
            #expect(checked.code == 1 && !checked.out.contains("good"), "\(checked)")
        }
    }

    /// A volume as Compose leaves it behind, with somebody's work in it.
    private func makeVolume(_ name: String, project: String) async throws {
        let engine = DockerEngine.shared
        let labels = #"{"com.docker.compose.project": "\#(project)"}"#
        try await engine.call(
            "POST", "/volumes/create",
            body: Array(#"{"Name": "\#(name)", "Labels": \#(labels)}"#.utf8))
        let body = """
            {"Image": "\(BusyboxImage.name)", "Cmd": ["sh", "-c", "echo work > /data/unsaved"],
             "HostConfig": {"Binds": ["\(name):/data"], "NetworkMode": "none"}}
            """
        let writer = "writer-\(project)"
        try await engine.call(
            "POST", "/containers/create?name=\(writer)", body: Array(body.utf8))
        try await engine.call("POST", "/containers/\(writer)/start")
        try await engine.call("POST", "/containers/\(writer)/wait")
        try await engine.call("DELETE", "/containers/\(writer)?force=1")
    }

    @Test(.needsDockerEngine)
    func aComposeProjectGoesOnWithItsVolumeAndItsPort() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            let project = "p\(scene.swarm)"
            let port = Scene.port(project)
            try await makeVolume("\(project)_home", project: project)
            try """
            name: \(project)
            services:
              web:
                image: \(BusyboxImage.name)
                environment: { COLOUR: "${COLOUR:-red}", API_TOKEN: hunter2 }
                ports: ["127.0.0.1:\(port):8080"]
                volumes: ["home:/home/coder"]
                mem_limit: 64m
            volumes: { home: {} }
            """.write(
                toFile: scene.root + "/compose.yaml", atomically: true, encoding: .utf8)
            let imported = try await scene.pal("import", "compose", "compose.yaml")
            #expect(imported.code == 0, "\(imported)")
            let plan = try await scene.pal("plan")
            #expect(plan.code == 2 && plan.out.contains("1 to create"), "\(plan)")
            try await scene.apply()
            let after = try await scene.pal("plan")
            #expect(after.code == 0 && after.out.hasSuffix("Nothing to change.\n"), "\(after)")

            let status = try await scene.status()
            let web = try #require(status["web"])
            #expect(web.ready)
            #expect(web.instance?.network.urls.first?.contains(":\(port)/") == true)
            let seen = try await scene.pal(
                "exec", "web", "--", "sh", "-c",
                "cat /home/coder/unsaved; echo $COLOUR $API_TOKEN")
            #expect(seen.out == "work\nred hunter2\n", "\(seen)")
            let id = try #require(web.instance?.providerInstanceId)
            #expect(try await DockerEngine.shared.memory(of: id) == 64)

            // What Compose made is not pal's to delete.
            try scene.remove("web.yaml")
            try scene.write("other.yaml", scene.spec("other", .docker, "state: absent"))
            try await scene.apply()
            let volume = "/volumes/\(project)_home"
            #expect(try await DockerEngine.shared.call("GET", volume).status == 200)
            try await DockerEngine.shared.call("DELETE", volume)
        }
    }

    @Test func legacyStateFilesBecomeSpecs() async throws {
        try await Scene.play { scene in
            let directory = scene.root + "/vscode-instances"
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
            try #"{"id":"1","name":"alice","workspace_path":"/srv/a","port":8081}"#.write(
                toFile: directory + "/vscode-alice-1.json", atomically: true, encoding: .utf8)
            try "{".write(
                toFile: directory + "/broken.json", atomically: true, encoding: .utf8)
            let imported = try await scene.with(["DEFAULT_MEMORY_LIMIT": "2g"]).pal(
                "import", "legacy", directory)
            #expect(imported.code == 0, "\(imported)")
            #expect(imported.err.contains("broken.json: it is no JSON object"))
            let spec = try String(contentsOfFile: scene.specs + "/alice.yaml", encoding: .utf8)
            #expect(spec.contains("max: 2048") && spec.contains("external: 8081"), "\(spec)")
            #expect(try await scene.pal("validate").code == 0)
        }
    }
}

import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// Against images that behave as the real ones are documented to; see `EditorImages`.
@Suite("Extensions on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct ExtensionTests {
    private func withEditors(_ body: (TestSwarm) async throws -> Void) async throws {
        try await EditorImages.ensure()
        try await TestSwarm.run { swarm in try await body(swarm) }
    }

    private func config(_ swarm: TestSwarm, _ extensions: [String]) -> InstanceConfig {
        swarm.config("alice") {
            $0.image = EditorImages.codeServer
            $0.extensions = extensions
        }
    }

    private func inside(
        _ swarm: TestSwarm, _ instance: VSCodeInstance, _ script: String
    ) async throws -> String {
        let result = try await swarm.provider.executeCommand(
            instance.reference, Command(["sh", "-c", script]))
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    @Test("are there before the instance is ready, installed by the image's user")
    func installed() async throws {
        try await withEditors { swarm in
            let made = try await swarm.provider.createInstance(
                swarm.request(config(swarm, ["Golang.Go", "rust-lang.rust-analyzer@0.3.1"])))
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
            let list = try await inside(swarm, made, "code-server --list-extensions; id -u")
            #expect(list == "golang.go@1.0.0\nrust-lang.rust-analyzer@0.3.1\n1000\n")
        }
    }

    @Test("another controller looks at what is there, and installs nothing twice")
    func levelTriggered() async throws {
        try await withEditors { swarm in
            let made = try await swarm.provider.createInstance(
                swarm.request(config(swarm, ["golang.go", "a.b"])))
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
            // One of them goes behind pal's back, while no controller runs.
            _ = try await inside(
                swarm, made, "rm $HOME/.local/share/code-server/extensions/a.b@1.0.0")
            let other = swarm.another
            var now = try await other.getInstance(made.reference)
            for _ in 0..<600 where now?.readiness.isReady != true {
                try await Task.sleep(for: .milliseconds(50))
                now = try await other.getInstance(made.reference)
            }
            await other.shutdown()
            #expect(now?.readiness.isReady == true)
            let installs = try await inside(swarm, made, "cat $HOME/installs")
            #expect(installs == "installed golang.go\ninstalled a.b\ninstalled a.b\n")
        }
    }

    @Test("that cannot be installed keep the instance from being ready, and are tried again")
    func failing() async throws {
        try await withEditors { swarm in
            let made = try await swarm.provider.createInstance(
                swarm.request(config(swarm, ["offline.tool"])))
            let failed = try await swarm.wait(made.reference) {
                if case .notReady(let why) = $0.readiness {
                    why.contains("ENOTFOUND")
                } else {
                    false
                }
            }
            #expect(failed.status == .running)
            guard case .notReady(let why) = failed.readiness else { return }
            #expect(why.contains("cannot be installed"))
            #expect(why.contains("tried again"))
            _ = try await inside(swarm, made, "touch $HOME/online")
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
        }
    }

    @Test("what an earlier run of the container left says nothing of this one")
    func cutOff() async throws {
        try await withEditors { swarm in
            let made = try await swarm.createReady("alice") { $0.image = EditorImages.codeServer }
            func look(_ start: String) async throws -> String? {
                let result = try await swarm.provider.executeCommand(
                    made.reference, Command(ExtensionList.look(start: start)))
                return String(decoding: result.standardOutput, as: UTF8.self)
                    .split(separator: "\n").first.map(String.init)
            }
            #expect(try await look("first") == "absent")
            // As a restart in the middle leaves it: by now the number is the editor's own.
            _ = try await inside(swarm, made, "echo 'first 1' > /tmp/pal-extensions.pid")
            #expect(try await look("first") == "running")
            #expect(try await look("second") == "absent")
            _ = try await inside(swarm, made, "echo 'first 0' > /tmp/pal-extensions.exit")
            #expect(try await look("first") == "0")
            #expect(try await look("second") == "absent")
            _ = try await swarm.provider.executeCommand(
                made.reference, Command(ExtensionList.forget))
            #expect(try await look("first") == "absent")
        }
    }

    @Test("an installation that hangs is ended, with all that it started, and says so")
    func hanging() async throws {
        try await withEditors { swarm in
            let made = try await swarm.createReady("alice") { $0.image = EditorImages.codeServer }
            _ = try await inside(
                swarm, made,
                """
                mkdir -p /tmp/hang
                printf '#!/bin/sh\\n[ "$1" = --list-extensions ] && exit\\nsleep 4321\\n' \
                  > /tmp/hang/code-server
                chmod +x /tmp/hang/code-server
                """)
            for limit in [1, 99] {
                // Another one has nothing to install, and leaves nobody who waits.
                let wanted = limit == 1 ? "code-server a.b" : "code-server"
                let command = Command(
                    ExtensionList.command(wanted, start: "now", limit: .seconds(limit)),
                    environment: ["PATH": "/tmp/hang:/bin:/usr/bin"], timeout: .seconds(30))
                let result = try await swarm.provider.executeCommand(made.reference, command)
                #expect((result.exitCode == 0) == (limit == 99))
                let log = try await inside(swarm, made, "cat \(ExtensionList.log)")
                #expect(log == (limit == 1 ? "it took longer than 1 seconds\n" : ""))
            }
            let left = try await inside(
                swarm, made, "sleep 1; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
            #expect(!left.contains("sleep 4321"), "\(left)")
            #expect(!left.contains("sleep 99"), "\(left)")
        }
    }

    @Test("an unknown one is named")
    func missing() async throws {
        try await withEditors { swarm in
            let made = try await swarm.provider.createInstance(
                swarm.request(config(swarm, ["missing.thing"])))
            _ = try await swarm.wait(made.reference) {
                $0.readiness
                    == .notReady(
                        "its extensions cannot be installed: Extension 'missing.thing' not found.; "
                            + "it is tried again")
            }
        }
    }

    @Test("openvscode-server's are installed by its own program")
    func openVSCode() async throws {
        try await withEditors { swarm in
            let config = swarm.config("alice") {
                $0.editor = .openvscodeServer
                $0.image = EditorImages.openVSCodeServer
                $0.extensions = ["golang.go"]
            }
            let made = try await swarm.provider.createInstance(swarm.request(config))
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
            let list = try await inside(
                swarm, made, "$OPENVSCODE_SERVER_ROOT/bin/openvscode-server --list-extensions")
            #expect(list == "golang.go@1.0.0\n")
        }
    }

    @Test(
        "what is no id, or has no editor to be installed in, is refused",
        arguments: ["golang", "a.b.c", "--force.x", "a.b; rm", "a.$(x)", "a.b@", "a.-b"])
    func refused(id: String) throws {
        var config = InstanceConfig(name: "alice")
        config.extensions = [id]
        #expect(ExtensionList.problems(config).count == 1)
        config.extensions = ["golang.go@0.44.0"]
        #expect(ExtensionList.problems(config).isEmpty)
        config.editor = .custom
        #expect(ExtensionList.problems(config).count == 1)
    }
}

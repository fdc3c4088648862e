import FoundationEssentials
import Glibc
import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

/// One at a time: they all look for the first free port from the same one on.
@Suite(.serialized) struct EditorTests {
    /// Serves `/healthz` on the port of `--bind-addr`, and prints its arguments.
    private static let codeServer = """
        #!/bin/sh
        echo "args $*"
        while [ $# -gt 1 ]; do [ "$1" = --bind-addr ] && address=$2; shift; done
        mkdir -p "$HOME/www"; echo '{"status":"expired"}' > "$HOME/www/healthz"
        exec busybox httpd -f -p "$address" -h "$HOME/www"
        """

    private static func withEditor(_ body: (Bench) async throws -> Void) async throws {
        let bin = "\(FileManager.default.temporaryDirectory.path)/pal-bin-\(Creation.random())"
        try Directories.make(bin)
        defer { try? Directories.deleteTree(bin) }
        try AtomicFile.write(Array(codeServer.utf8), to: "\(bin)/code-server", mode: 0o755)
        try await Bench.run(path: [bin], body)
    }

    private func create(_ bench: Bench, _ name: String) async throws -> VSCodeInstance {
        try await bench.provider.createInstance(
            CreateRequest(config: InstanceConfig(name: name), ownership: bench.owner(name)))
    }

    @Test func anInstalledEditorRunsAndBecomesReady() async throws {
        try await Self.withEditor { bench in
            let made = try await create(bench, "alice")
            var now = made
            while !now.readiness.isReady {
                try #require(now.status == .running)
                try await Task.sleep(for: .milliseconds(5))
                now = try await bench.get(made)
            }
            #expect(now.metadata["editor"] == "code-server")
            let port = try #require(now.network.port)
            #expect(now.network.urls == ["http://127.0.0.1:\(port)/"])
        }
    }

    @Test func theEditorsPasswordIsInAFileAndNoArgument() async throws {
        try await Self.withEditor { bench in
            let made = try await create(bench, "alice")
            let arguments = try await bench.awaitLine(made, "args")
            let file = try #require(made.metadata["passwordFile"])
            let bytes = try RegularFile.read(at: file, limit: 100).bytes
            let password = String(decoding: bytes, as: UTF8.self)
            #expect(password.count == 32)
            #expect(!arguments.contains(password))
            let files = try bench.files(made)
            let config = try RegularFile.read(at: files.editorConfig, limit: 1000).bytes
            #expect(String(decoding: config, as: UTF8.self).contains("password: \(password)"))
            #expect(arguments.contains("--config \(files.editorConfig)"))
            #expect(!"\(made)".contains(password))
        }
    }

    @Test func editorsGetPortsOfTheirOwnAndKeepThem() async throws {
        try await Self.withEditor { bench in
            let alice = try await create(bench, "alice")
            let bob = try await create(bench, "bob")
            #expect(alice.network.port != nil)
            #expect(alice.network.port != bob.network.port)
            try await bench.provider.stopInstance(bob.reference, force: false)
            try await bench.provider.startInstance(bob.reference)
            #expect(try await bench.get(bob).network.port == bob.network.port)
        }
    }

    @Test func aChosenPortGivesWayToAStranger() async throws {
        try await Self.withEditor { bench in
            let made = try await create(bench, "alice")
            let port = try #require(made.network.port)
            try await bench.provider.stopInstance(made.reference, force: false)
            let stranger = try Listener(port: port)
            try await bench.provider.startInstance(made.reference)
            let now = try await bench.get(made)
            #expect(now.network.port != port)
            #expect(now.network.port != nil)
            try await stranger.end()
        }
    }

    @Test func withoutACommandAndAnEditorTheMessageSaysWhatToDo() async throws {
        try await Bench.run { bench in
            let request = CreateRequest(
                config: InstanceConfig(name: "alice"), ownership: bench.owner("alice"))
            let message = await failure(.programMissing) { () async throws(ProviderFailure) in
                try await bench.provider.createInstance(request)
            }
            for word in ["code-server", "openvscode-server", "command", "docker"] {
                #expect(message?.contains(word) == true, "\(word)")
            }
        }
    }
}

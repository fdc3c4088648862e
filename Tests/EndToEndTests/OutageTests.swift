import Foundation
import Glibc
import PalHTTP
import TestSupport
import Testing

/// A Docker that does not answer: said clearly, nothing deleted, and mended by itself.
@Suite("Without Docker", .timeLimit(.minutes(10)))
struct OutageTests {
    @Test func anEngineThatIsNotRunningIsSaidWithBothRemedies() async throws {
        try await Scene.play { plain in
            let scene = plain.with(["DOCKER_HOST": "unix://\(plain.root)/none.sock"])
            try scene.write("alice.yaml", "name: alice\n")
            let applied = try await scene.pal("apply")
            #expect(applied.code == 1)
            #expect(applied.err.contains("start Docker"), "\(applied)")
            #expect(applied.err.contains("provider: process"), "\(applied)")
            let status = try await scene.status()
            #expect(status["alice"]?.status == "pending")
            #expect(status["alice"]?.has("ProviderUnreachable") == true)
            let plan = try await scene.pal("plan")
            #expect(plan.code == 1, "\(plan)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give its rights away"))
    func aSocketThatIsNotPermittedIsSaid() async throws {
        try await Scene.play { plain in
            let listener = try Listener(plain.root + "/closed.sock")
            defer { listener.close() }
            let pal = plain.root + "/pal"
            try FileManager.default.copyItem(atPath: PalProgram.pal, toPath: pal)
            let scene = plain.with(["DOCKER_HOST": "unix://\(plain.root)/closed.sock"])
            let listed = try await PalProgram.run(
                ["--reuid=65534", "--regid=65534", "--clear-groups", pal, "providers"],
                program: "/usr/bin/setpriv", environment: scene.environment, directory: "/")
            #expect(listed.out.contains("may not use Docker's socket"), "\(listed)")
            #expect(listed.out.contains("group docker"), "\(listed)")
        }
    }

    @Test(.needsOwnEngine)
    func anEngineThatGoesAndComesBackIsTakenUpAgain() async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        try await Scene.play { plain in
            let scene = plain.with(["DOCKER_HOST": "unix://\(engine.socket)"])
            try scene.write(
                "alice.yaml",
                """
                name: alice
                image: \(BusyboxImage.name)
                editor: custom
                specific: { network: none }
                """)
            try await scene.running {
                let before = try await scene.eventually("ready") { $0["alice"]?.ready == true }
                engine.stop()
                let down = try await scene.eventually("the outage is told") {
                    $0["alice"]?.has("ProviderUnreachable") == true
                }
                #expect(down.instances.count == 1)
                try scene.remove("alice.yaml")
                try scene.write(
                    "bob.yaml",
                    "name: bob\nprovider: process\neditor: custom\ncommand: [sleep, \"99\"]\n")
                try await scene.eventually("others carry on") { $0["bob"]?.ready == true }
                try scene.write(
                    "alice.yaml",
                    "name: alice\nimage: \(BusyboxImage.name)\neditor: custom\n"
                        + "specific: { network: none }\n"
                )
                try await engine.start()
                let after = try await scene.eventually("taken up again") {
                    $0["alice"]?.ready == true && $0["alice"]?.has("ProviderUnreachable") == false
                }
                #expect(after["alice"]?.id == before["alice"]?.id)
                #expect(
                    after["alice"]?.instance?.providerInstanceId
                        == before["alice"]?.instance?.providerInstanceId)
            }
        }
    }
}

/// A socket that only its owner may talk to.
private struct Listener {
    let descriptor: Int32
    let path: String

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: Array(path.utf8).prefix(107))
        }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(descriptor, 1) == 0, chmod(path, 0o600) == 0 else {
            throw TestFailure("cannot listen at \(path): \(errno)")
        }
    }

    func close() {
        _ = Glibc.close(descriptor)
        unlink(path)
    }
}

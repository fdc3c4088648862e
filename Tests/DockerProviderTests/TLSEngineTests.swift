import Foundation
import Glibc
import Logging
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite(
    "An Engine behind TLS",
    .needsOwnEngine,
    .enabled(if: Needs.has(TestCertificates.program), "there is no openssl"),
    .timeLimit(.minutes(10)))
struct TLSEngineTests {
    private func provider(
        _ specific: [String: Value], _ environment: [String: String] = [:]
    ) throws -> DockerProvider {
        DockerProvider(
            try dockerSettings(specific, environment: environment, swarm: "tls"),
            logger: Logger(label: "test"))
    }

    private func lists(_ provider: DockerProvider) async -> ProviderFailure? {
        do throws(ProviderFailure) {
            try await provider.initialize()
            _ = try await provider.listInstances(.all)
            await provider.shutdown()
            return nil
        } catch {
            await provider.shutdown()
            return error
        }
    }

    @Test("answers who has a certificate, beside an Engine at a socket, and nobody else")
    func certificates() async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        let keys = try TestCertificates(in: engine.directory + "/keys")
        let (listener, port) = try TestSocket.listenOnLoopback(backlog: 64)
        defer { close(listener) }
        engine.listener = listener
        engine.arguments = [
            "--tlsverify", "--tlscacert", keys.directory + "/ca.pem",
            "--tlscert", keys.directory + "/server-cert.pem",
            "--tlskey", keys.directory + "/server-key.pem",
        ]
        try await engine.start()
        let host = "tcp://127.0.0.1:\(port)"

        let entry = ["host": Value.string(host), "certPath": .string(keys.directory)]
        let (overTLS, atSocket) = (
            try provider(entry), try provider(["socketPath": .string(engine.socket)])
        )
        #expect(await lists(overTLS) == nil)
        #expect(await lists(atSocket) == nil)
        #expect(
            await lists(
                try provider(
                    [:],
                    [
                        "DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1",
                        "DOCKER_CERT_PATH": keys.directory,
                    ])) == nil)
        try await context(host, keys, engine.directory)

        let other = try TestCertificates(in: engine.directory + "/other")
        let distrustful = await lists(
            try provider(["host": .string(host), "certPath": .string(other.directory)]))
        #expect(distrustful?.error?.code == .notPermitted)
        #expect(distrustful?.description.contains("ca.pem") == true)
        let strangers = [
            [
                "host": Value.string(host), "certPath": .string(other.directory),
                "tlsVerify": .bool(false),
            ],
            ["host": .string(host), "tlsVerify": .bool(false)],
        ]
        for stranger in strangers {
            let failure = await lists(try provider(stranger))
            #expect(failure?.error?.kind == .connection, "\(stranger)")
            #expect(
                failure?.description.contains("cert.pem") == true, "\(String(describing: failure))")
        }
    }

    @Test("where it asks for none, it answers over plain TCP, and what it does is the same")
    func plain() async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        let (listener, port) = try TestSocket.listenOnLoopback(backlog: 64)
        defer { close(listener) }
        engine.listener = listener
        engine.arguments = ["--tls=false"]
        try await engine.start()
        let host = "tcp://127.0.0.1:\(port)"
        #expect(await lists(try provider(["host": .string(host)])) == nil)
        #expect(await lists(try provider([:], ["DOCKER_HOST": host])) == nil)

        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        let provider = try provider(["host": .string(host)])
        var config = InstanceConfig(name: "alice")
        config.image = BusyboxImage.name
        config.editor = .custom
        config.command = ["sh", "-c", "trap exit TERM; while true; do sleep 1; done"]
        config.specific = ["network": .string("none")]
        let made = try await provider.createInstance(
            CreateRequest(
                config: config,
                ownership: Ownership(
                    swarm: "tls", name: "alice", id: "id", generation: 1,
                    specHash: provider.getCapabilities().hash(of: config))))
        #expect(made.status == .running)
        let said = try await provider.executeCommand(made.reference, Command(["echo", "hi"]))
        #expect(String(decoding: said.standardOutput, as: UTF8.self) == "hi\n")
        try await provider.stopInstance(made.reference, force: true)
        _ = try await provider.deleteInstance(made.reference)
        #expect(try await provider.listInstances(.all).isEmpty)
        await provider.shutdown()
    }

    /// The same Engine by a context, as the docker command keeps them.
    private func context(
        _ host: String, _ keys: TestCertificates, _ directory: String
    ) async throws {
        let home = directory + "/config"
        try DockerContextFiles(home).add("remote", host: host, certificates: keys.directory)
        #expect(
            await lists(try provider(["context": .string("remote")], ["DOCKER_CONFIG": home]))
                == nil)
        #expect(
            await lists(try provider([:], ["DOCKER_CONFIG": home, "DOCKER_CONTEXT": "remote"]))
                == nil)
    }
}

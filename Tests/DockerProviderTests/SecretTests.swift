import Foundation
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Secrets on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct SecretTests {
    private static let value = "s3cr3t-\(UInt64.random(in: 0 ... .max))"

    private func reference(_ entries: [String: String]) throws -> SecretReference {
        try #require(SecretReference(.texts(entries)))
    }

    /// Everything that the Engine tells of a container.
    private func told(_ swarm: TestSwarm, _ instance: VSCodeInstance) async throws -> String {
        let answer = try await swarm.engine.send(
            EngineCall("GET", "/containers/\(instance.providerInstanceId)/json"))
        return String(decoding: answer.body, as: UTF8.self)
    }

    @Test("are files inside, which every user there can read, and nowhere to be seen outside")
    func files() async throws {
        let variable = ["PAL_TEST_TOKEN": Self.value]
        try await TestSwarm.run(environment: variable) { swarm in
            let path = "/tmp/pal-secret-\(swarm.name)"
            try "from a file\n".write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let secrets = [
                "TOKEN": try reference(["fromEnv": "PAL_TEST_TOKEN"]),
                "KEY": try reference(["fromFile": path]),
            ]
            let made = try await swarm.createReady("alice") {
                $0.secrets = secrets
                $0.specific = ["network": .string("bridge"), "user": .string("1000")]
            }
            let script = "id -u; cat /run/secrets/TOKEN; echo; cat /run/secrets/KEY; "
            let result = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", script + "ls -l /run/secrets"]))
            let text = String(decoding: result.standardOutput, as: UTF8.self)
            #expect(text.hasPrefix("1000\n\(Self.value)\nfrom a file\n"))
            #expect(text.contains("-r--r--r--    1 0        0"), "\(text)")
            #expect(try await !told(swarm, made).contains(Self.value))

            try await swarm.provider.stopInstance(made.reference, force: true)
            try await swarm.provider.startInstance(made.reference)
            let again = try await swarm.provider.executeCommand(
                made.reference, Command(["cat", "/run/secrets/TOKEN"]))
            #expect(again.standardOutput == Array(Self.value.utf8))
        }
    }

    @Test("are variables where the spec asks for it, which a condition tells")
    func variables() async throws {
        try await TestSwarm.run(environment: ["PAL_TEST_TOKEN": Self.value]) { swarm in
            let secret = try reference(["fromEnv": "PAL_TEST_TOKEN", "as": "env"])
            let made = try await swarm.create("alice") {
                $0.editor = .custom
                $0.secrets = ["TOKEN": secret]
                let warnings = swarm.provider.warnings($0)
                #expect(warnings.map(\.kind) == [.exposed])
                #expect(warnings.first?.message.contains("/run/secrets/TOKEN") == true)
            }
            let result = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", "echo $TOKEN; ls /run/secrets"]))
            #expect(result.standardOutput == Array("\(Self.value)\n".utf8))
            #expect(try await told(swarm, made).contains("TOKEN=\(Self.value)"))
        }
    }

    @Test("that are not to be had leave nothing behind, and the message names the reference")
    func missing() async throws {
        try await TestSwarm.run { swarm in
            var config = swarm.config("alice")
            config.secrets = ["TOKEN": try reference(["fromFile": "/nonexistent/token"])]
            for attempt in 0..<2 {
                let error = try await failure { () throws(ProviderFailure) in
                    if attempt == 0 { try await swarm.provider.prepareInstance(config) }
                    _ = try await swarm.provider.createInstance(swarm.request(config))
                }
                #expect(error.error?.code == .secretMissing)
                #expect(error.description.contains("/nonexistent/token"))
                #expect(error.description.contains("secret 'TOKEN' of 'alice'"))
            }
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    @Test("are no part of the hash, but their references are; a config without any keeps its hash")
    func hash() async throws {
        try await TestSwarm.run(environment: ["A": "1"]) { swarm in
            let plain = swarm.ownership(swarm.config("alice")).specHash
            let (a, b) = (try reference(["fromEnv": "A"]), try reference(["fromEnv": "B"]))
            let first = swarm.ownership(swarm.config("alice") { $0.secrets = ["T": a] })
            let second = swarm.ownership(swarm.config("alice") { $0.secrets = ["T": b] })
            #expect(Set([plain, first.specHash, second.specHash]).count == 3)
        }
    }

    @Test("a container that was made and not finished is made anew instead of being started")
    func unfinished() async throws {
        try await TestSwarm.run(environment: ["A": "1"]) { swarm in
            var config = swarm.config("alice")
            config.secrets = ["T": try reference(["fromEnv": "A"])]
            let request = swarm.request(config)
            // As a controller leaves it that is killed between the two calls.
            let body = CreateBody(request: request, settings: swarm.provider.settings, ports: [])
            let answer = try await swarm.engine.send(
                EngineCall(
                    "POST", "/containers/create", query: [("name", "pal_\(swarm.name)_alice")],
                    body: body.value))
            #expect(answer.isSuccess)
            let left = try #require(try await swarm.provider.listInstances(.all).first)
            #expect(left.status == .stopped)
            let error = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.startInstance(left.reference)
            }
            #expect(error.error?.code == .notFound)
            let made = try await swarm.provider.createInstance(request)
            let result = try await swarm.provider.executeCommand(
                made.reference, Command(["cat", "/run/secrets/T"]))
            #expect(result.standardOutput == [UInt8(ascii: "1")])
        }
    }

    @Test("one that was finished and never started is started")
    func finished() async throws {
        try await TestSwarm.run(environment: ["A": "1"]) { swarm in
            let secret = try reference(["fromEnv": "A"])
            let config = swarm.config("alice") { $0.secrets = ["T": secret] }
            let made = try await swarm.provider.createInstance(
                swarm.request(config, starts: false))
            try await swarm.provider.startInstance(made.reference)
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
        }
    }

    @Test(
        "a mount over the place where they lie is refused",
        arguments: ["/run", "/run/secrets", "/run/secrets/"])
    func hidden(target: String) async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("alice") {
                let mount = Value.texts(["type": "tmpfs", "target": target])
                $0.specific = ["mounts": .list([mount])]
            }
            let problems = swarm.provider.validateInstanceConfig(config)
            #expect(problems.map(\.path) == ["specific.mounts[0].target"])
        }
    }
}

import FlyEmulation
import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import FlyProvider

@Suite("The token for Fly.io", .timeLimit(.minutes(2)))
struct TokenTests {
    private func header(_ token: String) throws -> String {
        try TokenSource(environment: ["FLY_API_TOKEN": token]).header()
    }

    @Test("macaroons and others are sent each in its own form")
    func forms() throws {
        #expect(try header("fm2_abc") == "FlyV1 fm2_abc")
        #expect(try header("FlyV1 fm2_abc,fm2_def\n") == "FlyV1 fm2_abc,fm2_def")
        #expect(try header("Bearer plain") == "Bearer plain")
        #expect(try header("plain") == "Bearer plain")
        #expect(throws: ProviderFailure.self) { try header("") }
        #expect(throws: ProviderFailure.self) { try header("two words") }
    }

    @Test("a token in a file counts from the moment at which it is there")
    func file() async throws {
        try await FlySwarm.run { swarm in
            let scratch = try Scratch()
            let path = try scratch.write("fm2_old", to: "token")
            let provider = try swarm.anotherProvider {
                $0.environment["FLY_API_TOKEN"] = nil
                $0.specific = ["tokenFile": .string(path)]
            }
            let refused = try await failure { () throws(ProviderFailure) in
                try await provider.initialize()
            }
            #expect(refused.error?.code == .notPermitted)
            #expect(refused.error?.isRetryable == false)
            #expect(!"\(refused)\(String(describing: refused.error))".contains("fm2_old"))
            _ = try scratch.write(FlySwarm.token, to: "token")
            try await provider.initialize()
            await provider.shutdown()
        }
    }

    @Test("without a token it is said where one is looked for, and no call is made")
    func missing() async throws {
        try await FlySwarm.run { swarm in
            let provider = try swarm.anotherProvider { $0.environment["FLY_API_TOKEN"] = nil }
            let missing = try await failure { () throws(ProviderFailure) in
                try await provider.initialize()
            }
            #expect(missing.description.contains("FLY_API_TOKEN is not set"))
            #expect(missing.description.contains("fly tokens create"))
            await provider.shutdown()
            #expect(swarm.fly.calls.isEmpty)
        }
    }

    @Test("the logs are read with the form that they insist on", arguments: ["fm2_x", "plain"])
    func logs(token: String) async throws {
        var options = FlyEmulation.Options()
        options.token = token
        try await FlySwarm.run(options: options) { swarm in
            let provider = try swarm.anotherProvider { $0.environment["FLY_API_TOKEN"] = token }
            let made = try await provider.createInstance(
                swarm.request(
                    swarm.config("alice") { $0.command = ["sh", "-c", "echo hi; sleep 1000"] }))
            try await swarm.eventually("the line is there") {
                try await provider.getInstanceLogs(made.reference, LogOptions()).map(\.text)
                    == ["hi"]
            }
            await provider.shutdown()
        }
    }
}

import FoundationEssentials
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Logging in to a registry", .needsRegistry, .timeLimit(.minutes(10)))
struct LoginTests {
    private static let secrets = [
        TestRegistry.password,
        Data("\(TestRegistry.user):\(TestRegistry.password)".utf8).base64EncodedString(),
        "wrong password",
    ]

    /// Pulls an image with the docker command's config as given, and with these programs.
    private func pulling(
        _ registry: TestRegistry, config: String?, programs: [String: String] = [:]
    ) async throws -> Result<PulledImage, ProviderFailure> {
        let image = try await registry.push("secret:1")
        let scratch = try Scratch()
        if let config { try scratch.write(config, to: "config.json") }
        for (name, script) in programs {
            let path = try scratch.write("#!/bin/sh\n" + script, to: name)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        let environment = [
            "DOCKER_CONFIG": scratch.path, "PATH": scratch.path + ":/usr/bin:/bin",
        ]
        var result: Result<PulledImage, ProviderFailure>?
        try await TestSwarm.run(environment: environment) { swarm in
            result = await .catching { () throws(ProviderFailure) in
                try await swarm.provider.pull(image) { _ in }
            }
        }
        try await registry.forget(image)
        let outcome = try #require(result)
        if case .failure(let failure) = outcome {
            let text = "\(failure) \(failure.error?.cause ?? "")"
            for secret in Self.secrets { #expect(!text.contains(secret)) }
        }
        return outcome
    }

    private func auth(_ password: String) -> String {
        Data("\(TestRegistry.user):\(password)".utf8).base64EncodedString()
    }

    @Test("the login in the docker command's config is used, and nothing less will do")
    func config() async throws {
        try await TestRegistry.run(hasPassword: true) { registry in
            let good =
                #"{"auths": {"\#(registry.address)": {"auth": "\#(auth(TestRegistry.password))"}}}"#
            #expect(try await pulling(registry, config: good).get().digest != nil)
            let url = good.replacing(registry.address, with: "http://\(registry.address)/v1/")
            #expect(try await pulling(registry, config: url).get().digest != nil)

            for config in [nil, "", "{}", #"{"auths": {"other": {"auth": "eDp5"}}}"#] {
                let refused = try await pulling(registry, config: config)
                let failure = try #require(refused.failure)
                #expect(failure.error?.kind == .instance)
                #expect(failure.error?.isRetryable == false)
                #expect(failure.description.contains("docker login \(registry.address)"))
                #expect(failure.description.contains("nobody is logged in"))
            }
            let wrong = good.replacing(auth(TestRegistry.password), with: auth("wrong password"))
            let failure = try #require(try await pulling(registry, config: wrong).failure)
            #expect(failure.description.contains("are refused"))
            #expect(failure.description.contains("docker login \(registry.address)"))
        }
    }

    @Test("a config that is not right is said, without what is in it")
    func broken() async throws {
        try await TestRegistry.run(hasPassword: true) { registry in
            let config = #"{"auths": {"x": {"auth": "\#(auth(TestRegistry.password))"}"#
            let failure = try #require(try await pulling(registry, config: config).failure)
            #expect(failure.description.contains("config.json"))
            #expect(failure.description.contains("DOCKER_CONFIG"))
        }
    }

    @Test("a program that keeps logins is asked, and told the server on its standard input")
    func programs() async throws {
        try await TestRegistry.run(hasPassword: true) { registry in
            let answer =
                #"{"ServerURL": "x", "Username": "pal", "Secret": "\#(TestRegistry.password)"}"#
            let good = """
                [ "$*" = get ] || exit 3
                read -r server
                [ "$server" = '\(registry.address)' ] || exit 4
                echo '\(answer)'
                """
            for config in [
                #"{"credHelpers": {"\#(registry.address)": "test"}}"#, #"{"credsStore": "test"}"#,
            ] {
                let programs = ["docker-credential-test": good]
                let pulled = try await pulling(registry, config: config, programs: programs)
                #expect(try pulled.get().digest != nil)
            }
            let mine = #"{"credHelpers": {"\#(registry.address)": "test"}, "credsStore": "other"}"#
            let programs = [
                "docker-credential-test": good, "docker-credential-other": "exit 1",
            ]
            #expect(
                try await pulling(registry, config: mine, programs: programs).get().digest != nil)
        }
    }

    @Test("a program without a login leaves it to the config; one that fails is named")
    func programFailures() async throws {
        try await TestRegistry.run(hasPassword: true) { registry in
            let both = """
                {"credsStore": "test",
                 "auths": {"\(registry.address)": {"auth": "\(auth(TestRegistry.password))"}}}
                """
            let unknown = "echo 'credentials not found in native keychain'; exit 1"
            let pulled = try await pulling(
                registry, config: both, programs: ["docker-credential-test": unknown])
            #expect(try pulled.get().digest != nil)

            let scripts: [String?] = [
                nil, "echo '\(TestRegistry.password)'; exit 1", "echo '\(TestRegistry.password)'",
            ]
            for script in scripts {
                let programs = script.map { ["docker-credential-test": $0] } ?? [:]
                let failed = try await pulling(registry, config: both, programs: programs)
                let failure = try #require(failed.failure)
                #expect(failure.error?.code == .pullFailed)
                #expect(failure.description.contains("docker-credential-test"))
                #expect(failure.description.contains(registry.address))
            }
        }
    }
}

@Suite("What the docker command's config says")
struct DockerCLIConfigTests {
    private func config(_ text: String) throws -> DockerCLIConfig {
        try JSONDecoder().decode(DockerCLIConfig.self, from: Data(text.utf8))
    }

    private func fields(_ header: String?) throws -> [String: String] {
        let header = try #require(header)
        // The Engine takes the alphabet of URLs, and wants the padding.
        #expect(!header.contains("+") && !header.contains("/") && header.utf8.count % 4 == 0)
        let text = header.replacing("-", with: "+").replacing("_", with: "/")
        let data = try #require(Data(base64Encoded: text))
        return try JSONDecoder().decode([String: String].self, from: data)
    }

    @Test("Docker Hub has a key of its own")
    func hub() throws {
        let text = #"{"auths": {"https://index.docker.io/v1/": {"auth": "Pz8/Pzo+Pj4+fn5+"}}}"#
        let header = try config(text).login(to: ImageReference.hub)?.header
        #expect(
            try fields(header) == [
                "username": "????", "password": ">>>>~~~",
                "serveraddress": "https://index.docker.io/v1/",
            ])
        #expect(try config(text).login(to: "index.example.org") == nil)
    }

    @Test("a token is a token, from the file and from a program")
    func tokens() throws {
        let text = #"{"auths": {"r:1": {"auth": "eDo=", "identitytoken": "abc"}}}"#
        let fromFile = try fields(try config(text).login(to: "r:1")?.header)
        let fromProgram = try fields(
            RegistryLogin(user: "<token>", secret: "abc", server: "r:1").header)
        #expect(fromFile == ["identitytoken": "abc", "serveraddress": "r:1"])
        #expect(fromProgram == fromFile)
    }

    @Test("an entry that holds nothing is none, and a password may hold colons")
    func entries() throws {
        let text = #"{"auths": {"a": {}, "b": {"auth": "dTpwOnE="}, "c": {"auth": "%"}}}"#
        #expect(try config(text).login(to: "a") == nil)
        #expect(try config(text).login(to: "c") == nil)
        #expect(try fields(config(text).login(to: "b")?.header)["password"] == "p:q")
    }

    @Test("the registry's own program comes before the one for all")
    func programs() throws {
        let text =
            #"{"credHelpers": {"r:1": "one", "index.docker.io": "two"}, "credsStore": "all"}"#
        #expect(try config(text).program(for: "r:1") == "one")
        #expect(try config(text).program(for: ImageReference.hub) == "two")
        #expect(try config(text).program(for: "other") == "all")
        #expect(try config("{}").program(for: "other") == nil)
    }

    @Test("the config's place: DOCKER_CONFIG, else the home directory, else none")
    func places() {
        func path(_ environment: [String: String]) -> String? {
            RegistryCredentials(environment: environment, clock: ContinuousClock()).path
        }
        #expect(path(["DOCKER_CONFIG": "/d", "HOME": "/h"]) == "/d/config.json")
        #expect(path(["DOCKER_CONFIG": "", "HOME": "/h"]) == "/h/.docker/config.json")
        #expect(path([:]) == nil)
    }

    @Test("a program's name cannot lead elsewhere", arguments: ["../x", "a b", "", "x;y"])
    func programNames(suffix: String) async throws {
        let program = CredentialProgram(
            suffix: suffix, environment: ["PATH": "/bin"], clock: ContinuousClock())
        let failure = try await failure { () throws(ProviderFailure) in
            try await program.login(to: "r")
        }
        #expect(failure.description.contains("is not one"))
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}

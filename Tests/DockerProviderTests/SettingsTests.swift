import FoundationEssentials
import Logging
import PalHTTP
import PalModel
import PalProvider
import Testing

@testable import DockerProvider

func dockerSettings(
    _ specific: [String: Value] = [:], environment: [String: String] = [:],
    swarm: String = "s", region: String? = nil
) throws -> DockerSettings {
    try DockerSettings(
        ProviderSettings(
            type: "docker", name: "docker", region: region, swarm: swarm,
            dataDirectory: "/nonexistent", specific: specific, environment: environment))
}

@Suite("Settings of the docker provider")
struct SettingsTests {
    @Test("the Engine is where the settings say, else DOCKER_HOST, else the usual socket")
    func endpoint() throws {
        let host = ["DOCKER_HOST": "unix:///run/user/1000/docker.sock"]
        #expect(try dockerSettings().endpoint == .unixSocket(path: "/var/run/docker.sock"))
        #expect(
            try dockerSettings(environment: host).endpoint
                == .unixSocket(path: "/run/user/1000/docker.sock"))
        #expect(
            try dockerSettings(["socketPath": .string("/a.sock")], environment: host).endpoint
                == .unixSocket(path: "/a.sock"))
        #expect(try dockerSettings(environment: ["DOCKER_HOST": ""]).isLocal)
    }

    @Test("ports are on loopback here, on the Engine's host elsewhere, wider only by configuration")
    func addresses() throws {
        let here = try dockerSettings()
        #expect(here.publishAddress == "127.0.0.1")
        #expect(here.reachHost == "127.0.0.1")
        let there = try dockerSettings(environment: ["DOCKER_HOST": "tcp://192.0.2.7:2375"])
        #expect(there.endpoint == .origin("http://192.0.2.7:2375"))
        #expect(there.publishAddress == "192.0.2.7")
        #expect(there.reachHost == "192.0.2.7")
        #expect(!there.isLocal)
        let named = try dockerSettings(environment: ["DOCKER_HOST": "tcp://engine.example"])
        #expect(named.endpoint == .origin("http://engine.example:2375"))
        #expect(named.publishAddress == "0.0.0.0")
        #expect(named.reachHost == "engine.example")
        #expect(try dockerSettings(environment: ["DOCKER_HOST": "tcp://127.0.0.1:2375"]).isLocal)
        let wide = try dockerSettings(["bindAddress": .string("0.0.0.0")])
        #expect(wide.publishAddress == "0.0.0.0")
        #expect(wide.reachHost == "127.0.0.1")
        #expect(try dockerSettings(["bindAddress": .string("192.0.2.9")]).reachHost == "192.0.2.9")
        #expect(here.urlHost == nil)
        #expect(try dockerSettings(["urlHost": .string("dev.example")]).urlHost == "dev.example")
        #expect(try dockerSettings(["urlHost": .string("192.0.2.9")]).urlHost == "192.0.2.9")
    }

    @Test(
        "what cannot be used is a configuration error that says what to do",
        arguments: [
            (["socketpath": Value.string("/x")], [:], "did you mean 'socketPath'?"),
            (["socketPath": .int(1)], [:], "an absolute path"),
            (["bindAddress": .string("localhost")], [:], "IPv4"),
            (["urlHost": .string("http://dev.example")], [:], "without 'http://'"),
            (["urlHost": .string("dev.example:80")], [:], "a port, not"),
            ([:], ["DOCKER_HOST": "npipe://x"], "unix:///path or tcp://host:port"),
            ([:], ["DOCKER_HOST": "tcp://there:x"], "tcp://host:port"),
            (
                [:], ["DOCKER_HOST": "tcp://there:2376", "DOCKER_TLS_VERIFY": "1"],
                "DOCKER_CERT_PATH"
            ),
        ] as [([String: Value], [String: String], String)])
    func refused(specific: [String: Value], environment: [String: String], says: String) throws {
        let error = #expect(throws: ProviderFailure.self) {
            try dockerSettings(specific, environment: environment)
        }
        #expect(error?.error?.kind == .configuration)
        #expect(error?.description.contains(says) == true)
    }

    @Test("a swarm must make a name that the Engine takes")
    func swarm() throws {
        #expect(throws: ProviderFailure.self) { try dockerSettings(swarm: "a b") }
        #expect(throws: ProviderFailure.self) { try dockerSettings(swarm: "ä") }
        #expect(throws: Never.self) { try dockerSettings(swarm: "specs-1a2b3c") }
    }

    @Test("the class makes a provider without a call")
    func providerClass() throws {
        let made = try DockerProviderClass().makeProvider(
            ProviderSettings(
                type: "docker", name: "d", swarm: "s", dataDirectory: "/nonexistent",
                specific: ["socketPath": .string("/nonexistent/docker.sock")]),
            logger: Logger(label: "test"))
        #expect(made.type == "docker")
        #expect(made.name == "d")
        #expect(made.region == "local")
    }
}

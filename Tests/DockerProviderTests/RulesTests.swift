import FoundationEssentials
import Logging
import PalEditors
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

private func makeProvider() throws -> DockerProvider {
    DockerProvider(try dockerSettings(), logger: Logger(label: "test"))
}

@Suite("Names at Docker")
struct NameTests {
    @Test("are made from swarm and name, and take the Engine's rule")
    func names() {
        #expect(DockerName.container(swarm: "s", name: "alice") == "pal_s_alice")
        #expect(DockerName.volume(swarm: "s", name: "alice") == "pal_s_alice_home")
        #expect(DockerName.network(swarm: "s") == "pal_s")
        for good in ["ab", "a_b.c-d", "0x"] { #expect(DockerName.isValid(good)) }
        for bad in ["", "a", "-ab", "_ab", "a b", "a/b", "../x", "é1"] {
            #expect(!DockerName.isValid(bad))
        }
    }
}

@Suite("What Docker honours")
struct CapabilityTests {
    @Test("every field of the table is accounted for")
    func complete() throws {
        let fields = try makeProvider().getCapabilities().fields
        let known = Set(FieldTable.all.filter { $0.role == .platform }.map(\.path))
        #expect(Set(fields.keys) == known)
    }

    @Test("the hash covers these fields and no others: a change needs a new version of the hash")
    func hashed() throws {
        #expect(
            try makeProvider().getCapabilities().hashedFields == [
                "image", "editor", "command", "workspacePath", "env", "labels", "network.port",
                "network.ports", "health.path", "health.interval", "health.timeout",
                "health.grace", "resources.storage.persistent", "secrets", "extensions", "specific",
            ])
    }

    @Test(
        "a change is as bad as it is",
        arguments: [
            ("resources.memory.max", Value.int(1), Value.int(2), ChangeClass.live),
            ("resources.memory.max", .int(1), nil, .replace),
            ("resources.cpu.cores", nil, .int(2), .live),
            ("resources.cpu.cores", .int(2), nil, .replace),
            ("resources.storage.persistent", nil, .bool(false), .replaceLosingData),
            ("resources.storage.persistent", .bool(true), .bool(false), .replaceLosingData),
            ("resources.storage.persistent", .bool(false), nil, .replace),
            ("resources.storage.size", .int(1), .int(2), .live),
            ("image", .string("a"), .string("b"), .replace),
            ("specific", nil, .map(["home": .string("/root")]), .replace),
        ] as [(String, Value?, Value?, ChangeClass)])
    func classified(path: String, from: Value?, to: Value?, expected: ChangeClass) throws {
        #expect(
            try makeProvider().classify(FieldChange(path: path, from: from, to: to)) == expected)
    }

    @Test(
        "a config that Docker cannot honour is a problem of its field",
        arguments: [
            ("specific.hoem", "did you mean 'home'?"), ("specific.home", "absolute path"),
            ("specific.network", "name of a Docker network"), ("specific.user", "must be a text"),
            ("region", "region 'mars'"), ("extensions", "such as golang.go"),
            ("resources.cpu.cores", "9 decimals"), ("resources.memory.max", "6 MiB"),
        ])
    func problems(path: String, says: String) throws {
        var config = InstanceConfig(name: "alice")
        config.region = "mars"
        config.extensions = ["golang.go", "golang"]
        config.resources.cpuCores = 0.123_456_789_012
        config.resources.memoryMax = 2
        config.specific = [
            "hoem": .string("/x"), "home": .string("x/../y"), "network": .string("a b"),
            "user": .bool(true),
        ]
        let problems = try makeProvider().validateInstanceConfig(config)
        #expect(problems.contains { $0.path == path && $0.message.contains(says) })
        #expect(problems.count == 8)
    }

    @Test("a good config has no problems, nor has the smallest")
    func noProblems() throws {
        var config = InstanceConfig(name: "alice")
        #expect(try makeProvider().validateInstanceConfig(config).isEmpty)
        config.region = "local"
        config.resources.cpuCores = 0.3
        config.resources.storageSize = 10
        config.specific = ["home": .string("/root"), "user": .string("1000:1000")]
        #expect(try makeProvider().validateInstanceConfig(config).isEmpty)
    }

    @Test("cores survive the way to the Engine and back", arguments: [0.01, 0.1, 0.3, 1.7, 2, 0.7])
    func cores(cores: Double) {
        #expect(CreateBody.cores(nano: CreateBody.nano(cores)) == cores)
    }
}

@Suite("The body of a creation")
struct CreateBodyTests {
    private func body(_ edit: (inout InstanceConfig) -> Void) throws -> Value {
        var config = InstanceConfig(name: "alice")
        edit(&config)
        let owner = Ownership(
            swarm: "s", name: "alice", id: "i", generation: 1, specHash: SpecHash(text: "v1:0"))
        return CreateBody(
            request: CreateRequest(config: config, ownership: owner),
            settings: try dockerSettings(),
            ports: []
        ).value
    }

    @Test("of the smallest spec: the default image, a volume at the home, and nothing else set")
    func smallest() throws {
        let body = try body { _ in }
        #expect(body["Image"] == .string("codercom/code-server:latest"))
        #expect(body["Cmd"] == nil)
        #expect(body["Healthcheck"] == nil)
        #expect(body["User"] == nil)
        #expect(body["HostConfig.Memory"] == nil)
        #expect(body["HostConfig.RestartPolicy.Name"] == .string("unless-stopped"))
        #expect(body["HostConfig.NetworkMode"] == .string("pal_s"))
        guard case .list(let mounts) = body["HostConfig.Mounts"] else { throw TestFailure("none") }
        #expect(mounts.count == 1)
        #expect(mounts.first?["Source"] == .string("pal_s_alice_home"))
        #expect(mounts.first?["Target"] == .string("/home/coder"))
        guard case .map(let labels) = body["Labels"] else { throw TestFailure("none") }
        #expect(labels["pal.probe-path"] == .string("/healthz"))
        #expect(labels["pal.editor-port"] == .string("8080"))
    }

    @Test("pal's labels win, and another port is told to the editor")
    func labelsAndPort() throws {
        let body = try body {
            $0.labels = ["team": "a", "pal.swarm": "evil"]
            $0.editor = .openvscodeServer
            $0.network.port = 4000
        }
        guard case .map(let labels) = body["Labels"] else { throw TestFailure("none") }
        #expect(labels["team"] == .string("a"))
        #expect(labels["pal.swarm"] == .string("s"))
        #expect(body["Env"] == .strings(["PORT=4000"]))
        #expect(body["Cmd"] == nil)
        guard case .list(let entry) = body["Entrypoint"], case .string(let script) = entry[2]
        else { throw TestFailure("no entry point") }
        #expect(script.contains("--port 4000 "))
    }

    @Test("a health check quotes the path, and asks only what is known")
    func health() throws {
        let quoted = try body { $0.health.path = "/a'b$(c)" }
        guard case .list(let test) = quoted["Healthcheck.Test"], case .string(let script) = test[1]
        else { throw TestFailure("no test") }
        #expect(script.contains("'http://127.0.0.1:8080/a'\\''b$(c)'"))
        let custom = try body {
            $0.editor = .custom
            $0.health.interval = .seconds(7)
        }
        #expect(custom["Healthcheck.Test"] == nil)
        #expect(custom["Healthcheck.Interval"] == .int(7_000_000_000))
    }
}

@Suite("What opens an editor")
struct EditorLockTests {
    /// A password was shown that opened nothing.
    @Test(
        "arguments that say how to open code-server are the spec's own",
        arguments: [["--auth", "none"], ["--auth=none"], ["--config", "/x"], ["--config=/x"]])
    func arguments(command: [String]) {
        var config = InstanceConfig(name: "alice")
        #expect(EditorLock(for: config) == .password)
        config.command = ["--auth", "password", "/home/coder/none"]
        #expect(EditorLock(for: config) == .password)
        config.command = command
        #expect(EditorLock(for: config) == .own)
        #expect(EditorLock.environment(for: config, id: "x")["CODE_SERVER_CONFIG"] == nil)
    }
}

@Suite("Whose failure it is")
struct FailureKindTests {
    private func failure(_ status: Int, changesSomething: Bool) -> ProviderFailure {
        .unexpected(
            EngineAnswer(status: status, body: []), doing: "do it",
            changesSomething: changesSomething)
    }

    @Test func aRefusedChangeIsTheInstancesOwn() {
        for status in [400, 409, 500] {
            #expect(failure(status, changesSomething: true).error?.kind == .instance)
        }
    }

    @Test func tooManyCallsAndFailedReadsAreTheEngines() {
        #expect(failure(429, changesSomething: true).error?.kind == .provider)
        #expect(failure(429, changesSomething: true).error?.code == .rateLimited)
        #expect(failure(500, changesSomething: false).error?.kind == .provider)
    }
}

@Suite("What does not go together in specific")
struct RuleBetweenTests {
    private func problems(
        _ specific: [String: Value], _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) throws -> [ConfigProblem] {
        var config = InstanceConfig(name: "alice")
        config.specific = specific
        edit(&config)
        return try makeProvider().validateInstanceConfig(config)
    }

    @Test("what is disabled is asked nothing, and the path is pal's own business")
    func disabledCheck() throws {
        let specific: [String: Value] = ["healthCheck": .map(["disabled": .bool(true)])]
        #expect(try problems(specific) { $0.health.path = "/healthz" }.isEmpty)
        let timed = try problems(specific) { $0.health.interval = .seconds(3) }
        #expect(timed.map(\.path) == ["specific.healthCheck"])
    }

    @Test("an address is one replica's at most")
    func replicas() throws {
        let network: [String: Value] = ["network": .string("team")]
        let end = Value.texts(["name": "back", "ipAddress": "10.9.0.5"])
        for (key, value) in [("ipAddress", Value.string("10.9.0.5")), ("networks", .list([end]))] {
            let specific = network.merging([key: value]) { $1 }
            #expect(try problems(specific).isEmpty)
            #expect(try problems(specific) { $0.replicas = 1 }.isEmpty)
            let found = try problems(specific) { $0.replicas = 2 }
            #expect(found.map(\.path) == ["specific.\(key)"])
            #expect(found.first?.message.contains("2 replicas cannot share") == true)
        }
        #expect(try problems(network) { $0.replicas = 2 }.isEmpty)
    }
}

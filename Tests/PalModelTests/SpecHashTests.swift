import FoundationEssentials
import Testing

@testable import PalModel

/// The hashes that earlier releases put into labels. An entry may be added, never changed: a change
/// would replace every instance that stands.
@Suite("Golden spec hashes")
struct SpecHashTests {
    static let docker: FieldSet = [
        "image", "editor", "command", "workspacePath", "env", "labels", "network.port",
        "network.ports", "health.path", "health.interval", "health.timeout", "health.grace",
        "resources.storage.persistent", "specific",
    ]

    @Test func aNameAloneHashesToNothingSet() {
        let hash = SpecHash(of: InstanceConfig(name: "alice"), fields: Self.docker)
        #expect(hash.text == "v1:e3b0c44298fc1c149afbf4c8996fb924")
    }

    @Test(arguments: [
        "v1:e3b0c44298fc1c149afbf4c8996fb924", "v1:00000000000000000000000000000001",
        "v1:E3B0C44298FC1C149AFBF4C8996FB924", "v1:e3b0c44298fc1c149afbf4c8996fb92",
        "v1:+3b0c44298fc1c14+afbf4c8996fb924", "v2:e3b0c44298fc1c149afbf4c8996fb924", "v1:", "",
    ])
    func aLabelIsGivenBackAsItWas(_ label: String) throws {
        let hash = SpecHash(text: label)
        #expect(hash.text == label)
        let coded = try JSONEncoder().encode(hash)
        #expect(String(decoding: coded, as: UTF8.self) == #"{"text":"\#(label)"}"#)
        #expect(try JSONDecoder().decode(SpecHash.self, from: coded) == hash)
    }

    @Test func theClassicExampleKeepsItsHash() {
        #expect(SpecHash(of: classic, fields: Self.docker).text == Golden.classic)
    }

    @Test func everyFieldKeepsItsHash() {
        #expect(SpecHash(of: everything, fields: Self.docker).text == Golden.everything)
    }

    @Test func fieldsThatAreNotHashedDoNotMatter() {
        var changed = classic
        changed.resources.memoryMax = 4096
        changed.state = .stopped
        changed.protect = true
        #expect(
            SpecHash(of: changed, fields: Self.docker) == SpecHash(of: classic, fields: Self.docker)
        )
    }

    @Test func sayingTheDefaultInSoManyWordsDoesNotMatter() {
        var explicit = classic
        explicit.editor = .codeServer
        explicit.resources.storagePersistent = true
        #expect(
            SpecHash(of: explicit, fields: Self.docker)
                == SpecHash(of: classic, fields: Self.docker))
    }

    @Test(arguments: ["image", "env", "network.port", "specific"])
    func aChangeOfAHashedFieldChangesTheHash(_ path: String) throws {
        let field = try #require(FieldTable.field(path))
        var changed = classic
        field.set(&changed, nil)
        if field.value(in: classic) == nil { field.set(&changed, .map(["a": .int(1)])) }
        #expect(
            SpecHash(of: changed, fields: Self.docker) != SpecHash(of: classic, fields: Self.docker)
        )
    }

    private var classic: InstanceConfig {
        var config = InstanceConfig(name: "vscode-instance")
        config.provider = "docker"
        config.workspacePath = "/path/to/workspace"
        config.image = "codercom/code-server:latest"
        config.resources.cpuCores = 2
        config.resources.memoryMin = 1024
        config.resources.memoryMax = 2048
        config.resources.storageSize = 10
        config.network.port = 8080
        config.env = ["NODE_ENV": "development"]
        return config
    }

    private var everything: InstanceConfig {
        var config = classic
        config.editor = .custom
        config.command = ["sh", "-c", "echo \"ü\"\n"]
        config.labels = ["b": "2", "a": "1"]
        config.network.ports = [PortMapping(internal: 9000, external: 19000, protocol: "udp")]
        config.health.path = "/healthz"
        config.health.interval = .seconds(90)
        config.resources.storagePersistent = false
        config.specific = ["user": .string("1000"), "deep": .map(["x": .list([.double(1.5)])])]
        return config
    }

    enum Golden {
        static let classic = "v1:567189d6ace28376b2d7416109c70ba2"
        static let everything = "v1:d535bc2ec56987cb87b9bab77e58e50f"
    }
}

@Suite("Sets of fields")
struct FieldSetTests {
    @Test func everyFieldHasItsBit() {
        #expect(FieldTable.all.count <= 64, "FieldSet has 64 bits")
        let all = FieldSet(FieldTable.all.map(\.path))
        #expect(all.map(\.path) == FieldTable.all.map(\.path))
        #expect(FieldSet(["no.field"]).isEmpty)
    }

    @Test func whatSaysNoMoreThanTheFallbackIsNotMeaningful() {
        var config = InstanceConfig(name: "a")
        config.editor = .codeServer
        config.env = [:]
        config.state = .stopped
        #expect(
            FieldSet(["editor", "env", "image", "state"]).meaningful(in: config) == [
                "env", "state",
            ])
    }

    @Test func freeValuesThatMeanTheSameDoNotDiffer() {
        var first = InstanceConfig(name: "a")
        var second = first
        first.specific = ["n": .int(2)]
        second.specific = ["n": .double(2)]
        #expect(FieldSet.platform.differing(first, second).isEmpty)
        second.specific = ["n": .double(2.5)]
        first.resources.storagePersistent = true
        #expect(FieldSet.platform.differing(first, second).map(\.path) == ["specific"])
    }
}

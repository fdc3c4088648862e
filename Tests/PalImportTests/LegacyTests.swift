import PalModel
import Testing

@testable import PalImport

@Suite("Legacy state files")
struct LegacyTests {
    private func imported(_ json: String, _ environment: [String: String] = [:]) throws -> Imported
    {
        try LegacyState.spec(from: Array(json.utf8), path: "x.json", environment: environment)
    }

    @Test func aStateFileIsCarriedOver() throws {
        let all = try imported(
            #"""
            {"id":"7c1d","name":"vscode-alice-7c1d","instance_name":"Alice","port":8081,
             "workspace_path":"/srv/alice","extensions":["golang.go"],"cpu_limit":"1.5",
             "memory_limit":"1GB","environment":{"A":"1","API_TOKEN":"s3cret"},
             "created_at":"2025-04-01T00:00:00Z","status":"running"}
            """#)
        let config = try #require(all.specs.first).config
        #expect(config.name == "alice")
        #expect(config.workspacePath == "/srv/alice")
        #expect(config.network.ports == [PortMapping(internal: 8080, external: 8081)])
        #expect(config.extensions == ["golang.go"])
        #expect(config.resources.cpuCores == 1.5 && config.resources.memoryMax == 1024)
        #expect(config.env == ["A": "1"])
        #expect(all.specs.first?.hidden == ["API_TOKEN": "s3cret"])
        #expect(config.metadata?["legacyId"] == .string("7c1d"))
        #expect(
            all.remarks.map(\.message) == [
                "'Alice' is named 'alice'", "API_TOKEN looks like a secret: it goes into a file",
                "status: not carried over", Self.standing,
            ])
    }

    private static let standing =
        "a container that still stands is not taken over by this spec: 'pal import docker' makes "
        + "one that adopts it"

    /// A review found that these went without a word.
    @Test func whatCannotBeReadIsSaid() throws {
        let all = try imported(
            #"""
            {"name":"a","port":"80a","extensions":["a.b",{}],
             "environment":{"FLAG":true,"EMPTY":"","LIST":[1],"NONE":null}}
            """#)
        let config = try #require(all.specs.first).config
        #expect(config.env == ["FLAG": "true", "EMPTY": ""])
        #expect(config.network.ports == nil && config.extensions == ["a.b"])
        #expect(
            all.remarks.map(\.message) == [
                "port \"80a\" is no port; any free one is taken",
                "extensions: what is no text among them is not carried over",
                "LIST of environment is no text; not carried over",
                "NONE of environment is no text; not carried over", Self.standing,
            ])
        let odd = try imported(#"{"name":"a","extensions":"a.b","environment":[]}"#)
        #expect(
            odd.remarks.map(\.message) == [
                "extensions: no list; not carried over", "environment: no map; not carried over",
                Self.standing,
            ])
    }

    @Test func theEnvironmentFillsInWhatTheFileDoesNotSay() throws {
        let all = try imported(
            #"{"name":"bob","cpu_limit":2,"memory_limit":"huge"}"#,
            [
                "DEFAULT_PASSWORD": "changeme", "DEFAULT_EXTENSIONS": "a.b, c.d",
                "DEFAULT_CPU_LIMIT": "1.0", "DEFAULT_MEMORY_LIMIT": "2g",
                "DOCKER_SOCKET": "/x.sock",
            ])
        let config = try #require(all.specs.first).config
        #expect(config.resources.cpuCores == 2)
        #expect(config.resources.memoryMax == nil, "what the file says is not guessed at")
        #expect(config.extensions == ["a.b", "c.d"])
        #expect(config.secrets?["PASSWORD"]?.fromEnv == "DEFAULT_PASSWORD")
        #expect(!all.remarks.contains { $0.message.contains("changeme") })
        #expect(all.remarks.contains { $0.message.contains("specific.socketPath: /x.sock") })
    }

    @Test func whatIsNoStateFileIsSaid() {
        #expect(throws: ImportFailure.self) { try imported("[]") }
        #expect(throws: ImportFailure.self) { try imported("{\"port\": 1}") }
        #expect(throws: ImportFailure.self) { try imported("nonsense") }
    }

    @Test func sizesAreReadAsDockerWritesThem() {
        #expect(
            ["2g", "1GB", "512m", "1.5GiB", "1048576", "10k", "x", "0"].map(Sizes.mebibytes) == [
                2048, 1024, 512, 1536, 1, nil, nil, nil,
            ])
    }

    @Test func wordsAreSplitAsAShellDoes() {
        #expect(
            ShellWords.split(#"a 'b c' "d \" e" f\ g '' "#) == ["a", "b c", "d \" e", "f g", ""])
        #expect(ShellWords.split("a 'b") == nil)
    }
}

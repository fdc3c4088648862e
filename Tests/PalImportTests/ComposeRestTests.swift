import PalModel
import Testing

@testable import PalImport

/// What Compose says of networks, of how a service is, and of devices.
@Suite("Compose networks, checks and devices")
struct ComposeRestTests {
    @Test func networksOfOthersAreJoined() throws {
        let all = try imported(
            """
            services:
              web:
                image: codercom/code-server
                networks:
                  proxy: { aliases: [ide], ipv4_address: 10.1.0.5 }
                  own: { ipv4_address: 10.2.0.5, priority: 3 }
                  old:
                pid: container:x
                cpu_shares: many
                memswap_limit: lots
                healthcheck: { test: exit 1, retries: few, interval: soon, start_interval: 1s }
            networks:
              proxy: { external: true, name: edge }
              old: { external: { name: legacy } }
              own: {}
            """)
        #expect(
            try #require(all.specs.first).config.specific == [
                "networks": .list([
                    .map([
                        "name": .string("edge"), "aliases": .list([.string("ide")]),
                        "ipAddress": .string("10.1.0.5"),
                    ]),
                    .map(["name": .string("legacy")]),
                ]),
                "healthCheck": .map(["command": .string("exit 1")]),
            ])
        #expect(
            all.remarks.map { "\($0.location.line): \($0.message)" } == [
                "6: the address in 'own': not carried over; the instances of a swarm share one "
                    + "network, which chooses its addresses",
                "6: networks.own.priority: not carried over",
                "8: pid: 'container:x' is not carried over",
                "9: cpu_shares: 'many' is no number from 2 to 262144; not carried over",
                "10: memswap_limit: 'lots' is less than a MiB, or no size",
                "11: healthcheck.retries: 'few' is no number from 1 to 1000; left out",
                "11: healthcheck.interval: 'soon' is no time; not carried over",
                "11: healthcheck.start_interval: not carried over",
                "15: networks.own: not carried over; the instances of a swarm share one network "
                    + "of its own",
            ])
    }

    /// It went without a word.
    @Test func aDefaultNetworkOfOthersIsJoinedByWhoSaysNothing() throws {
        let all = try imported(
            """
            services:
              web: { image: codercom/code-server, restart: "on-failure:0" }
            networks: { default: { name: proxy, external: true } }
            """)
        #expect(
            try #require(all.specs.first).config.specific == [
                "networks": .list([.map(["name": .string("proxy")])]),
                "restart": .string("on-failure"),
            ])
        #expect(all.remarks.isEmpty)
    }

    @Test(arguments: [
        "curl -f http://localhost:8080/healthz",
        "wget -qO- http://127.0.0.1:8080/healthz || exit 1",
        "curl -fsS --max-time 5 -o /dev/null 'http://localhost:8080/healthz' || false",
        "wget --no-verbose --tries=1 --spider http://localhost:8080/healthz",
    ])
    func aPlainRequestIsTheChecksPath(command: String) throws {
        let words = command.split(separator: " ").joined(separator: "\", \"")
        let isOneProgram = !command.contains("||") && !command.contains("'")
        let list = isOneProgram ? ["[CMD, \"\(words)\"]"] : []
        for test in ["\"\(command)\"", "[CMD-SHELL, \"\(command)\"]"] + list {
            let config = try importedConfig(
                "image: codercom/code-server\nhealthcheck: { test: \(test) }")
            #expect(config.health.path == "/healthz")
            #expect(config.specific?["healthCheck"] == nil)
        }
    }

    /// pal's own request would be another one, or a part of it.
    @Test(arguments: [
        "curl -f http://localhost:8080/healthz && test -e /up",
        "curl -s http://localhost:8080/healthz | grep ok", "curl -k https://localhost:8080/healthz",
        "curl -f http://localhost/healthz", "curl -X POST http://localhost:8080/healthz",
        "curl -f --header=a:b http://localhost:8080/healthz",
        "test -e /up || curl http://localhost:8080/healthz",
        "curl http://localhost:8080/healthz http://localhost:8080/other",
        "curl http://localhost:9999/healthz",
        "curl -f http://localhost:8080/$PLACE",
    ])
    func aCheckThatDoesMoreStaysTheEngines(command: String) throws {
        let written = command.replacing("$", with: "$$")
        let config = try importedConfig(
            "image: codercom/code-server\nhealthcheck: { test: \"\(written)\" }")
        #expect(config.specific?["healthCheck"] == .map(["command": .string(command)]))
        #expect(config.health.path == nil)
    }

    @Test func anExternalVolumeInTheOldFormIsTheOneThatItNames() throws {
        let all = try imported(
            """
            services:
              web: { image: codercom/code-server, volumes: ["home:/home/coder"] }
            volumes: { home: { external: { name: real-home } } }
            """)
        let mounts = try #require(all.specs.first).config.specific?["mounts"]
        #expect(
            mounts
                == .list([
                    .map([
                        "type": .string("volume"), "source": .string("real-home"),
                        "target": .string("/home/coder"),
                    ])
                ]))
    }

    @Test func aCheckOfAnotherPortOrNoneIsTheEnginesBusiness() throws {
        let other = try importedConfig(
            "image: x\nhealthcheck: { test: \"curl http://localhost:9999/healthz\" }")
        #expect(
            other.specific?["healthCheck"]
                == .map(["command": .string("curl http://localhost:9999/healthz")]))
        for off in ["{ disable: true }", "{ test: [NONE] }"] {
            let config = try importedConfig("image: x\nhealthcheck: \(off)")
            #expect(config.specific?["healthCheck"] == .map(["disabled": .bool(true)]))
        }
    }

    @Test(
        arguments: [
            ("gpus: all", .string("all"), []),
            (
                "gpus: [{ device_ids: ['0', '3'] }]", .list([.string("0"), .string("3")]),
                []
            ),
            ("gpus: [{}]", .string("all"), []),
            ("gpus: some", nil, ["gpus: not understood; not carried over"]),
            (
                "gpus: [{ capabilities: [tpu] }]", nil,
                ["a request for devices that no spec can make; not carried over"]
            ),
            ("gpus: [{ count: few }]", nil, ["'few' is no number of GPUs; not carried over"]),
            (
                "gpus: [{ count: 1, options: { a: b } }]", .int(1),
                ["devices.options: not carried over"]
            ),
            (
                "stop_grace_period: 0s", nil,
                ["stop_grace_period: '0s' is not from 1s to 1h; not carried over"]
            ),
            (
                "pids_limit: many", nil,
                ["pids_limit: 'many' is no number from 1 on; not carried over"]
            ),
            ("pids_limit: -1", nil, []),
        ] as [(String, Value?, [String])])
    func requestsForDevicesAndEnds(line: String, expected: Value?, says: [String]) throws {
        let all = try imported("services:\n  web:\n    image: x\n    \(line)\n")
        #expect(try #require(all.specs.first).config.specific?["gpus"] == expected)
        #expect(all.remarks.map(\.message) == says)
        #expect(all.specs.first?.config.specific?["stopTimeout"] == nil)
        #expect(all.specs.first?.config.specific?["pidsLimit"] == nil)
    }
}

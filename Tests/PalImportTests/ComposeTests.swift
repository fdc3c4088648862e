import PalEngine
import PalModel
import PalSpecs
import Testing

@testable import PalImport

@Suite("Compose files")
struct ComposeTests {
    /// The file's own name was not heeded, and an empty volume took the place of the one with work.
    @Test(
        arguments: [
            ("", [:], nil, "team_home"), ("name: Own.Name\n", [:], nil, "ownname_home"),
            ("name: own\n", ["COMPOSE_PROJECT_NAME": "shell"], nil, "shell_home"),
            ("name: own\n", [:], "COMPOSE_PROJECT_NAME=file", "file_home"),
            ("name: ${WHO:-x}-y\n", ["WHO": "z"], nil, "z-y_home"),
            ("name: _own\n", ["COMPOSE_PROJECT_NAME": ""], nil, "own_home"),
            ("name: ${NOBODY}\n", [:], "COMPOSE_PROJECT_NAME=", "team_home"),
        ] as [(String, [String: String], String?, String)])
    func volumesAreThoseOfTheProject(
        name: String, environment: [String: String], dotEnv: String?, expected: String
    ) throws {
        let all = try imported(
            name + "services: { web: { image: x, volumes: ['home:/data'] } }\n",
            environment: environment, files: dotEnv.map { ["/srv/team/.env": $0] } ?? [:])
        let mounts = try #require(all.specs.first).config.specific?["mounts"].flatMap {
            [Value]($0)
        }
        #expect(mounts?.first?["source"] == .string(expected))
    }

    @Test func aUsualServiceIsCarriedOver() throws {
        let config = try importedConfig(
            """
            image: codercom/code-server:4.96.4
            command: --log debug --app-name 'My Editor'
            environment:
              NODE_ENV: development
            ports: ["127.0.0.1:8443:8080", "6000-6001:7000-7001/udp"]
            volumes:
              - ./work:/home/coder/project
              - home:/home/coder
              - /srv/data:/data:ro
            mem_limit: 2g
            mem_reservation: 512m
            cpus: "1.5"
            user: "1000:1000"
            restart: unless-stopped
            cap_add: [SYS_PTRACE]
            shm_size: 256m
            """)
        #expect(config.name == "web")
        #expect(config.image == "codercom/code-server:4.96.4")
        #expect(config.editor == nil)
        #expect(config.command == ["--log", "debug", "--app-name", "My Editor"])
        #expect(config.env == ["NODE_ENV": "development"])
        #expect(
            config.network.ports == [
                PortMapping(internal: 8080, external: 8443),
                PortMapping(internal: 7000, external: 6000, protocol: "udp"),
                PortMapping(internal: 7001, external: 6001, protocol: "udp"),
            ])
        #expect(config.workspacePath == "/srv/team/work")
        #expect(config.resources.memoryMax == 2048 && config.resources.memoryMin == 512)
        #expect(config.resources.cpuCores == 1.5)
        #expect(config.resources.storagePersistent == false, "the home stays in its volume")
        let mounts: Value = .list([
            .map([
                "type": .string("volume"), "source": .string("team_home"),
                "target": .string("/home/coder"),
            ]),
            .map([
                "type": .string("bind"), "source": .string("/srv/data"), "target": .string("/data"),
                "readOnly": .bool(true),
            ]),
        ])
        #expect(
            config.specific == [
                "mounts": mounts, "user": .string("1000:1000"),
                "capAdd": .list([.string("SYS_PTRACE")]), "shmSize": .int(256),
                // Docker gives as much swap again.
                "memorySwap": .int(4096),
            ])
    }

    @Test func everythingThatDoesNotComeAlongIsSaidWithItsLine() throws {
        let all = try imported(
            """
            services:
              web:
                image: codercom/code-server
                build: .
                container_name: mine
                networks: [a]
                volumes: ["x:y:z:w"]
                ports: ["nonsense"]
                healthcheck: { test: ["CMD", "true"], retries: 4 }
                frobnicate: yes
            networks: { a: {} }
            """)
        let said = all.remarks.map { "\($0.location.line): \($0.message)" }
        #expect(
            said == [
                "4: build: not carried over; build and push the image, and name it in 'image'",
                "5: container_name: not carried over; pal names the container after swarm and "
                    + "instance",
                "7: volume 'x:y:z:w' is not understood; not carried over",
                "8: port 'nonsense' is not understood; not carried over",
                "10: frobnicate: not carried over",
                "11: networks.a: not carried over; the instances of a swarm share one network of "
                    + "its own",
            ])
    }

    /// A review found that these went without a word.
    @Test func theSmallPrintIsSaidToo() throws {
        let all = try imported(
            """
            services:
              web:
                image: codercom/code-server
                ports:
                  - { target: 80, published: "8000-8010", mode: host }
                  - "90:90/sctp"
                volumes:
                  - { type: bind, source: /a, target: /a, bind: { propagation: shared } }
                  - { type: volume, source: v, target: /v, volume: { nocopy: true } }
                depends_on: { db: { condition: service_started, restart: true } }
                healthcheck: { test: "curl http://localhost:9999/healthz" }
                scale: many
                env_file: vars
              db:
                image: codercom/code-server
                healthcheck: { disable: true }
            volumes:
              v: { driver: nfs, driver_opts: { o: addr } }
            """, files: ["/srv/team/vars": "SAID=1\n# no\nALONE\n"])
        #expect(
            all.remarks.map { "\($0.location.line): \($0.message)" } == [
                "5: Compose publishes a port on every address: pal publishes on 127.0.0.1, or on "
                    + "bindAddress of the provider in pal.yaml; specific.portAddresses says "
                    + "otherwise, where pal.yaml allows it",
                "5: of the ports '8000-8010' pal chooses none; it takes any free one",
                "5: ports.mode: not carried over",
                "6: port 90 speaks sctp; not carried over",
                "10: depends_on 'db': service_started is not carried over; pal waits until it is "
                    + "ready",
                "10: depends_on.db.restart: not carried over",
                "12: scale: 'many' is no number; not carried over",
                "13: ALONE is taken from the controller's environment",
                "18: volumes.v.driver: not carried over; a volume that is there is used as it is",
                "18: volumes.v.driver_opts: not carried over; a volume that is there is used as it "
                    + "is",
            ])
        #expect(all.specs.first?.config.network.ports == [PortMapping(internal: 80)])
    }

    @Test func whatPeopleSetBesidesIsCarriedOverToo() throws {
        let config = try importedConfig(
            """
            image: codercom/code-server
            hostname: box.example
            working_dir: /srv
            group_add: [44, video]
            read_only: true
            tty: true
            stdin_open: true
            pids_limit: 500
            runtime: sysbox-runc
            stop_signal: SIGINT
            stop_grace_period: 1m30s
            restart: on-failure:4
            dns_search: example.org
            dns_opt: [ndots:1]
            device_cgroup_rules: ["c 1:3 mr"]
            domainname: example.org
            pid: host
            ipc: shareable
            uts: host
            userns_mode: host
            cpuset: 0-1
            cpu_shares: 512
            oom_score_adj: -5
            mem_limit: 1g
            memswap_limit: 2g
            healthcheck: { test: [CMD, test, -e, /up], retries: 7, interval: 5s }
            networks: { default: { aliases: [ide] } }
            volumes:
              - "/a:/b:ro,rslave"
              - { type: bind, source: /c, target: /d, bind: { propagation: shared } }
              - { type: volume, target: /v, volume: { nocopy: true } }
            sysctls: [net.core.somaxconn=1024]
            logging: { driver: local, options: { max-size: 10m } }
            deploy:
              resources:
                reservations:
                  devices:
                    - { driver: nvidia, count: 2, capabilities: [gpu] }
            """)
        #expect(
            config.specific == [
                "hostname": .string("box.example"), "workingDir": .string("/srv"),
                "groupAdd": .list([.string("44"), .string("video")]), "readOnly": .bool(true),
                "tty": .bool(true), "stdinOpen": .bool(true), "pidsLimit": .int(500),
                "runtime": .string("sysbox-runc"), "stopSignal": .string("SIGINT"),
                "stopTimeout": .string("1m30s"),
                "sysctls": .map(["net.core.somaxconn": .string("1024")]),
                "logging": .map([
                    "driver": .string("local"), "options": .map(["max-size": .string("10m")]),
                ]),
                "gpus": .int(2), "restart": .string("on-failure:4"),
                "dnsSearch": .list([.string("example.org")]),
                "dnsOptions": .list([.string("ndots:1")]),
                "deviceCgroupRules": .list([.string("c 1:3 mr")]),
                "domainname": .string("example.org"), "pidMode": .string("host"),
                "ipcMode": .string("shareable"), "utsMode": .string("host"),
                "usernsMode": .string("host"), "cpuset": .string("0-1"),
                "cpuShares": .int(512), "oomScoreAdj": .int(-5), "memorySwap": .int(2048),
                "aliases": .list([.string("ide")]),
                "healthCheck": .map([
                    "command": .list(["test", "-e", "/up"].map { .string($0) }),
                    "retries": .int(7),
                ]),
                "mounts": .list([
                    .map([
                        "type": .string("bind"), "source": .string("/a"), "target": .string("/b"),
                        "readOnly": .bool(true), "propagation": .string("rslave"),
                    ]),
                    .map([
                        "type": .string("bind"), "source": .string("/c"), "target": .string("/d"),
                        "propagation": .string("shared"),
                    ]),
                    .map([
                        "type": .string("volume"), "target": .string("/v"), "noCopy": .bool(true),
                    ]),
                ]),
            ])
        #expect(config.health.interval == .seconds(5))
    }

    @Test func secretsDoNotComeIntoTheSpec() throws {
        let all = try imported(
            """
            services:
              web:
                image: codercom/code-server
                environment: [PASSWORD=hunter2, GITHUB_TOKEN=abc, PLAIN=1, PASSED]
                secrets: [db]
            secrets:
              db: { file: ./db.txt }
            """)
        var spec = try #require(all.specs.first)
        #expect(spec.config.env == ["PLAIN": "1"])
        #expect(spec.hidden == ["PASSWORD": "hunter2", "GITHUB_TOKEN": "abc"])
        spec.refer("PASSWORD", toFile: "/data/PASSWORD")
        spec.refer("GITHUB_TOKEN", toFile: "/data/GITHUB_TOKEN")
        let secrets = try #require(spec.config.secrets)
        #expect(secrets["PASSWORD"]?.as == nil, "the editor's password is no variable")
        #expect(secrets["GITHUB_TOKEN"]?.as == "env")
        #expect(secrets["PASSED"]?.fromEnv == "PASSED")
        #expect(secrets["db"]?.fromFile == "/srv/team/db.txt")
        let text = SpecYAML.text(of: spec.config) + all.remarks.map(\.message).joined()
        #expect(!text.contains("hunter2") && !text.contains("abc"))
    }

    @Test func variablesAreInterpolatedAsComposeDoes() throws {
        let text = """
            image: repo/${NAME:-code-server}:${TAG}
            environment:
              A: "${X-unset}"
              B: "${EMPTY:-filled}"
              C: "cost $$5"
              D: "${EMPTY-kept}"
              E: "${DEEP:-${TAG}}"
              F: "${TAG:+there}"
            """
        let config = try importedConfig(
            text, environment: ["EMPTY": "", "TAG": "from-shell"],
            files: ["/srv/team/.env": "TAG=from-file\n# no\nX2=1\n"])
        #expect(config.image == "repo/code-server:from-shell")
        #expect(
            config.env == [
                "A": "unset", "B": "filled", "C": "cost $5", "D": "", "E": "from-shell",
                "F": "there",
            ])
    }

    @Test func aVariableThatIsNotSetIsSaid() throws {
        let all = try imported(
            "services:\n  a:\n    image: x:${TAG}\n  b:\n    image: ${Y:?give Y}\n")
        #expect(
            all.remarks.map(\.message) == [
                "the variable TAG is not set; taken as empty", "Y is not set: give Y",
            ])
    }

    @Test func anchorsAndMergesAreFollowed() throws {
        let all = try imported(
            """
            x-common: &common
              restart: always
              environment: { A: "1" }
            services:
              one: { <<: *common, image: gitpod/openvscode-server }
              two_b:
                <<: *common
                image: custom/thing
                ports: [ { target: 9000, host_ip: 127.0.0.1 } ]
                depends_on: [one]
            """)
        #expect(all.specs.map(\.config.name) == ["one", "two-b"])
        #expect(all.specs[0].config.editor == .openvscodeServer)
        #expect(all.specs[1].config.editor == .custom)
        #expect(all.specs[1].config.network.port == 9000)
        #expect(all.specs[1].config.dependsOn == ["one"])
        #expect(all.specs.allSatisfy { $0.config.specific?["restart"] == .string("always") })
        #expect(all.remarks.map(\.message) == ["'two_b' is named 'two-b'"])
    }

    @Test func linuxServersImageKeepsItsOwnPlaces() throws {
        let config = try importedConfig(
            "image: lscr.io/linuxserver/code-server:latest\nvolumes: [\"cfg:/config\"]\n")
        #expect(config.editor == .custom && config.network.port == 8443)
        #expect(config.health.path == "/healthz")
        #expect(config.resources.storagePersistent == false)
    }

    @Test func aServiceThatIsNotThereIsAnError() throws {
        let text = "services: { editor: { image: x } }"
        #expect(throws: ImportFailure.self) { try imported(text, only: ["edtor"]) }
        do {
            _ = try imported(text, only: ["edtor"])
        } catch let failure as ImportFailure {
            #expect(failure.description.hasSuffix("did you mean 'editor'?"))
        }
        #expect(throws: ImportFailure.self) { try imported("a: b\n") }
        #expect(throws: ImportFailure.self) { try imported(": : :\n- x") }
    }

    @Test func whatIsImportedIsAValidSpec() throws {
        let all = try imported(
            """
            services:
              web:
                image: codercom/code-server
                environment: { YES: "yes", NUMBER: "5", EMPTY: "", MULTI: "a\\nb: c" }
                command: ["--flag", "on", "1.0"]
                labels: { "a.b/c": "# no comment" }
                ulimits: { nofile: { soft: 1, hard: 2 } }
            """)
        let config = try #require(all.specs.first).config
        let contents = SpecFileContents(
            bytes: Array(SpecYAML.text(of: config).utf8), file: "a.yaml")
        #expect(contents.allProblems.map(\.description) == [])
        #expect(contents.declarations.map(\.config.value) == [config])
    }
}

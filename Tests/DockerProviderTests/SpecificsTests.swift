import Foundation
import Logging
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("What specific says to Docker")
struct SpecificsTests {
    private func problems(
        _ specific: [String: Value], allow: [String] = [], roots: [String]? = nil,
        _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) throws -> [ConfigProblem] {
        var settings: [String: Value] = [:]
        if !allow.isEmpty { settings["allow"] = .strings(allow) }
        if let roots { settings["bindRoots"] = .strings(roots) }
        let provider = DockerProvider(
            try dockerSettings(settings), logger: Logger(label: "test"))
        var config = InstanceConfig(name: "alice")
        config.specific = specific.isEmpty ? nil : specific
        edit(&config)
        return provider.validateInstanceConfig(config)
    }

    @Test(
        "what is as good as root needs the operator's word, and has it by exactly one",
        arguments: [
            ("privileged", Value.bool(true), "privileged"),
            ("networkMode", .string("host"), "hostNetwork"),
            ("network", .string("host"), "hostNetwork"),
            ("capAdd", .strings(["SYS_PTRACE"]), "capabilities"),
            ("devices", .strings(["/dev/kvm"]), "devices"),
            ("securityOpt", .strings(["seccomp=unconfined"]), "securityOptions"),
            ("deviceCgroupRules", .strings(["c 10:200 rwm"]), "devices"),
            ("pidMode", .string("host"), "hostNamespaces"),
            ("ipcMode", .string("host"), "hostNamespaces"),
            ("utsMode", .string("host"), "hostNamespaces"),
            ("usernsMode", .string("host"), "hostNamespaces"),
            (
                "mounts",
                .list([
                    .texts([
                        "type": "bind", "source": "/srv", "target": "/w", "propagation": "rshared",
                    ])
                ]), "hostNamespaces"
            ),
            ("portAddresses", .texts(["8080": "0.0.0.0"]), "portAddresses"),
        ])
    func rights(key: String, value: Value, right: String) throws {
        let refused = try problems([key: value])
        #expect(refused.map(\.path) == ["specific.\(key)"])
        #expect(refused.first?.message.contains("allow: [\(right)]") == true)
        #expect(try problems([key: value], allow: [right]).isEmpty)
        let others = HostPolicy.Right.allCases.map(\.rawValue).filter { $0 != right }
        #expect(try problems([key: value], allow: others).count == 1)
    }

    @Test("what gives rights away needs nobody's word")
    func harmless() throws {
        #expect(
            try problems([
                "capDrop": .strings(["ALL"]), "privileged": .bool(false), "init": .bool(true),
                "securityOpt": .strings(["no-new-privileges:true"]), "shmSize": .int(256),
                "dns": .strings(["10.0.0.2", "fd00::1"]), "restart": .string("no"),
                "extraHosts": .strings(["db:10.0.0.5", "host:host-gateway"]),
                "entrypoint": .strings(["/start"]), "platform": .string("linux/arm64"),
                "ulimits": .map([
                    "nofile": .map(["soft": .int(1024), "hard": .int(4096)]), "nproc": .int(10),
                ]),
                "user": .int(1000), "gpus": .string("all"), "pidsLimit": .int(100),
                "sysctls": .map(["net.core.somaxconn": .int(1024)]),
                "groupAdd": .list([.int(44), .string("video")]),
                "hostname": .string("Box.example"), "workingDir": .string("/srv"),
                "stopSignal": .string("SIGRTMIN+3"), "stopTimeout": .string("1m30s"),
                "tty": .bool(true), "stdinOpen": .bool(true), "runtime": .string("runsc"),
                "logging": .map(["options": .texts(["max-size": "10m"])]),
                "dnsSearch": .strings(["example.org"]), "dnsOptions": .strings(["ndots:1"]),
                "cpuset": .string("0-3,6"), "cpuShares": .int(512), "oomScoreAdj": .int(-500),
                "domainname": .string("example.org"), "ipcMode": .string("shareable"),
                "aliases": .strings(["ide", "ide.example"]), "ipAddress": .string("10.9.0.5"),
                "networks": .list([
                    .texts(["name": "bridge"]),
                    .map(["name": .string("back"), "aliases": .strings(["a"])]),
                ]),
                "portAddresses": .texts(["8080/tcp": "127.0.0.5"]),
                "healthCheck": .map(["command": .string("true"), "retries": .int(9)]),
            ]).isEmpty)
        let limited = { (config: inout InstanceConfig) in config.resources.memoryMax = 512 }
        for both in [-1, 512, 600] {
            #expect(try problems(["memorySwap": .int(both)], limited).isEmpty)
        }
        #expect(try problems(["memorySwap": .int(511)], limited).count == 1)
        for policy in ["no", "always", "unless-stopped", "on-failure", "on-failure:5"] {
            #expect(try problems(["restart": .string(policy)]).isEmpty)
        }
        for gpus in [Value.int(2), .strings(["0", "GPU-3a1b"])] {
            #expect(try problems(["gpus": gpus]).isEmpty)
        }
        for driver in ["json-file", "local", "journald", "none"] {
            #expect(try problems(["logging": .texts(["driver": driver])]).isEmpty)
        }
    }

    @Test("logs leave Docker's host by the operator's word alone")
    func logDrivers() throws {
        let logging: [String: Value] = ["logging": .texts(["driver": "syslog"])]
        let found = try problems(logging)
        #expect(found.map(\.path) == ["specific.logging.driver"])
        #expect(found.first?.message.contains("allow: [logDrivers]") == true)
        #expect(try problems(logging, allow: ["logDrivers"]).isEmpty)
        let address = Value.texts(["max-size": "1m", "syslog-address": "udp://192.0.2.1:1"])
        let hidden: [String: Value] = ["logging": .map(["options": address])]
        #expect(try problems(hidden).map(\.path) == ["specific.logging.options"])
        #expect(try problems(hidden, allow: ["logDrivers"]).isEmpty)
        // Podman has what is logged written there.
        for option in ["path", "driver"] {
            let file: [String: Value] = [
                "logging": .map([
                    "driver": .string("json-file"), "options": .texts([option: "/etc/x"]),
                ])
            ]
            #expect(try problems(file).map(\.path) == ["specific.logging.options"])
        }
    }

    @Test("what cannot be written to takes no password")
    func readOnlyRoot() throws {
        let specific: [String: Value] = ["readOnly": .bool(true)]
        #expect(try problems(specific).map(\.path) == ["specific.readOnly"])
        #expect(try problems(specific) { $0.editor = .custom }.isEmpty)
        #expect(try problems(specific) { $0.env = ["PASSWORD": "x"] }.isEmpty)
        let extended = { (config: inout InstanceConfig) in
            config.env = ["PASSWORD": "x"]
            config.extensions = ["golang.go"]
        }
        #expect(try problems(specific, extended).map(\.path) == ["specific.readOnly"])
        let memory = Value.texts(["type": "tmpfs", "target": "/tmp"])
        #expect(
            try problems(specific.merging(["mounts": .list([memory])]) { $1 }, extended).isEmpty)
    }

    @Test(
        "mistakes are named with their place and what was probably meant",
        arguments: [
            (
                ["priviledged": Value.bool(true)], "specific.priviledged",
                "did you mean 'privileged'?"
            ),
            (
                ["mounts": .list([.texts(["type": "bnid", "target": "/x"])])],
                "specific.mounts[0].type", "did you mean 'bind'?"
            ),
            (
                ["mounts": .list([.texts(["type": "bind", "target": "/x"])])],
                "specific.mounts[0]", "source must be an absolute path"
            ),
            (
                ["mounts": .list([.texts(["type": "bind", "sorce": "/a", "target": "/x"])])],
                "specific.mounts[0].sorce", "did you mean 'source'?"
            ),
            (
                ["mounts": .list([.texts(["type": "bind", "source": "/a/../b", "target": "/x"])])],
                "specific.mounts[0]", "without '..'"
            ),
            (
                [
                    "mounts": .list([
                        .texts(["type": "volume", "source": "pal_o_bob_home", "target": "/x"])
                    ])
                ],
                "specific.mounts[0]", "pal gives to volumes itself"
            ),
            (["devices": .strings(["kvm"])], "specific.devices[0]", "/dev/kvm"),
            (["capAdd": .strings(["sys_admin"])], "specific.capAdd[0]", "SYS_PTRACE"),
            (["restart": .string("allways")], "specific.restart", "'on-failure:5'"),
            (["restart": .string("always:5")], "specific.restart", "'on-failure:5'"),
            (["restart": .string("on-failure:0")], "specific.restart", "'on-failure:5'"),
            (["pidMode": .string("container:x")], "specific.pidMode", "host"),
            (["cpuset": .string("0-")], "specific.cpuset", "0-3,6"),
            (["memorySwap": .int(64)], "specific.memorySwap", "needs resources.memory.max"),
            (
                ["network": .string("bridge"), "aliases": .strings(["a"])], "specific.aliases",
                "means nothing in the network 'bridge'"
            ),
            (
                ["networks": .list([.texts(["name": "aa"]), .texts(["name": "aa"])])],
                "specific.networks[1]", "in 'aa' already"
            ),
            (
                ["networks": .list([.texts(["name": "bridge", "ipAddress": "10.0.0.1"])])],
                "specific.networks[0]", "no names and addresses"
            ),
            (
                ["networks": .list([.texts(["name": "host"])])],
                "specific.networks[0]", "no further network"
            ),
            (["portAddresses": .texts(["99": "127.0.0.1"])], "specific.portAddresses", "99/tcp"),
            (
                ["portAddresses": .texts(["8080": "127.0.0.1", "8080/tcp": "127.0.0.2"])],
                "specific.portAddresses", "twice"
            ),
            (
                ["portAddresses": .texts(["8080": "localhost"])], "specific.portAddresses.8080",
                "an IPv4 address"
            ),
            (
                ["healthCheck": .map(["command": .map([:])])], "specific.healthCheck.command",
                "a line for the shell"
            ),
            (
                ["healthCheck": .map(["disabled": .bool(true), "retries": .int(3)])],
                "specific.healthCheck", "remove these"
            ),
            (
                [
                    "mounts": .list([
                        .texts(["type": "tmpfs", "target": "/x", "propagation": "slave"])
                    ])
                ],
                "specific.mounts[0]", "propagation is for type: bind only"
            ),
            (
                ["ulimits": .map(["nofile": .map(["soft": .int(1)])])],
                "specific.ulimits.nofile", "needs 'hard'"
            ),
            (["entrypoint": .list([])], "specific.entrypoint", "names no program"),
            (["platform": .string("arm64")], "specific.platform", "linux/amd64"),
            (["extraHosts": .strings(["db"])], "specific.extraHosts[0]", "db:10.0.0.5"),
            (["gpus": .int(0)], "specific.gpus", "'all', a number"),
            (["gpus": .string("two")], "specific.gpus", "'all', a number"),
            (["gpus": .list([])], "specific.gpus", "'all', a number"),
            (["stopTimeout": .string("0s")], "specific.stopTimeout", "from 1s to 1h"),
            (["stopTimeout": .string("2h")], "specific.stopTimeout", "from 1s to 1h"),
            (["stopSignal": .string("sig int")], "specific.stopSignal", "SIGINT"),
            (["hostname": .string("-x")], "specific.hostname", "a host name"),
            (["hostname": .string("a b")], "specific.hostname", "a host name"),
            (["hostname": .string("")], "specific.hostname", "a host name"),
            (["sysctls": .texts(["somaxconn": "1"])], "specific.sysctls.somaxconn", "somaxconn"),
            (["pidsLimit": .int(0)], "specific.pidsLimit", "1 to"),
            (["logging": .texts(["drivr": "local"])], "specific.logging.drivr", "'driver'?"),
        ] as [([String: Value], String, String)])
    func mistakes(specific: [String: Value], path: String, says: String) throws {
        let found = try problems(specific)
        #expect(found.map(\.path) == [path])
        #expect(found.first?.message.contains(says) == true, "\(found)")
    }

    @Test("Docker's socket, and every directory that holds it, is as good as root")
    func socket() throws {
        for path in ["/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run/", "/var", "/"] {
            let mount = Value.texts(["type": "bind", "source": path, "target": "/x"])
            let specific: [String: Value] = ["mounts": .list([mount])]
            #expect(try problems(specific).count == 1, "\(path)")
            #expect(try problems(specific, allow: ["dockerSocket"]).isEmpty)
            #expect(try problems([:]) { $0.workspacePath = path }.map(\.path) == ["workspacePath"])
        }
        #expect(try problems([:]) { $0.workspacePath = "/var/runaway" }.isEmpty)
        let disguised: [String: Value] = [
            "volumeOptions": .texts(["type": "none", "o": "bind", "device": "/var/run"])
        ]
        #expect(try problems(disguised).map(\.path) == ["specific.volumeOptions"])
    }

    @Test(
        "a volume that mounts a disk, or lays one directory over another, is a device's right",
        arguments: [
            ["type": "overlay", "device": "overlay", "o": "lowerdir=/a,upperdir=/root,workdir=/w"],
            ["type": "ext4", "device": "/dev/sda1"],
        ])
    func fileSystems(options: [String: String]) throws {
        let specific: [String: Value] = ["volumeOptions": .texts(options)]
        #expect(try problems(specific).map(\.path) == ["specific.volumeOptions"])
        #expect(try problems(specific, allow: ["devices"]).isEmpty)
    }

    @Test("what a volume mounts from the host is judged as the directory that it is")
    func volumes() throws {
        func found(
            _ options: [String: String], roots: [String]? = ["/srv"], driver: String = "local"
        ) throws -> Int {
            try problems(
                ["volumeOptions": .texts(options), "volumeDriver": .string(driver)], roots: roots
            ).count
        }
        #expect(try found(["o": "bind", "device": "/srv/x"]) == 0)
        #expect(try found(["o": "bind", "device": "etc"]) == 1)
        #expect(try found(["type": "none", "o": "bind", "device": "/srv/../srv/x"]) == 1)
        #expect(try found(["o": "bind", "device": "/srv/link/.."], roots: nil) == 1)
        #expect(try found(["type": "none", "device": "var//run/."], roots: nil) == 1)
        for type in ["tmpfs", "nfs", "ext4"] {
            #expect(try found(["type": type, "o": "rw,bind", "device": "/etc"]) == 1, "\(type)")
        }
        #expect(try found(["type": "nfs", "device": ":/export", "o": "addr=10.0.0.1"]) == 0)
        #expect(try found(["type": "tmpfs", "device": "tmpfs", "o": "size=8m"]) == 0)
        #expect(try found(["device": "bucket"], driver: "s3") == 0)
        #expect(try found(["type": "nfs", "device": "/etc"], driver: "other") == 1)
    }

    @Test("directories are mounted from below the roots, compared by whole names")
    func roots() throws {
        let roots = ["/srv/code", "/data/"]
        for good in ["/srv/code", "/srv/code/alice", "/data/x"] {
            #expect(try problems([:], roots: roots) { $0.workspacePath = good }.isEmpty)
        }
        for bad in ["/srv", "/srv/codebase", "/etc"] {
            let found = try problems([:], roots: roots) { $0.workspacePath = bad }
            #expect(found.first?.message.contains("/srv/code, /data/") == true)
        }
        #expect(try problems([:], roots: []) { $0.workspacePath = "/srv" }.count == 1)
    }

    @Test(
        "a link that leads out of the roots, or to the socket, is not followed there",
        arguments: ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375"])
    func links(host: String) throws {
        let root = FileManager.default.temporaryDirectory.appending(
            path: "pal-roots-\(UInt64.random(in: 0 ... .max))")
        let inside = root.appending(path: "allowed/inside")
        try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, target) in [("out", "/etc"), ("socket", "/var/run"), ("in", inside.path)] {
            try FileManager.default.createSymbolicLink(
                atPath: root.appending(path: "allowed/\(name)").path, withDestinationPath: target)
        }
        let policy = try dockerSettings([
            "host": .string(host), "bindRoots": .strings([root.path + "/allowed"]),
        ]).policy
        func found(_ name: String) -> [ConfigProblem] {
            var config = InstanceConfig(name: "alice")
            config.workspacePath = root.path + "/allowed/" + name
            #expect(policy.problems(config).isEmpty)
            return policy.linkProblems(config)
        }
        #expect(found("in").isEmpty)
        #expect(found("inside").isEmpty)
        #expect(found("out").first?.message.contains("leads to '/etc'") == true)
        #expect(found("socket").first?.message.contains("Docker's socket") == true)
    }

    @Test("the operator's own mistakes are refused with what was probably meant")
    func operators() {
        for (key, value, says) in [
            ("allow", Value.strings(["priviliged"]), "did you mean 'privileged'?"),
            ("bindRoots", .strings(["srv"]), "absolute path"),
            ("bindRoots", .string("/srv"), "list"),
            ("alow", .strings([]), "did you mean 'allow'?"),
        ] {
            let error = #expect(throws: ProviderFailure.self) { try dockerSettings([key: value]) }
            #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        }
    }

    @Test("a volume's driver is told the size, unless it is the Engine's own or told another")
    func sizes() {
        func options(_ specific: [String: Value]) -> [String: String] {
            var config = InstanceConfig(name: "alice")
            config.specific = specific
            return Specifics(config).driverOptions(size: 7)
        }
        let other: [String: Value] = ["volumeDriver": .string("rexray")]
        #expect(options(other) == ["size": "7G"])
        #expect(options([:]) == [:])
        #expect(options(["volumeDriver": .string("local")]) == [:])
        let own = other.merging(["volumeOptions": .texts(["size": "9", "tier": "x"])]) { $1 }
        #expect(options(own) == ["size": "9", "tier": "x"])
    }

    @Test("two that would write to one place do not stand side by side")
    func besides() throws {
        let provider = DockerProvider(try dockerSettings(), logger: Logger(label: "test"))
        func stands(_ mount: [String: Value]) -> Bool {
            var config = InstanceConfig(name: "alice")
            config.specific = ["mounts": .list([.map(mount)])]
            return provider.canStandBeside(config)
        }
        let bind: [String: Value] = [
            "type": .string("bind"), "source": .string("/a"), "target": .string("/b"),
        ]
        #expect(!stands(bind))
        #expect(stands(bind.merging(["readOnly": .bool(true)]) { $1 }))
        #expect(stands(["type": .string("tmpfs"), "target": .string("/b")]))
        var config = InstanceConfig(name: "alice")
        config.specific = ["ipAddress": .string("10.0.0.5")]
        #expect(!provider.canStandBeside(config), "one address is not for two")
    }
}

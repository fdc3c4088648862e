import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// What others' containers are made of, as specs say it.
@Suite("Describing others' containers on Docker", .needsDockerEngine)
struct ForeignTests {
    private func described(
        _ swarm: TestSwarm, _ more: [String: Value]
    ) async throws -> ForeignInstance {
        let id = try await swarm.makeForeign(more)
        let all = try await swarm.provider.describeForeign()
        try await swarm.removeContainer(id)
        return try #require(all.first { $0.providerInstanceId == id })
    }

    /// One that nobody said anything of needs nothing said, whatever the Engine gives to it.
    @Test func aBareContainerHasNothingOfItsOwn() async throws {
        try await TestSwarm.run { swarm in
            let one = try await described(swarm, [:])
            #expect(
                one.config.specific == ["network": .string("bridge"), "restart": .string("no")])
            #expect(one.mounts == [] && one.environment == [:])
            let usual = DockerEngine.isPodman ? ["ulimits"] : []
            #expect(one.remarks.map { String($0.prefix(7)) } == usual, "\(one.remarks)")
        }
    }

    private var said: [String: Value] {
        [
            "user": .string("1000"), "capDrop": .strings(["MKNOD"]),
            "capAdd": .strings(["SYS_PTRACE"]),
            "dns": .strings(["10.0.0.2"]), "extraHosts": .strings(["db:10.0.0.5"]),
            "shmSize": .int(32), "init": .bool(true), "groupAdd": .strings(["44"]),
            "hostname": .string("box.example"), "workingDir": .string("/tmp"),
            "stopTimeout": .string("90s"), "readOnly": .bool(true), "tty": .bool(true),
            "stdinOpen": .bool(true), "pidsLimit": .int(200), "restart": .string("always"),
            "network": .string("bridge"),
        ]
    }

    /// A review found that half of these were dropped without a word.
    @Test func whatASpecSaysIsReadFromTheContainerThatItMakes() async throws {
        try await TestSwarm.run { swarm in
            var said = said
            if !DockerEngine.isPodman {
                // Podman keeps these to itself, or shows them in words of its own.
                said["sysctls"] = .texts(["net.core.somaxconn": "1024"])
                said["stopSignal"] = .string("SIGINT")
                said["logging"] = .map([
                    "driver": .string("local"), "options": .texts(["max-size": "1m"]),
                ])
                said["ulimits"] = .map(["nofile": .map(["soft": .int(99), "hard": .int(999)])])
                said["gpus"] = .int(2)
            }
            let config = swarm.config("a") {
                $0.editor = .custom
                $0.specific = said
            }
            #expect(SpecificsTable.problems(config) == [])
            let body = CreateBody(
                request: swarm.request(config), settings: swarm.provider.settings, ports: [])
            guard case .map(var fields) = body.value else { throw TestFailure("no body") }
            fields["Labels"] = nil
            let one = try await described(swarm, fields)
            let read = one.config.specific ?? [:]
            for key in Set(read.keys).union(said.keys).sorted() {
                #expect(read[key] == said[key], "\(key)")
            }
            let usual = DockerEngine.isPodman ? ["ulimits"] : []
            #expect(one.remarks.map { String($0.prefix(7)) } == usual, "\(one.remarks)")
        }
    }

    @Test func memoryThatIsMountedKeepsItsSize() async throws {
        try await TestSwarm.run { swarm in
            let one = try await described(
                swarm,
                [
                    "HostConfig": .map([
                        "Tmpfs": .texts(["/a": "size=8m", "/b": ""]),
                        "Mounts": .list([
                            .map([
                                "Type": .string("tmpfs"), "Target": .string("/c"),
                                "TmpfsOptions": .map(["SizeBytes": .int(4 << 20)]),
                            ])
                        ]),
                    ])
                ])
            #expect(
                Set(one.mounts) == [
                    ForeignMount(kind: "tmpfs", source: nil, target: "/a", size: 8),
                    ForeignMount(kind: "tmpfs", source: nil, target: "/b"),
                    ForeignMount(kind: "tmpfs", source: nil, target: "/c", size: 4),
                ])
        }
    }

    @Test(.notOnPodman("it shows few of these, and in words of its own"))
    func whatNoSpecSaysIsNamed() async throws {
        try await TestSwarm.run { swarm in
            let one = try await described(
                swarm,
                [
                    "Domainname": .string("example"),
                    "HostConfig": .map([
                        "OomScoreAdj": .int(500), "CpusetCpus": .string("0"),
                        "PidMode": .string("host"), "PublishAllPorts": .bool(true),
                        "Memory": .int(64 << 20), "MemorySwap": .int(65 << 20),
                        "DnsSearch": .strings(["a.example"]),
                        "RestartPolicy": .map([
                            "Name": .string("on-failure"), "MaximumRetryCount": .int(3),
                        ]),
                        "Binds": .strings(["/tmp:/data:rslave"]),
                        "DeviceRequests": .list([
                            .map([
                                "Count": .int(1), "Capabilities": .list([.strings(["tpu"])]),
                            ])
                        ]),
                        "Mounts": .list([
                            .map([
                                "Type": .string("tmpfs"), "Target": .string("/c"),
                                "TmpfsOptions": .map(["Mode": .int(448)]),
                            ])
                        ]),
                    ]),
                ])
            #expect(
                one.remarks == [
                    "devices by request that no spec can ask for: not carried over",
                    "restart: the number of 3 is not carried over",
                    "MemorySwap \(65 << 20): not carried over; with a limit there is no swap",
                    "Mode of the mount at /c: not carried over",
                    "CpusetCpus '0': not carried over",
                    "DnsSearch that it has: not carried over",
                    "OomScoreAdj 500: not carried over",
                    "PidMode 'host' (the host's or another's processes): not carried over",
                    "PublishAllPorts true (whatever its image exposes; name the ports in "
                        + "network.ports): not carried over",
                    "Domainname 'example': not carried over",
                    "'rslave' of the mount at /data: not carried over",
                ])
        }
    }

    /// It was asked to end by SIGTERM, and had ten seconds, whatever its spec said.
    @Test func aStopAsksAsTheSpecSays() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let script = "trap 'exit 7' INT; trap '' TERM; echo up; while :; do sleep 0.1; done"
            let made = try await swarm.create("a") {
                $0.editor = .custom
                $0.command = ["/bin/sh", "-c", script]
                $0.specific?["stopSignal"] = .string("SIGINT")
                $0.specific?["stopTimeout"] = .string("33s")
                $0.specific?["restart"] = .string("no")
            }
            for _ in 0..<600 {
                let lines = try await swarm.provider.getInstanceLogs(
                    made.reference, LogOptions())
                if !lines.isEmpty { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            try await swarm.provider.stopInstance(made.reference, force: false)
            let stops = relay.takeRequests().map(\.path).filter { $0.contains("/stop") }
            #expect(stops.first?.hasSuffix("/stop?t=33") == true, "\(stops)")
            let stopped = try #require(try await swarm.provider.getInstance(made.reference))
            #expect(stopped.exit?.code == 7, "\(stopped)")
        }
    }

    /// Others find it by the instance's name all the same.
    @Test func anotherHostNameHidesNobody() throws {
        var config = InstanceConfig(name: "alice")
        config.specific = ["hostname": .string("box")]
        let request = CreateRequest(
            config: config,
            ownership: Ownership(
                swarm: "s", name: "alice", id: "i", generation: 1, specHash: SpecHash(text: "")),
            starts: true)
        let body = CreateBody(request: request, settings: try dockerSettings([:]), ports: []).value
        let networks = body["NetworkingConfig.EndpointsConfig"]
        #expect(body["Hostname"] == .string("box"))
        #expect(networks == .map(["pal_s": .map(["Aliases": .strings(["alice"])])]), "\(body)")
    }
}

import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// What others' containers are made of, as specs say it.
@Suite("Describing others' containers on Docker", .needsDockerEngine)
struct ForeignTests {
    private func described(
        _ swarm: TestSwarm, starts: Bool = false, _ more: [String: Value]
    ) async throws -> ForeignInstance {
        let id = try await swarm.makeForeign(starts: starts, more)
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
            "user": .string("1000"), "capDrop": .strings(["SETFCAP"]),
            "capAdd": .strings(["SYS_PTRACE"]),
            "dns": .strings(["10.0.0.2"]), "extraHosts": .strings(["db:10.0.0.5"]),
            "shmSize": .int(32), "init": .bool(true), "groupAdd": .strings(["44"]),
            "hostname": .string("box.example"), "workingDir": .string("/tmp"),
            "stopTimeout": .string("90s"), "readOnly": .bool(true), "tty": .bool(true),
            "stdinOpen": .bool(true), "pidsLimit": .int(200),
            "restart": .string("on-failure:3"), "dnsSearch": .strings(["a.example"]),
            "dnsOptions": .strings(["ndots:1"]),
            "healthCheck": .map(["command": .strings(["test", "-e", "/x"]), "retries": .int(5)]),
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
                said["cpuset"] = .string("0")
                said["cpuShares"] = .int(512)
                said["oomScoreAdj"] = .int(500)
                said["domainname"] = .string("example")
                said["pidMode"] = .string("host")
                said["ipcMode"] = .string("none")
                said["memorySwap"] = .int(65)
            }
            let config = swarm.config("a") {
                $0.editor = .custom
                $0.resources.memoryMax = 64
                $0.health.interval = .seconds(20)
                $0.health.timeout = .seconds(10)
                $0.health.grace = .seconds(7)
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
            #expect(one.config.health == config.health)
            #expect(one.config.resources.memoryMax == 64)
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

    /// The Engine gives as much swap again, and pal would give none.
    @Test func theSwapThatALimitBringsIsCarriedOver() async throws {
        try await TestSwarm.run { swarm in
            let one = try await described(
                swarm, ["HostConfig": .map(["Memory": .int(64 << 20)])])
            #expect(one.config.resources.memoryMax == 64)
            #expect(one.config.specific?["memorySwap"] == .int(128))
        }
    }

    @Test(.notOnPodman("it shows few of these, and in words of its own"))
    func whatNoSpecSaysIsNamed() async throws {
        try await TestSwarm.run { swarm in
            let other = try await swarm.makeForeign(name: "pal-test-other-\(swarm.name)")
            let one = try await described(
                swarm,
                [
                    "HostConfig": .map([
                        "CgroupParent": .string("/pal-test"), "CpusetMems": .string("0"),
                        "PidMode": .string("container:\(other)"),
                        "PublishAllPorts": .bool(true), "Memory": .int(64 << 20),
                        "MemorySwap": .int((65 << 20) + 4096),
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
                    ])
                ])
            #expect(
                one.remarks == [
                    "MemorySwap \((65 << 20) + 4096): not carried over; with a limit there is no "
                        + "swap",
                    "devices by request that no spec can ask for: not carried over",
                    "Mode of the mount at /c: not carried over",
                    "CgroupParent '/pal-test': not carried over",
                    "CpusetMems '0': not carried over",
                    "PidMode 'container:\(other)' (the host's or another's processes): not "
                        + "carried over",
                    "PublishAllPorts true (whatever its image exposes; name the ports in "
                        + "network.ports): not carried over",
                ])
            try await swarm.removeContainer(other)
        }
    }

    /// Each of these was only said, and not carried over.
    @Test func networksAndMountsKeepWhatTheyWereTold() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withNetworks(2) { networks in
                let config = swarm.config("a") {
                    $0.editor = .custom
                    $0.specific = [
                        "network": .string(networks[0]), "aliases": .strings(["one"]),
                        "mounts": .list([
                            .texts([
                                "type": "bind", "source": "/tmp", "target": "/t",
                                "propagation": "rslave",
                            ]),
                            .map([
                                "type": .string("volume"), "target": .string("/v"),
                                "noCopy": .bool(true),
                            ]),
                        ]),
                    ]
                }
                let body = CreateBody(
                    request: swarm.request(config), settings: swarm.provider.settings, ports: [])
                guard case .map(var fields) = body.value else { throw TestFailure("no body") }
                fields["Labels"] = nil
                let id = try await swarm.makeForeign(fields)
                let end = NetworkEnd(name: networks[1], aliases: ["two"], address: nil)
                let joined = try await swarm.engine.send(
                    EngineCall(
                        "POST", "/networks/\(networks[1])/connect",
                        body: .map([
                            "Container": .string(id), "EndpointConfig": end.engineValue ?? .null,
                        ])))
                #expect(joined.isSuccess, "\(joined.message)")
                let all = try await swarm.provider.describeForeign()
                try await swarm.removeContainer(id)
                let one = try #require(all.first { $0.providerInstanceId == id })
                let specific = one.config.specific ?? [:]
                #expect(specific["network"] == .string(networks[0]))
                #expect(specific["aliases"] == .strings(["one"]), "\(specific)")
                #expect(specific["networks"] == .list([end.value]))
                let bind = try #require(one.mounts.first { $0.target == "/t" })
                #expect(bind.propagation == "rslave")
                let volume = try #require(one.mounts.first { $0.target == "/v" })
                // Podman 4.3 does not say.
                #expect(volume.isWithoutCopy || DockerEngine.isPodman)
            }
        }
    }

    /// It was written as its id, which no other Engine has.
    @Test func aNetworkThatWasGivenByItsIdIsNamed() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withNetworks(1) { networks in
                let answer = try await swarm.engine.send(
                    EngineCall("GET", "/networks/\(networks[0])"))
                let id = try #require(try answer.decoded(as: Value.self).text("Id"))
                let short = String(id.prefix(12))
                for (part, starts) in [(id, false), (short, false), (id, true), (short, true)] {
                    let end = Value.map(["Aliases": .strings(["ide"])])
                    let one = try await described(
                        swarm, starts: starts,
                        [
                            "HostConfig": .map(["NetworkMode": .string(part)]),
                            "NetworkingConfig": .map(["EndpointsConfig": .map([part: end])]),
                        ])
                    #expect(one.config.specific?["network"] == .string(networks[0]))
                    #expect(one.config.specific?["networks"] == nil)
                    #expect(one.config.specific?["aliases"] == .strings(["ide"]))
                }
            }
        }
    }

    /// Podman says of a network neither that it was the first nor that it is a bridge's.
    @Test func theEnginesOwnNetworkIsTheBridgeAlsoBesideAnother() async throws {
        try await TestSwarm.run { swarm in
            try await swarm.withNetworks(1) { networks in
                let id = try await swarm.makeForeign([
                    "HostConfig": .map(["NetworkMode": .string(networks[0])])
                ])
                let own = DockerEngine.isPodman ? "podman" : "bridge"
                let joined = try await swarm.engine.send(
                    EngineCall(
                        "POST", "/networks/\(own)/connect",
                        body: .map(["Container": .string(id)])))
                #expect(joined.isSuccess, "\(joined.message)")
                let all = try await swarm.provider.describeForeign()
                try await swarm.removeContainer(id)
                let one = try #require(all.first { $0.providerInstanceId == id })
                let (first, second) =
                    DockerEngine.isPodman ? ("bridge", networks[0]) : (networks[0], "bridge")
                #expect(one.config.specific?["network"] == .string(first))
                #expect(
                    one.config.specific?["networks"] == .list([.texts(["name": second])]))
            }
        }
    }

    /// It was taken for one of TCP.
    @Test(.notOnPodman("it makes none with such a port"))
    func aPortOfAnotherKindIsNamed() async throws {
        try await TestSwarm.run { swarm in
            let one = try await described(
                swarm,
                [
                    "ExposedPorts": .map(["9/sctp": .map([:]), "9/udp": .map([:])]),
                    "HostConfig": .map([
                        "PortBindings": .map([
                            "9/sctp": .list([.texts(["HostIp": "127.0.0.1", "HostPort": "4567"])]),
                            "9/udp": .list([.texts(["HostIp": "127.0.0.1", "HostPort": "4567"])]),
                        ])
                    ]),
                ])
            #expect(
                one.config.network.ports == [
                    PortMapping(internal: 9, external: 4567, protocol: "udp")
                ])
            #expect(one.remarks.contains("port 9/sctp: not carried over"), "\(one.remarks)")
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
    @Test(arguments: [("hostname", "box"), ("utsMode", "host")])
    func anotherHostNameHidesNobody(key: String, value: String) throws {
        var config = InstanceConfig(name: "alice")
        config.specific = [key: .string(value)]
        let request = CreateRequest(
            config: config,
            ownership: Ownership(
                swarm: "s", name: "alice", id: "i", generation: 1, specHash: SpecHash(text: "")),
            starts: true)
        let body = CreateBody(request: request, settings: try dockerSettings([:]), ports: []).value
        let networks = body["NetworkingConfig.EndpointsConfig"]
        #expect(body["Hostname"] == (key == "hostname" ? .string("box") : nil))
        #expect(networks == .map(["pal_s": .map(["Aliases": .strings(["alice"])])]), "\(body)")
    }
}

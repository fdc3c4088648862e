import FoundationEssentials
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Creating on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct CreateTests {
    @Test("an instance becomes ready at its URL, with labels, limits, ports and its own network")
    func wholeSpec() async throws {
        try await TestSwarm.run { swarm in
            let workspace = FileManager.default.temporaryDirectory
                .appending(path: "pal-workspace-\(swarm.name)").path
            try FileManager.default.createDirectory(
                atPath: workspace, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: workspace) }
            let made = try await swarm.createReady("alice") {
                $0.specific = nil
                $0.resources.storagePersistent = nil
                $0.workspacePath = workspace
                $0.env = ["GREETING": "hello world"]
                $0.labels = ["team": "a"]
                $0.resources.cpuCores = 0.25
                $0.resources.memoryMin = 32
                $0.resources.memoryMax = 64
                $0.network.ports = [.init(internal: 9000), .init(internal: 53, protocol: "udp")]
            }
            #expect(made.status == .running)
            #expect(made.name == "alice")
            #expect(made.providerRegion == "local")
            #expect(made.config.resources.cpuCores == 0.25)
            #expect(made.config.resources.memoryMin == 32)
            #expect(made.config.resources.memoryMax == 64)
            #expect(made.config.image == BusyboxImage.name)
            #expect(made.network.internalIp != nil)
            #expect(made.network.ports.map(\.internal) == [53, 8080, 9000])
            #expect(made.network.ports.allSatisfy { PortChooser.range.contains($0.external ?? 0) })
            let port = try #require(made.network.port)
            #expect(made.network.urls == ["http://127.0.0.1:\(port)/"])
            let status = await swarm.engine.http.probe(
                url: "http://127.0.0.1:\(port)/index.html", timeout: .seconds(5))
            #expect(status == .success(200))

            let detail = try #require(try await swarm.provider.inspect(made.providerInstanceId))
            #expect(detail.plainName == "pal_\(swarm.name)_alice")
            #expect(detail.config.labels?["team"] == "a")
            let bindings = (detail.hostConfig.portBindings ?? [:]).values.compactMap { $0?.first }
            #expect(bindings.count == 3)
            #expect(bindings.allSatisfy { $0.address == "127.0.0.1" })
            #expect(detail.networkSettings?.networks?.keys.sorted() == ["pal_\(swarm.name)"])

            let inside = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", "echo $GREETING; hostname; mount"]))
            let text = String(decoding: inside.standardOutput, as: UTF8.self)
            #expect(text.hasPrefix("hello world\nalice\n"))
            #expect(text.contains(" on /home/coder type"))
            #expect(text.contains(" on /home/coder/project type"))
        }
    }

    @Test("a creation that does not start leaves a stopped instance, which can be started")
    func withoutStart() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.provider.createInstance(
                swarm.request(swarm.config("calm"), starts: false))
            #expect(made.status == .stopped)
            #expect(made.exit == nil)
            #expect(made.readiness == .unknown)
            try await swarm.provider.startInstance(made.reference)
            _ = try await swarm.wait(made.reference) { $0.readiness.isReady }
        }
    }

    @Test("a first creation that fails leaves nothing, and no network either")
    func nothingLeft() async throws {
        try await TestSwarm.run { swarm in
            _ = try await swarm.provider.listInstances(.all)
            _ = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(
                    swarm.request(
                        swarm.config("alice") {
                            $0.specific = ["user": .string("nobody-of-that-name")]
                        }))
            }
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
            #expect(try await !swarm.provider.networkExists(swarm.provider.networkName))
        }
    }

    @Test(
        "forty creations at once share one network, and each has ports of its own",
        .notOnPodman("4.3 loses its own mounts among so many"))
    func atOnce() async throws {
        try await TestSwarm.run { swarm in
            let made = try await withThrowingTaskGroup(of: VSCodeInstance.self) { group in
                for number in 0..<40 {
                    let config = swarm.config("at-once-\(number)") { $0.specific = nil }
                    group.addTask {
                        try await swarm.provider.createInstance(
                            swarm.request(config, starts: number % 8 == 0))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(made.count { $0.status == .running } == 5)
            let all = made.flatMap { $0.network.ports.compactMap(\.external) }
            #expect(all.count == 40)
            #expect(Set(all).count == 40)
            let answer = try await swarm.engine.send(
                EngineCall(
                    "GET", "/networks",
                    query: [EngineCall.filters(["label": ["pal.swarm=\(swarm.name)"]])]))
            #expect(try answer.decoded(as: [NetworkSummary].self).count == 1)
        }
    }

    @Test("a second creation finds what the first one made")
    func alreadyExists() async throws {
        try await TestSwarm.run { swarm in
            _ = try await swarm.create("twice")
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(
                    swarm.request(swarm.config("twice"), generation: 2))
            }
            #expect(failure.error?.kind == .instance)
            #expect(failure.error?.code == .alreadyExists)
        }
    }

    @Test("a foreign container that bears the name is named, and not touched")
    func nameTaken() async throws {
        try await TestSwarm.run { swarm in
            let id = try await swarm.makeForeign(name: "pal_\(swarm.name)_mine", starts: true)
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(swarm.config("mine")))
            }
            #expect(failure.error?.code == .nameTaken)
            #expect(failure.description.contains(id.prefix(12)))
            #expect(failure.description.contains("docker rename"))
            #expect(failure.description.contains("another name in its spec"))
            #expect(try await swarm.provider.inspectAny(id)?.isRunning == true)
            try await swarm.removeContainer(id)
        }
    }

    @Test("an image that nobody may pull is said, with what helps, and leaves nothing behind")
    func imageMissing() async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("bare") {
                $0.image = "registry.invalid:5000/none/such:1"
                $0.resources.storagePersistent = true
                $0.specific?["pull"] = .string("never")
            }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(failure.error?.kind == .instance)
            #expect(failure.error?.code == .imageMissing)
            #expect(failure.description.contains("docker pull registry.invalid:5000/none/such:1"))
            let prepared = try await DockerProviderTests.failure { () throws(ProviderFailure) in
                try await swarm.provider.prepareInstance(config)
            }
            #expect(prepared.error?.code == .imageMissing)
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
            #expect(try await swarm.provider.listStorage().isEmpty)
        }
    }

    @Test("a workspace that is not there is refused, and not made")
    func workspaceMissing() async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("lost") { $0.workspacePath = "/pal-no-such-\(swarm.name)" }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(failure.error?.kind == .configuration)
            #expect(failure.description.contains("/pal-no-such-\(swarm.name)"))
            #expect(!FileManager.default.fileExists(atPath: "/pal-no-such-\(swarm.name)"))
            let prepared = try await DockerProviderTests.failure { () throws(ProviderFailure) in
                try await swarm.provider.prepareInstance(config)
            }
            #expect(prepared.error?.kind == .configuration)
            try await swarm.provider.prepareInstance(swarm.config("fine"))
        }
    }

    @Test("what cannot be started is removed again, with the reason")
    func startFails() async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("broken") { $0.specific?["user"] = .string("no-such-user") }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(failure.error != nil)
            #expect(failure.description.contains("no-such-user"))
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    @Test("a volume that is kept is attached again, with a notice, and a foreign one is refused")
    func volumes() async throws {
        try await TestSwarm.run { swarm in
            let persistent: (inout InstanceConfig) -> Void = {
                $0.resources.storagePersistent = nil
            }
            let first = try await swarm.create("keeper", persistent)
            #expect(first.notices.isEmpty)
            let written = try await swarm.provider.executeCommand(
                first.reference, Command(["sh", "-c", "echo mine > /home/coder/note"]))
            #expect(written.exitCode == 0)
            #expect(try await swarm.provider.deleteInstance(first.reference))

            let second = try await swarm.create("keeper", persistent)
            #expect(second.notices.count == 1)
            let read = try await swarm.provider.executeCommand(
                second.reference, Command(["cat", "/home/coder/note", "/home/coder/from-image"]))
            #expect(String(decoding: read.standardOutput, as: UTF8.self) == "mine\nx\n")

            let foreign = "pal_\(swarm.name)_guest_home"
            _ = try await swarm.engine.send(
                EngineCall("POST", "/volumes/create", body: .texts(["Name": foreign])))
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(
                    swarm.request(swarm.config("guest", persistent)))
            }
            #expect(failure.error?.code == .nameTaken)
            #expect(failure.description.contains(foreign))
            _ = try await swarm.engine.send(EngineCall("DELETE", "/volumes/\(foreign)"))
        }
    }

    @Test(
        "a volume's driver enforces what it is told, and one that is not there is said",
        .notOnPodman("it takes a size for a quota of its file system, in memory too"))
    func volumeDriver() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("sized") {
                $0.resources.storagePersistent = true
                $0.specific?["volumeOptions"] = .texts([
                    "type": "tmpfs", "device": "tmpfs", "o": "size=8m",
                ])
            }
            let mounts = try await swarm.provider.executeCommand(
                made.reference, Command(["grep", " /home/coder ", "/proc/mounts"]))
            let said = String(decoding: mounts.standardOutput, as: UTF8.self)
            #expect(said.contains("size=8192k"), "\(said)")
            let refused = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(
                    swarm.request(
                        swarm.config("none") {
                            $0.resources.storagePersistent = true
                            $0.specific?["volumeDriver"] = .string("no-such-driver")
                        }))
            }
            #expect(refused.description.contains("correct specific.volumeDriver"), "\(refused)")
            #expect(refused.description.contains("no-such-driver"), "\(refused)")
        }
    }

    @Test(
        "a full disk of the Engine's host is said, with what makes room",
        arguments: ["/volumes/create", "/containers/create", "/start"])
    func diskFull(call: String) async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            relay.treat { seen in
                guard seen.method == "POST", seen.path.contains(call) else { return .pass }
                return .answer(
                    status: 500, message: "mkdir /var/lib/docker/x: no space left on device")
            }
            let config = swarm.config("alice") { $0.resources.storagePersistent = true }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(failure.error?.kind == .instance && failure.error?.isRetryable == true)
            #expect(failure.description.contains("docker system df"), "\(failure)")
            relay.treat { _ in .pass }
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    @Test(
        "GPUs that the Engine cannot give, and logs that it does not keep, are said with a remedy",
        .notOnPodman("it takes no requests for devices, and reads no 'none'"))
    func whatTheEngineLacks() async throws {
        try await TestSwarm.run { swarm in
            let refused = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(
                    swarm.request(swarm.config("gpu") { $0.specific?["gpus"] = .string("all") }))
            }
            #expect(refused.description.contains("container toolkit"), "\(refused)")
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
            let silent = try await swarm.create("silent") {
                $0.specific?["logging"] = .texts(["driver": "none"])
            }
            let unread = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.getInstanceLogs(silent.reference, LogOptions())
            }
            #expect(unread.description.contains("specific.logging"), "\(unread)")
        }
    }

    /// It took the request, and the instance ran without.
    @Test(
        "GPUs that Podman would not give are refused, with a remedy, and nothing is made",
        .enabled(if: DockerEngine.isPodman, "an Engine refuses by itself"))
    func gpusOnPodman() async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("gpu") { $0.specific?["gpus"] = .string("all") }
            for refused in [
                try await failure { () throws(ProviderFailure) in
                    try await swarm.provider.prepareInstance(config)
                },
                try await failure { () throws(ProviderFailure) in
                    try await swarm.provider.createInstance(swarm.request(config))
                },
            ] {
                #expect(refused.error?.kind == .configuration)
                #expect(refused.description.contains("specific.devices"), "\(refused)")
            }
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    @Test("the editor's port inside is the one that the spec says")
    func otherPort() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.createReady("moved") { $0.network.port = 9123 }
            #expect(made.network.ports.map(\.internal) == [9123])
        }
    }

    @Test(
        "the Engine's refusal of a limit is a configuration error",
        .notOnPodman("it refuses none before the start"))
    func limitRefused() async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("greedy") { $0.resources.cpuCores = 1000 }
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            }
            #expect(failure.error?.kind == .configuration)
            #expect(failure.error?.isRetryable == false)
        }
    }
}

import Glibc
import PalModel
import PalProvider
import Synchronization
import TestSupport
import Testing

@testable import DockerProvider

@Suite("Pulling an image", .needsRegistry, .timeLimit(.minutes(10)))
struct PullTests {
    @Test("what the Engine does not have is pulled, and how far it is can be followed")
    func missing() async throws {
        try await TestRegistry.run { registry in
            let image = try await registry.push("plain:1", megabytes: 4)
            try await TestSwarm.run { swarm in
                let heard = ProgressLog()
                let config = swarm.config("alice") { $0.image = image }
                let made = try await swarm.provider.createInstance(
                    swarm.request(config, progress: heard.take))
                #expect(made.status == .running)
                let all = heard.all
                #expect(all.first?.reason == "Pulling")
                #expect(all.first?.message == "the image \(image)")
                #expect(all.last?.reason == "Pulled")
                #expect(all.last?.message.contains(" at sha256:") == true)
                #expect(all.last?.message.contains(" MB, in ") == true)
                // Podman tells of layers, and containerd of bytes ten times a second at most.
                let isInContainerd = try await DockerEngine.shared.keepsImagesInContainerd()
                let tellsOfBytes = !DockerEngine.isPodman && !isInContainerd
                #expect(!tellsOfBytes || all.contains { $0.message.contains(" MB (") })
                let fractions = all.compactMap(\.fraction)
                #expect(fractions == fractions.sorted())
                #expect(fractions.last == 1)
            }
        }
    }

    /// How many pulls a creation with this policy makes.
    private func pulls(
        _ policy: String?, _ image: String, _ swarm: TestSwarm, _ relay: RelayEngine
    ) async throws -> Int {
        _ = relay.takeRequests()
        _ = try await swarm.create("p-\(policy ?? "none")") {
            $0.image = image
            $0.specific?["pull"] = policy.map { .string($0) }
        }
        return relay.takeRequests().count { $0.path.hasPrefix("/images/create?") }
    }

    @Test("an image that is there costs no further call, and one that is always pulled one")
    func calls() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let image = try await registry.push("calls:1")
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let first = try await pulls(nil, image, swarm, relay)
                #expect(first == 1)
                #expect(try await pulls("missing", image, swarm, relay) == 0)
                #expect(try await pulls("always", image, swarm, relay) == 1)
                #expect(try await pulls("never", image, swarm, relay) == 0)
            }
        }
    }

    @Test("before a replacement the image is pulled, and not a second time for the creation")
    func prepared() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let image = try await registry.push("prepared:1")
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let config = swarm.config("alice") {
                    $0.image = image
                    $0.specific?["pull"] = .string("always")
                }
                let heard = ProgressLog()
                try await swarm.provider.prepareInstance(config, progress: heard.take)
                #expect(heard.all.last?.reason == "Pulled")
                _ = try await swarm.provider.createInstance(swarm.request(config))
                let calls = relay.takeRequests()
                #expect(calls.count { $0.path.hasPrefix("/images/create?") } == 1)
            }
        }
    }

    @Test("what was pulled for a creation that never came is not believed for long")
    func preparedLongAgo() {
        let share = PullShare()
        let now = ContinuousClock.now
        share.prepared("x", for: "alice")
        #expect(!share.takePrepared("x", for: "alice", now: now + .seconds(601)))
        share.prepared("x", for: "alice")
        #expect(!share.takePrepared("y", for: "alice"))
        share.prepared("x", for: "alice")
        #expect(share.takePrepared("x", for: "alice"))
        #expect(!share.takePrepared("x", for: "alice"))
    }

    @Test(
        "the platform that a spec names is what is pulled, and one that there is none for is said")
    func platform() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let image = try await registry.push("platform:1")
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                func wish(_ platform: String) -> InstanceConfig {
                    swarm.config("alice") {
                        $0.image = image
                        $0.specific?["platform"] = .string(platform)
                    }
                }
                for failure in try await failures(swarm, wish("linux/s390x")) {
                    #expect(failure.error?.code == .imageMissing, "\(failure)")
                    #expect(failure.description.contains("linux/s390x"), "\(failure)")
                }
                let pulls = relay.takeRequests().map(\.path).filter {
                    $0.hasPrefix("/images/create?")
                }
                #expect(!pulls.isEmpty)
                #expect(pulls.allSatisfy { $0.hasSuffix("&platform=linux%2Fs390x") }, "\(pulls)")
                let own = try await swarm.provider.inspectImage(BusyboxImage.name)
                let architecture = try #require(own?.architecture)
                let made = try await swarm.provider.createInstance(
                    swarm.request(wish("linux/\(architecture)")))
                #expect(made.status == .running)
            }
        }
    }

    @Test("what is never pulled is missing, and the message says what to do")
    func never() async throws {
        try await TestRegistry.run { registry in
            let image = try await registry.push("never:1")
            try await TestSwarm.run { swarm in
                let config = swarm.config("alice") {
                    $0.image = image
                    $0.specific?["pull"] = .string("never")
                }
                for failure in try await failures(swarm, config) {
                    #expect(failure.error?.code == .imageMissing)
                    #expect(failure.description.contains("docker pull \(image)"))
                    #expect(failure.description.contains("specific.pull: never"))
                }
                #expect(try await swarm.provider.inspectImage(image) == nil)
            }
        }
    }

    @Test("what is never pulled may be there for a platform that its store does not show")
    func neverForAnotherPlatform() async throws {
        let hasOneForEach = try await !DockerEngine.shared.keepsImagesInContainerd()
        try await TestSwarm.run { swarm in
            let config = swarm.config("alice") {
                $0.specific?["pull"] = .string("never")
                $0.specific?["platform"] = .string("linux/s390x")
            }
            var refusal: ProviderFailure?
            do throws(ProviderFailure) {
                try await swarm.provider.prepareInstance(config)
            } catch {
                refusal = error
            }
            #expect(refusal?.error?.code == (hasOneForEach ? .imageMissing : nil))
        }
    }

    /// Of a preparation and of a creation.
    private func failures(
        _ swarm: TestSwarm, _ config: InstanceConfig
    ) async throws -> [ProviderFailure] {
        [
            try await failure { () throws(ProviderFailure) in
                try await swarm.provider.prepareInstance(config)
            },
            try await failure { () throws(ProviderFailure) in
                try await swarm.provider.createInstance(swarm.request(config))
            },
        ]
    }

    @Test("an image that the registry does not have is a failure that no repetition mends")
    func unknown() async throws {
        try await TestRegistry.run { registry in
            try await TestSwarm.run { swarm in
                let image = registry.name("none/such:1")
                let config = swarm.config("alice") { $0.image = image }
                for failure in try await failures(swarm, config) {
                    #expect(failure.error?.kind == .instance)
                    #expect(failure.error?.code == .imageMissing)
                    #expect(failure.error?.isRetryable == false)
                    #expect(failure.description.contains("no image \(image)"))
                }
                #expect(try await swarm.provider.listInstances(.all).isEmpty)
            }
        }
    }

    @Test("a registry that cannot be reached is a failure of the instance, not of Docker")
    func unreachable() async throws {
        try await TestSwarm.run { swarm in
            let config = swarm.config("alice") { $0.image = "registry.invalid:5000/none/such:1" }
            for failure in try await failures(swarm, config) {
                #expect(failure.error?.kind == .instance)
                #expect(failure.error?.code == .pullFailed)
                #expect(failure.error?.isRetryable == true)
                #expect(failure.description.contains("cannot reach registry.invalid:5000"))
            }
        }
    }

    @Test("an id is not pulled")
    func id() async throws {
        try await TestSwarm.run { swarm in
            let id = "sha256:" + String(repeating: "0", count: 64)
            let config = swarm.config("alice") { $0.image = id }
            for failure in try await failures(swarm, config) {
                #expect(failure.error?.code == .imageMissing)
                #expect(failure.description.contains("an id cannot be pulled"))
            }
        }
    }

    @Test(
        "a digest is pulled exactly, with and without a tag beside it",
        .notOnPodman("it pushes another manifest than it keeps"))
    func digest() async throws {
        try await TestRegistry.run { registry in
            let image = try await registry.push("exact:1", staysHere: true)
            try await TestSwarm.run { swarm in
                let detail = try #require(try await swarm.provider.inspectImage(image))
                let digest = try #require(detail.digest(of: ImageReference(image)))
                try await registry.forget(image)
                for (name, text) in [
                    ("a", registry.name("exact@\(digest)")), ("b", "\(image)@\(digest)"),
                ] {
                    let pulled = try await swarm.provider.pull(text) { _ in }
                    #expect(pulled.id == detail.id)
                    #expect(pulled.digest == digest)
                    #expect(try await swarm.create(name) { $0.image = text }.status == .running)
                }
            }
        }
    }

    @Test("a pull that is cut off is a failure that a repetition mends")
    func cut() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let image = try await registry.push("cut:1", megabytes: 4)
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                relay.treat { $0.path.hasPrefix("/images/create?") ? .cut(after: 450) : .pass }
                let config = swarm.config("alice") { $0.image = image }
                let heard = ProgressLog()
                let failure = try await failure { () throws(ProviderFailure) in
                    try await swarm.provider.createInstance(
                        swarm.request(config, progress: heard.take))
                }
                #expect(failure.error?.kind == .instance)
                #expect(failure.error?.code == .pullBrokeOff)
                #expect(failure.error?.isRetryable == true)
                #expect(failure.description.contains("broke off"))
                #expect(heard.all.first?.reason == "Pulling")
                #expect(!heard.all.contains { $0.reason == "Pulled" })
                relay.treat { _ in .pass }
                let made = try await swarm.provider.createInstance(swarm.request(config))
                #expect(made.status == .running)
            }
        }
    }

    @Test("two that need the same image at once share one pull, and both hear of it")
    func shared() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let image = try await registry.push("shared:1", megabytes: 1)
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let names = ["alice", "bob", "carol"]
                let creations = Mutex(0)
                relay.treat { seen in
                    if seen.path.hasPrefix("/containers/create?") {
                        creations.withLock { $0 += 1 }
                    }
                    // The first pull begins when all have asked for a container.
                    while seen.path.hasPrefix("/images/create?"),
                        creations.withLock({ $0 < names.count })
                    {
                        usleep(1000)
                    }
                    return .pass
                }
                let heard = ProgressLog()
                try await withThrowingTaskGroup(of: VSCodeInstance.self) { group in
                    for name in names {
                        let request = swarm.request(
                            swarm.config(name) { $0.image = image }, progress: heard.take)
                        group.addTask { try await swarm.provider.createInstance(request) }
                    }
                    for try await made in group { #expect(made.status == .running) }
                }
                let calls = relay.takeRequests()
                #expect(calls.count { $0.path.hasPrefix("/images/create?") } == 1)
                #expect(heard.all.contains { $0.reason == "Pulled" })
            }
        }
    }

    @Test("a pull whose task is cancelled ends, and the next in line takes its place")
    func cancelled() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let image = try await registry.push("cancelled:1", megabytes: 1)
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let holds = Mutex(true)
                relay.treat { seen in
                    while seen.path.hasPrefix("/images/create?"), holds.withLock({ $0 }) {
                        usleep(1000)
                    }
                    return .pass
                }
                let (started, starts) = AsyncStream<Void>.makeStream()
                let first = Task {
                    try await swarm.provider.pull(image) { _ in starts.yield() }
                }
                for await _ in started { break }
                let second = Task { try await swarm.provider.pull(image) { _ in } }
                first.cancel()
                await #expect(throws: ProviderFailure.self) { try await first.value }
                holds.withLock { $0 = false }
                let pulled = try await second.value
                #expect(pulled.digest != nil)
            }
        }
    }
}

/// What a call told of how far it was.
final class ProgressLog: Sendable {
    private let heard = Mutex<[Progress]>([])

    var all: [Progress] { heard.withLock { $0 } }
    var take: ProgressHandler { { progress in self.heard.withLock { $0.append(progress) } } }
}

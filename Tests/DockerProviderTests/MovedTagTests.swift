import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("A tag that moves", .needsRegistry, .timeLimit(.minutes(10)))
struct MovedTagTests {
    /// The image that a name stands for at the Engine.
    private func image(_ swarm: TestSwarm, _ name: String) async throws -> ImageDetail {
        try #require(try await swarm.provider.inspectImage(name))
    }

    /// Gives an image a name again.
    private func tag(_ swarm: TestSwarm, _ id: String, _ name: String) async throws {
        let reference = ImageReference(name)
        let answer = try await swarm.engine.send(
            EngineCall(
                "POST", "/images/\(id)/tag",
                query: [("repo", reference.name), ("tag", reference.wanted)]))
        #expect(answer.isSuccess)
    }

    @Test("image and digest are told of an instance, by each way of looking at it")
    func told() async throws {
        try await TestRegistry.run { registry in
            let name = try await registry.push("told:1", staysHere: true)
            try await TestSwarm.run { swarm in
                let made = try await swarm.createReady("alice") { $0.image = name }
                let detail = try await image(swarm, name)
                #expect(made.metadata["imageId"] == detail.id)
                #expect(made.metadata["imageDigest"] == detail.digest(of: ImageReference(name)))
                #expect(made.metadata["imageDigest"]?.hasPrefix("sha256:") == true)
                #expect(made.outdated == nil)
                #expect(try await swarm.provider.listInstances(.all) == [made])
            }
        }
    }

    @Test(
        "an image that was never at a registry has an id only",
        .notOnPodman("every image has a digest there"),
        .notWithContainerdStore("every image has a digest there"))
    func local() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            #expect(made.metadata["imageId"]?.hasPrefix("sha256:") == true)
            #expect(made.metadata["imageDigest"] == nil)
        }
    }

    @Test("the instance is outdated, from digest to digest, and the event says where to look")
    func moved() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let name = try await registry.push("moved:1", staysHere: true)
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let reference = ImageReference(name)
                let old = try await image(swarm, name)
                let made = try await swarm.createReady("alice") { $0.image = name }
                _ = try await swarm.createReady("bob")
                try await swarm.withEvents { events in
                    let before = try await swarm.provider.listInstances(.all)
                    #expect(before.map(\.outdated) == [nil, nil])
                    try await registry.push("moved:1", staysHere: true)
                    try await events.wait { $0.contains(made.providerInstanceId, "image tag") }
                    let new = try await image(swarm, name)
                    let list = try await swarm.provider.listInstances(.all)
                    let expected = FieldChange(
                        path: "image", from: old.digest(of: reference).map { .string($0) },
                        to: new.digest(of: reference).map { .string($0) })
                    if DockerEngine.isPodman {
                        // It gives an image another digest once that is pushed, and says nothing.
                        #expect(list.first?.outdated?.map(\.path) == ["image"])
                    } else {
                        #expect(list.first?.outdated == [expected])
                    }
                    #expect(list.last?.outdated == nil)
                    #expect(list.first?.metadata["imageId"] == old.id)
                    // Nothing happened since, and all of it is known.
                    _ = relay.takeRequests()
                    #expect(try await swarm.provider.listInstances(.all) == list)
                    // Podman says of other tests' images only that they changed, not which.
                    #expect(DockerEngine.isPodman || relay.takeRequests().count == 1)

                    let tags = events.tags
                    try await tag(swarm, old.id, name)
                    try await events.wait { $0.tags > tags }
                    let again = try await swarm.provider.listInstances(.all)
                    #expect(again.first?.outdated == nil)
                }
            }
        }
    }

    @Test("what happens to other images makes no list longer")
    func others() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                _ = try await swarm.createReady("alice")
                try await swarm.withEvents { events in
                    _ = try await swarm.provider.listInstances(.all)
                    _ = try await swarm.provider.listInstances(.all)
                    try await registry.push("other:1")
                    _ = relay.takeRequests()
                    _ = try await swarm.provider.listInstances(.all)
                    #expect(relay.takeRequests().count == 1)
                    #expect(events.all == [.connected])
                }
            }
        }
    }

    @Test("a tag that moved at the registry is fetched where that is wanted, and asked for seldom")
    func followed() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let name = try await registry.push("followed:1", staysHere: true)
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let config = swarm.config("alice") {
                    $0.image = name
                    $0.specific?["followTag"] = .bool(true)
                }
                #expect(swarm.provider.looksForNewer(config))
                #expect(!swarm.provider.looksForNewer(swarm.config("bob")))
                _ = try await swarm.provider.createInstance(swarm.request(config))
                let old = try await image(swarm, name)
                try await registry.push("followed:1", staysHere: true)
                let new = try await image(swarm, name)
                // Here the name stands for the old one again.
                try await tag(swarm, old.id, name)
                #expect(try await swarm.provider.listInstances(.all).first?.outdated == nil)

                let heard = ProgressLog()
                try await swarm.provider.fetchNewer(config, progress: heard.take)
                #expect(heard.all.map(\.reason).last == "Pulled")
                #expect(try await image(swarm, name).id == new.id)
                let seen = try #require(try await swarm.provider.listInstances(.all).first)
                let change = try #require(seen.outdated?.first)
                #expect(change.path == "image")
                #expect(swarm.provider.follows(change, config))
                #expect(!swarm.provider.follows(change, swarm.config("alice")))

                _ = relay.takeRequests()
                try await swarm.provider.fetchNewer(config, progress: heard.take)
                #expect(relay.takeRequests().isEmpty)
            }
        }
    }

    @Test("what was cut off in the middle of a fetch is fetched at once when it is asked for again")
    func cutOff() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let name = try await registry.push("cut:1", staysHere: true)
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let config = swarm.config("alice") { $0.image = name }
                let old = try await image(swarm, name)
                try await registry.push("cut:1", megabytes: 4)
                try await tag(swarm, old.id, name)
                // The head of the answer is whole, the rest of it is lost.
                relay.treat { $0.path.hasPrefix("/images/create?") ? .cut(after: 450) : .pass }
                await #expect(throws: ProviderFailure.self) {
                    try await swarm.provider.fetchNewer(config) { _ in }
                }
                relay.treat { _ in .pass }
                try await swarm.provider.fetchNewer(config) { _ in }
                #expect(try await image(swarm, name).id != old.id)
            }
        }
    }

    @Test(
        "a registry that has nothing newer costs two calls and no pull",
        .notOnPodman("it has no call that asks a registry"))
    func upToDate() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestRegistry.run { registry in
            let name = try await registry.push("same:1", staysHere: true)
            try await TestSwarm.run(socketPath: relay.path) { swarm in
                let config = swarm.config("alice") { $0.image = name }
                try await swarm.provider.initialize()
                _ = relay.takeRequests()
                try await swarm.provider.fetchNewer(config) { _ in }
                let calls = relay.takeRequests().map(\.path)
                #expect(calls.count == 2)
                #expect(calls.last?.hasPrefix("/distribution/") == true)
            }
        }
    }

    @Test("the registry is asked again after five minutes, and no sooner")
    func pause() {
        let looks = RegistryLooks()
        let now = ContinuousClock.now
        #expect(looks.begin("a", now: now))
        #expect(looks.begin("b", now: now))
        #expect(!looks.begin("a", now: now + .seconds(299)))
        #expect(looks.begin("a", now: now + .seconds(300)))
    }
}

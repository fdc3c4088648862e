import Logging
import PalModel
import PalProvider
import Synchronization
import TestSupport
import Testing

@testable import DockerProvider

/// Removals that somebody else began, and that take long or break off.
@Suite("Removals under way on Docker", .needsDockerEngine, .timeLimit(.minutes(10)))
struct RemovalTests {
    @Test(
        "what broke off midway is being deleted, and a deletion ends it", .needsRoot,
        .notOnPodman("there it breaks the whole store"),
        .notWithContainerdStore("it removes a layer later, and tells nobody"))
    func brokenOff() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let removal = try await BrokenRemoval(of: made.providerInstanceId)
            #expect(try await swarm.provider.listInstances(.all).map(\.status) == [.deleting])
            let failure = try await failure { () throws(ProviderFailure) in
                try await swarm.provider.deleteInstance(made.reference)
            }
            #expect(failure.description.contains(removal.file), "\(failure)")
            try await removal.mend()
            #expect(try await swarm.provider.deleteInstance(made.reference))
            #expect(try await swarm.provider.listInstances(.all).isEmpty)
        }
    }

    @Test(
        "a creation waits for what bears its name and is being removed", .needsRoot,
        .notOnPodman("there it breaks the whole store"),
        .notWithContainerdStore("it removes a layer later, and tells nobody"))
    func creationWaits() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let name = "pal_\(swarm.name)_alice"
            let id = try await swarm.makeForeign(name: name)
            let removal = try await BrokenRemoval(of: id)
            let (looks, look) = AsyncStream.makeStream(of: Void.self)
            relay.treat { seen in
                if seen.path == "/containers/\(name)/json" { look.yield() }
                return .pass
            }
            async let made = swarm.create("alice")
            // The conflict is seen, and waited for.
            for await _ in looks.prefix(2) {}
            try await removal.mend()
            try await DockerEngine.shared.call("DELETE", "/containers/\(id)?force=1")
            #expect(try await made.status == .running)
        }
    }

    @Test("a deletion waits for the one that is under way")
    func deletionWaits() async throws {
        let relay = try RelayEngine()
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let made = try await swarm.create("alice")
            let id = made.providerInstanceId
            let (looks, look) = AsyncStream.makeStream(of: Void.self)
            relay.treat { seen in
                guard seen.method == "DELETE" else {
                    look.yield()
                    return .pass
                }
                return .answer(
                    status: 409, message: "removal of container \(id) is already in progress")
            }
            async let isDeleted = swarm.provider.deleteInstance(made.reference)
            for await _ in looks.prefix(3) {}
            try await DockerEngine.shared.call("DELETE", "/containers/\(id)?force=1")
            #expect(try await isDeleted)
        }
    }

    @Test("pal neither stops nor deletes the container that it runs in")
    func itself() async throws {
        try await TestSwarm.run { swarm in
            let made = try await swarm.create("alice")
            let inside = DockerProvider(
                swarm.provider.settings, logger: Logger(label: "test"),
                ownContainer: made.providerInstanceId)
            for call in ["stop", "delete"] {
                let failure = try await failure { () throws(ProviderFailure) in
                    if call == "stop" {
                        try await inside.stopInstance(made.reference, force: true)
                    } else {
                        _ = try await inside.deleteInstance(made.reference)
                    }
                }
                #expect(failure.error?.isRetryable == false)
                #expect(failure.description.contains("suspend: true"), "\(failure)")
            }
            await inside.shutdown()
            #expect(try await swarm.provider.listInstances(.all).map(\.status) == [.running])
        }
    }

    /// Lines as Docker 20.10 and Podman 4.3 leave them.
    @Test("the container that pal runs in is known by where its host name is mounted from")
    func ownId() {
        let id = String(repeating: "0123456789abcdef", count: 4)
        let docker =
            "1 2 0:3 / /etc rw - ext4 a rw\n614 2 254:1 /var/lib/docker/containers/\(id)"
            + "/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw\n"
        #expect(OwnContainer.id(mountInfo: docker) == id)
        let podman = "9 2 0:25 /containers/overlay-containers/\(id)/userdata/hostname /etc/hostname"
        #expect(OwnContainer.id(mountInfo: podman + " rw - tmpfs tmpfs rw") == id)
        #expect(OwnContainer.id(mountInfo: "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n") == nil)
        #expect(OwnContainer.id(mountInfo: "22 1 0:1 /h /etc/hostname rw - tmpfs t rw") == nil)
        #expect(OwnContainer.id == nil || OwnContainer.id?.count == 64)
    }

    /// What the Engine refused was taken for done, and nobody was told.
    @Test(
        "a network that the Engine keeps is said",
        .notOnPodman("it answers as if it had failed, and is asked again"))
    func keptNetwork() async throws {
        let told = Told()
        try await TestSwarm.run(logger: Logger(label: "test") { _ in told }) { swarm in
            let made = try await swarm.create("alice") { $0.specific = nil }
            let network = swarm.provider.networkName
            let body =
                #"{"Image": "\#(BusyboxImage.name)", "#
                + #""HostConfig": {"NetworkMode": "\#(network)"}}"#
            let stranger = "stranger-\(swarm.name)"
            try await DockerEngine.shared.call(
                "POST", "/containers/create?name=\(stranger)", body: Array(body.utf8))
            try await DockerEngine.shared.call("POST", "/containers/\(stranger)/start")
            #expect(try await swarm.provider.deleteInstance(made.reference))
            _ = try await swarm.provider.listInstances(.all)
            let line = told.lines.withLock { $0.first { $0.contains("keeps the network") } }
            #expect(line?.contains(network) == true && line?.contains("endpoint") == true)
            try await DockerEngine.shared.call("DELETE", "/containers/\(stranger)?force=1")
        }
    }
}

/// A log's lines.
private final class Told: LogHandler {
    let lines = Mutex<[String]>([])
    var metadata: Logger.Metadata {
        get { [:] }
        set { _ = newValue }
    }
    var logLevel: Logger.Level {
        get { .warning }
        set { _ = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set { _ = newValue }
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }
}

/// Whether a list is needed to know that the last one is gone.
@Suite("Known members of a swarm on Docker")
struct MembersTests {
    /// The network of twenty that were deleted at once stayed.
    @Test func aListThatIsOlderThanARemovalBringsNothingBack() {
        let members = Members()
        #expect(members.mayBeEmpty, "nobody has asked yet")
        members.replace(["a"], asOf: members.changes)
        #expect(!members.mayBeEmpty)
        let asked = members.changes
        members.remove("a")
        members.replace(["a"], asOf: asked)
        #expect(members.mayBeEmpty)
        members.insert("b")
        members.replace([], asOf: asked)
        #expect(!members.mayBeEmpty)
        members.replace([], asOf: members.changes)
        #expect(members.mayBeEmpty)
        members.beginCreation()
        #expect(!members.mayBeEmpty, "one is to come")
        members.endCreation()
        #expect(members.mayBeEmpty)
    }
}

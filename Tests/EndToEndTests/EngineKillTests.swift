import Foundation
import Glibc
import PalHTTP
import Synchronization
import TestSupport
import Testing

/// An Engine that dies in the middle of what it was asked, and comes back: at every change that pal
/// asks of it for an operation, one after the other. Nothing is lost, nothing is there twice.
@Suite(
    "An Engine that is killed", .serialized, .needsRegistry,
    .needsKillableEngine, .timeLimit(.minutes(15)))
struct EngineKillTests {
    /// What is asked of pal when the Engine is killed.
    enum Operation: String, CaseIterable, CustomTestStringConvertible {
        case create, pull, update, replace
        /// A replacement that stands before the old one goes, for there is no home to hand over.
        case succeed
        /// The first replacement of a container that was made by hand.
        case adopt
        case stop, start, restart, delete
        /// The editor's extensions, which take some commands inside.
        case extend
        /// What the registry has and the Engine has not yet.
        case follow
        var testDescription: String { rawValue }
    }

    @Test(arguments: Operation.allCases)
    func nothingIsLostAndNothingDoubled(_ operation: Operation) async throws {
        switch operation {
        case .pull:
            try await TestRegistry.run { registry in
                try await play(operation, try await registry.push("killed:1", megabytes: 16))
            }
        case .follow:
            try await TestRegistry.run { try await play(operation, $0.name("killed"), $0) }
        case .extend: try await play(operation, EditorImages.codeServer)
        default: try await play(operation, BusyboxImage.name)
        }
    }

    private func play(
        _ operation: Operation, _ image: String, _ registry: TestRegistry? = nil
    ) async throws {
        let engine: any KillableEngine = DockerEngine.isPodman ? OwnPodman() : try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        if operation == .extend {
            try await EditorImages.loadCodeServer(at: engine.socket)
        }
        let relay = try RelayEngine(to: engine.socket)
        defer { relay.close() }
        try await Scene.play { plain in
            let scene = plain.with(["DOCKER_HOST": "unix://\(relay.path)"])
            let play = Play(
                operation: operation, image: image, registry: registry, scene: scene,
                engine: engine, relay: relay)
            // After a complete list the registry is asked.
            if operation == .follow {
                let path = scene.root + "/pal.yaml"
                let config = try String(contentsOfFile: path, encoding: .utf8)
                try (config + "\nresync: 5s\n").write(
                    toFile: path, atomically: true, encoding: .utf8)
            }
            try await scene.running {
                var change = 1
                while change <= play.most, try await play.killed(at: change) { change += 1 }
                #expect(change > 1, "the Engine was never killed")
            }
            try await DockerEngine(socket: engine.socket).removeEverything(of: scene.swarm)
        }
    }
}

/// One operation, again and again.
private struct Play {
    let operation: EngineKillTests.Operation
    let image: String
    let registry: TestRegistry?
    let scene: Scene
    let engine: any KillableEngine
    let relay: RelayEngine

    /// After as many changes the same come again: a look at how far the extensions are.
    var most: Int { operation == .extend ? 6 : .max }

    /// Runs the operation and kills the Engine at the change of that number.
    ///
    /// - Returns: False where the operation was done before it came to so many changes.
    func killed(at change: Int) async throws -> Bool {
        let row = try await prepare(change)
        let start = Start(row: row, startedAt: await startedAt())
        let fuse = Fuse(change)
        let death = engine.killer
        relay.treat { [operation] seen in
            Self.isChange(seen, of: operation) && fuse.burns(at: seen) ? .interrupt(death) : .pass
        }
        let wish = wish(change)
        async let asked: Void = wish()
        try await scene.eventually("\(operation) is done or the Engine is dead") {
            if fuse.victim != nil { return true }
            return await isReached($0, start, change)
        }
        relay.treat { _ in .pass }
        let victim = fuse.victim
        if victim != nil {
            try await engine.bury()
            try await engine.start()
        }
        try await asked
        var isMended = victim?.path != "/volumes/create"
        try await scene.eventually(
            "\(operation) is done after \(String(describing: victim))"
        ) {
            // The Engine's own half-made volume: nobody can know whose it is, and pal says so.
            if !isMended, let why = $0["alice"]?.message("Failing"),
                why.contains("docker volume rm")
            {
                #expect(why.contains("killed while it made it"))
                try await removeVolume(why)
                isMended = true
            }
            return await isReached($0, start, change)
        }
        try await look(victim, start)
        return victim != nil
    }

    /// How it was before the operation.
    private struct Start {
        var row: Scene.Row?
        /// When the container's run began.
        var startedAt: String?
    }

    /// The swarm as it is before the operation.
    private func prepare(_ change: Int) async throws -> Scene.Row? {
        if operation == .follow {
            if change > 1 { try scene.remove("alice.yaml") }
            try await scene.eventually("nothing is there") { $0["alice"] == nil }
            // A name of its own each time: a registry is not asked of one again for a while.
            try await registry?.push("killed:\(change)")
            try scene.write("alice.yaml", spec(0, tag: ":\(change)"))
            let ready = try await scene.eventually("alice is ready") { $0["alice"]?.ready == true }
            let docker = DockerEngine(socket: engine.socket)
            let here = try await docker.call("GET", "/images/\(image):\(change)/json")
            struct Image: Decodable { var Id: String }
            let old = try JSONDecoder().decode(Image.self, from: Data(here.body)).Id
            try await registry?.push("killed:\(change)")
            // Podman's services have one storage, so that the tag went with the newer image.
            try await docker.call("POST", "/images/\(old)/tag?repo=\(image)&tag=\(change)")
            return ready["alice"]
        }
        if [.create, .pull, .extend].contains(operation) {
            if change > 1 { try scene.remove("alice.yaml") }
            try await scene.eventually("nothing is there") { $0["alice"] == nil }
            if operation == .pull {
                try await DockerEngine(socket: engine.socket).call("DELETE", "/images/\(image)")
            }
            return nil
        }
        if operation == .adopt {
            if change > 1 { try scene.remove("alice.yaml") }
            try await scene.eventually("nothing is there") { $0["alice"] == nil }
            try scene.write("alice.yaml", spec(0) + "adopt: \(try await makeByHand())\n")
        }
        // The very first is as `wish` left the one before.
        if operation == .delete {
            try scene.write("alice.yaml", whole)
        } else if change == 1, operation != .adopt {
            try scene.write("alice.yaml", spec(0))
        }
        if operation == .stop, change > 1 { _ = try await scene.pal("start", "alice") }
        let ready = try await scene.eventually("alice is ready") { $0["alice"]?.ready == true }
        if operation == .adopt { return ready["alice"] }
        let wrote = try await scene.pal(
            "exec", "alice", "--", "sh", "-c", "echo work > /home/coder/unsaved")
        #expect(wrote.code == 0, "\(wrote)")
        if operation == .start {
            let stopped = try await scene.pal("stop", "alice")
            #expect(stopped.code == 0, "\(stopped)")
        }
        return ready["alice"]
    }

    /// A container of somebody's, as the spec says. Returns its id.
    private func makeByHand() async throws -> String {
        struct Made: Decodable { var Id: String }
        let docker = DockerEngine(socket: engine.socket)
        let body = """
            {"Image": "\(image)", "Env": ["VERSION=0"], "ExposedPorts": {"8080/tcp": {}},
             "HostConfig": {"Memory": \(128 << 20), "PortBindings": {"8080/tcp":
               [{"HostIp": "127.0.0.1", "HostPort": "\(Scene.port(scene.swarm))"}]}}}
            """
        let answer = try await docker.call("POST", "/containers/create", body: Array(body.utf8))
        let id = try JSONDecoder().decode(Made.self, from: Data(answer.body)).Id
        try await docker.call("POST", "/containers/\(id)/start")
        return id
    }

    private func wish(_ change: Int) -> @Sendable () async throws -> Void {
        let scene = scene
        let text =
            switch operation {
            case .update: spec(0, memory: Self.memory(change))
            case .replace, .succeed, .adopt: spec(change)
            case .extend: whole + "extensions: [golang.go, a.b]\n"
            case .follow: spec(0, tag: ":\(change)") + "specific: { followTag: true }\n"
            default: whole
            }
        return switch operation {
        case .create, .pull, .update, .replace, .succeed, .adopt, .extend, .follow:
            { try scene.write("alice.yaml", text) }
        // It may fail, and say so: the request is done when the Engine is back.
        case .stop: { _ = try await scene.pal("stop", "alice", "--timeout", "60s") }
        case .start: { _ = try await scene.pal("start", "alice", "--timeout", "60s") }
        case .restart: { _ = try await scene.pal("restart", "alice", "--timeout", "60s") }
        case .delete: { try scene.remove("alice.yaml") }
        }
    }

    private func isReached(
        _ status: Scene.Status, _ start: Start, _ change: Int
    ) async -> Bool {
        let alice = status["alice"]
        let isReady = alice?.ready == true && alice?.has("ProviderUnreachable") != true
        switch operation {
        case .create, .pull, .start, .extend: return isReady
        case .restart:
            let now = await startedAt()
            return isReady && now != nil && now != start.startedAt
        case .update:
            let memory = await memory()
            return isReady && memory == Self.memory(change)
        case .replace, .succeed, .follow:
            return isReady && alice?.generation == (start.row?.generation ?? 0) + 1
        case .adopt:
            let id = alice?.instance?.providerInstanceId
            return isReady && id != nil && id != start.row?.instance?.providerInstanceId
        case .stop: return alice?.status == "stopped"
        case .delete: return alice == nil
        }
    }

    private func look(_ victim: RelayEngine.Seen?, _ start: Start) async throws {
        let docker = DockerEngine(socket: engine.socket)
        let expected = operation == .delete ? 0 : 1
        try await scene.eventually("there is one after \(String(describing: victim))") { _ in
            try await docker.containers(swarm: scene.swarm).count == expected
        }
        if operation == .adopt, let id = start.row?.instance?.providerInstanceId {
            let left = try await docker.call("GET", "/containers/\(id)/json")
            #expect(left.status == 404, "the old one is left after \(String(describing: victim))")
        }
        if operation == .delete {
            let swarm = "pal_\(scene.swarm)"
            for path in ["/volumes/\(swarm)_alice_home", "/networks/\(swarm)"] {
                try await scene.eventually("\(path) is gone after \(String(describing: victim))") {
                    _ in
                    let left = try await docker.call("GET", path)
                    return left.status == 404
                }
            }
        }
        if operation == .extend {
            let list = try await scene.pal(
                "exec", "alice", "--", "code-server", "--list-extensions")
            #expect(list.out == "a.b@1.0.0\ngolang.go@1.0.0\n", "\(list)")
        }
        guard [.update, .replace, .stop, .start, .restart].contains(operation) else { return }
        if operation == .stop {
            let started = try await scene.pal("start", "alice")
            #expect(started.code == 0, "\(started)")
        }
        let seen = try await scene.pal("exec", "alice", "--", "cat", "/home/coder/unsaved")
        #expect(seen.out == "work\n", "after \(String(describing: victim)): \(seen)")
    }

    /// Does what the message says.
    private func removeVolume(_ message: String) async throws {
        let name = message.split(separator: " ").last { $0.hasPrefix("pal_") } ?? ""
        let answer = try await DockerEngine(socket: engine.socket)
            .call("DELETE", "/volumes/\(name.prefix { $0 != ")" })")
        #expect(answer.status == 204)
        // Now, instead of when the next try is due.
        _ = try await scene.pal("retry", "alice")
    }

    /// Of what has other operations within it, only that which is its own.
    private static func isChange(
        _ seen: RelayEngine.Seen, of operation: EngineKillTests.Operation
    ) -> Bool {
        switch operation {
        case .extend: seen.path.contains("/exec")
        case .follow: seen.path.contains("/images/create")
        default:
            seen.method != "GET" && seen.method != "HEAD" && !seen.path.contains("/exec")
                && !seen.path.contains("/wait")
        }
    }

    /// What an update asks for, in MiB.
    private static func memory(_ change: Int) -> Int { 128 + 16 * change }

    /// The memory that the container may use, in MiB; nil where nothing says.
    private func memory() async -> Int? {
        let engine = DockerEngine(socket: engine.socket)
        guard let id = try? await engine.containers(swarm: scene.swarm).first?.Id else {
            return nil
        }
        return try? await engine.memory(of: id)
    }

    /// When the container's run began; nil where nothing says.
    private func startedAt() async -> String? {
        let engine = DockerEngine(socket: engine.socket)
        guard let id = try? await engine.containers(swarm: scene.swarm).first?.Id else {
            return nil
        }
        return try? await engine.detail(of: id).State.StartedAt
    }

    /// With a volume that goes with it, and a secret, which is written into it as a file.
    private var whole: String {
        spec(0) + "onDelete: delete\nsecrets: { SEARCH: { fromEnv: PATH } }\n"
    }

    private func spec(_ version: Int, memory: Int = 128, tag: String = "") -> String {
        """
        name: alice
        image: \(image)\(tag)
        resources: { memory: { max: \(memory) }, storage: { persistent: \(operation != .succeed) } }
        env: { VERSION: "\(version)" }

        """
    }
}

/// Burns at the request of a number, and remembers which that was.
private final class Fuse: Sendable {
    private struct State {
        var left: Int
        var victim: RelayEngine.Seen?
    }

    private let state: Mutex<State>

    init(_ number: Int) { state = Mutex(State(left: number)) }

    var victim: RelayEngine.Seen? { state.withLock(\.victim) }

    func burns(at request: RelayEngine.Seen) -> Bool {
        state.withLock { state in
            state.left -= 1
            if state.left == 0 { state.victim = request }
            return state.left == 0
        }
    }
}

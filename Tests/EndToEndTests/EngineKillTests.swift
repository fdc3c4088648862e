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
        case stop, start, delete
        var testDescription: String { rawValue }
    }

    @Test(arguments: Operation.allCases)
    func nothingIsLostAndNothingDoubled(_ operation: Operation) async throws {
        guard operation == .pull else { return try await play(operation, BusyboxImage.name) }
        try await TestRegistry.run { registry in
            try await play(operation, try await registry.push("killed:1", megabytes: 16))
        }
    }

    private func play(_ operation: Operation, _ image: String) async throws {
        let engine: any KillableEngine = DockerEngine.isPodman ? OwnPodman() : try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        let relay = try RelayEngine(to: engine.socket)
        defer { relay.close() }
        try await Scene.play { plain in
            let scene = plain.with(["DOCKER_HOST": "unix://\(relay.path)"])
            let play = Play(
                operation: operation, image: image, scene: scene, engine: engine, relay: relay)
            try await scene.running {
                var change = 1
                while try await play.killed(at: change) { change += 1 }
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
    let scene: Scene
    let engine: any KillableEngine
    let relay: RelayEngine

    /// Runs the operation and kills the Engine at the change of that number.
    ///
    /// - Returns: False where the operation was done before it came to so many changes.
    func killed(at change: Int) async throws -> Bool {
        let start = try await prepare(change)
        let fuse = Fuse(change)
        let death = engine.killer
        relay.treat { seen in
            Self.isChange(seen) && fuse.burns(at: seen) ? .interrupt(death) : .pass
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

    /// The swarm as it is before the operation.
    private func prepare(_ change: Int) async throws -> Scene.Row? {
        if operation == .create || operation == .pull {
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
            default: whole
            }
        return switch operation {
        case .create, .pull, .update, .replace, .succeed, .adopt:
            { try scene.write("alice.yaml", text) }
        // It may fail, and say so: the request is done when the Engine is back.
        case .stop: { _ = try await scene.pal("stop", "alice", "--timeout", "60s") }
        case .start: { _ = try await scene.pal("start", "alice", "--timeout", "60s") }
        case .delete: { try scene.remove("alice.yaml") }
        }
    }

    private func isReached(
        _ status: Scene.Status, _ start: Scene.Row?, _ change: Int
    ) async -> Bool {
        let alice = status["alice"]
        let isReady = alice?.ready == true && alice?.has("ProviderUnreachable") != true
        switch operation {
        case .create, .pull, .start: return isReady
        case .update:
            let memory = await memory()
            return isReady && memory == Self.memory(change)
        case .replace, .succeed:
            return isReady && alice?.generation == (start?.generation ?? 0) + 1
        case .adopt:
            let id = alice?.instance?.providerInstanceId
            return isReady && id != nil && id != start?.instance?.providerInstanceId
        case .stop: return alice?.status == "stopped"
        case .delete: return alice == nil
        }
    }

    private func look(_ victim: RelayEngine.Seen?, _ start: Scene.Row?) async throws {
        let docker = DockerEngine(socket: engine.socket)
        let expected = operation == .delete ? 0 : 1
        try await scene.eventually("there is one after \(String(describing: victim))") { _ in
            try await docker.containers(swarm: scene.swarm).count == expected
        }
        if operation == .adopt, let id = start?.instance?.providerInstanceId {
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
        guard [.update, .replace, .stop, .start].contains(operation) else { return }
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

    private static func isChange(_ seen: RelayEngine.Seen) -> Bool {
        seen.method != "GET" && seen.method != "HEAD" && !seen.path.contains("/exec")
            && !seen.path.contains("/wait")
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

    /// With a volume that goes with it, and a secret, which is written into it as a file.
    private var whole: String {
        spec(0) + "onDelete: delete\nsecrets: { SEARCH: { fromEnv: PATH } }\n"
    }

    private func spec(_ version: Int, memory: Int = 128) -> String {
        """
        name: alice
        image: \(image)
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

import Foundation
import Glibc
import PalHTTP
import Synchronization
import TestSupport
import Testing

/// An Engine that dies in the middle of what it was asked, and comes back: at every change that pal
/// asks of it for an operation, one after the other. Nothing is lost, nothing is there twice.
@Suite(
    "An Engine that is killed", .serialized,
    .needsOwnEngine, .timeLimit(.minutes(15)))
struct EngineKillTests {
    /// What is asked of pal when the Engine is killed.
    enum Operation: String, CaseIterable, CustomTestStringConvertible {
        case create, update, replace, stop, start, delete
        var testDescription: String { rawValue }
    }

    @Test(arguments: Operation.allCases)
    func nothingIsLostAndNothingDoubled(_ operation: Operation) async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        let relay = try RelayEngine(to: engine.socket)
        defer { relay.close() }
        try await Scene.play { plain in
            let scene = plain.with(["DOCKER_HOST": "unix://\(relay.path)"])
            let play = Play(operation: operation, scene: scene, engine: engine, relay: relay)
            try await scene.running {
                var change = 1
                while try await play.killed(at: change) { change += 1 }
                #expect(change > 1, "the Engine was never killed")
            }
        }
    }
}

/// One operation, again and again.
private struct Play {
    let operation: EngineKillTests.Operation
    let scene: Scene
    let engine: OwnEngine
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
        let (operation, scene) = (operation, scene)
        async let asked: Void = Self.ask(operation, change, of: scene)
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
        try await look(victim)
        return victim != nil
    }

    /// The swarm as it is before the operation.
    private func prepare(_ change: Int) async throws -> Scene.Row? {
        if operation == .create {
            if change > 1 { try scene.remove("alice.yaml") }
            try await scene.eventually("nothing is there") { $0["alice"] == nil }
            return nil
        }
        // The very first is as `ask` left the one before.
        if operation == .delete {
            try scene.write("alice.yaml", Self.whole)
        } else if change == 1 {
            try scene.write("alice.yaml", Self.spec(0))
        }
        if operation == .stop, change > 1 { _ = try await scene.pal("start", "alice") }
        let ready = try await scene.eventually("alice is ready") { $0["alice"]?.ready == true }
        let wrote = try await scene.pal(
            "exec", "alice", "--", "sh", "-c", "echo work > /home/coder/unsaved")
        #expect(wrote.code == 0, "\(wrote)")
        if operation == .start {
            let stopped = try await scene.pal("stop", "alice")
            #expect(stopped.code == 0, "\(stopped)")
        }
        return ready["alice"]
    }

    private static func ask(
        _ operation: EngineKillTests.Operation, _ change: Int, of scene: Scene
    ) async throws {
        switch operation {
        case .create: try scene.write("alice.yaml", whole)
        case .update: try scene.write("alice.yaml", spec(0, memory: memory(change)))
        case .replace: try scene.write("alice.yaml", spec(change))
        // It may fail, and say so: the request is done when the Engine is back.
        case .stop: _ = try await scene.pal("stop", "alice", "--timeout", "60s")
        case .start: _ = try await scene.pal("start", "alice", "--timeout", "60s")
        case .delete: try scene.remove("alice.yaml")
        }
    }

    private func isReached(
        _ status: Scene.Status, _ start: Scene.Row?, _ change: Int
    ) async -> Bool {
        let alice = status["alice"]
        let isReady = alice?.ready == true && alice?.has("ProviderUnreachable") != true
        switch operation {
        case .create, .start: return isReady
        case .update:
            let memory = await memory()
            return isReady && memory == Self.memory(change)
        case .replace: return isReady && alice?.generation == (start?.generation ?? 0) + 1
        case .stop: return alice?.status == "stopped"
        case .delete: return alice == nil
        }
    }

    private func look(_ victim: RelayEngine.Seen?) async throws {
        let containers = try await DockerEngine(socket: engine.socket)
            .containers(swarm: scene.swarm)
        let expected = operation == .delete ? 0 : 1
        #expect(containers.count == expected, "after \(String(describing: victim)): \(containers)")
        if operation == .delete {
            let volume = "/volumes/pal_\(scene.swarm)_alice_home"
            let left = try await DockerEngine(socket: engine.socket).call("GET", volume)
            #expect(left.status == 404, "the volume is left after \(String(describing: victim))")
        }
        guard operation != .create, operation != .delete else { return }
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
    private static let whole =
        spec(0) + "onDelete: delete\nsecrets: { SEARCH: { fromEnv: PATH } }\n"

    private static func spec(_ version: Int, memory: Int = 128) -> String {
        """
        name: alice
        image: \(BusyboxImage.name)
        editor: custom
        command: [sh, -c, "trap exit TERM; while true; do sleep 1; done"]
        specific: { network: none }
        resources: { memory: { max: \(memory) } }
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

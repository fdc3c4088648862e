import Foundation
import PalHTTP
import TestSupport
import Testing

/// Several Engines at once, each a provider of its own.
@Suite("Two Engines", .needsOwnEngine, .timeLimit(.minutes(10)))
struct TwoEnginesTests {
    @Test func eachHasItsOwnAndTheDeathOfOneIsNotTheOthers() async throws {
        let engine = try OwnEngine()
        defer { engine.remove() }
        try await engine.start()
        try await BusyboxImage.ensure()
        try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
        let far = DockerEngine(socket: engine.socket)
        try await Scene.play { scene in
            let config = try String(contentsOfFile: scene.root + "/pal.yaml", encoding: .utf8)
            let providers = """
                providers:
                  - { type: docker, name: near }
                  - type: docker
                    name: far
                    region: attic
                    specific: { socketPath: \(engine.socket) }

                """
            try (config + providers).write(
                toFile: scene.root + "/pal.yaml", atomically: true, encoding: .utf8)
            func declare(_ name: String, _ provider: String, _ more: String = "") throws {
                try scene.write(
                    "\(name).yaml",
                    """
                    name: \(name)
                    provider: \(provider)
                    image: \(BusyboxImage.name)
                    specific: { network: \(provider == "far" ? "none" : "bridge") }
                    editor: custom
                    \(more)

                    """)
            }
            try declare("alice", "near")
            try declare("bob", "far")
            try await scene.running {
                let both = try await scene.eventually("both are ready") {
                    $0["alice"]?.ready == true && $0["bob"]?.ready == true
                }
                #expect(both["bob"]?.provider == "far")
                #expect(try await names(.shared, scene) == ["alice"])
                #expect(try await names(far, scene) == ["bob"])

                engine.killer()
                try await scene.eventually("its death is told of its own alone") {
                    $0["bob"]?.has("ProviderUnreachable") == true
                        && $0["alice"]?.has("ProviderUnreachable") == false
                }
                try declare("carol", "near")
                try await scene.eventually("the other goes on") { $0["carol"]?.ready == true }
                // What moves away from it waits: it may stand there still.
                try declare("bob", "near", "onReplace: discard")
                try await scene.eventually("it waits for the dead one") {
                    $0["bob"]?.has("ProviderUnreachable") == true
                }
                #expect(try await names(.shared, scene) == ["alice", "carol"])

                try await engine.bury()
                try await engine.start()
                try await scene.eventually("it has moved") {
                    $0["bob"]?.ready == true && $0["bob"]?.provider == "near"
                }
                #expect(try await names(.shared, scene) == ["alice", "bob", "carol"])
                #expect(try await names(far, scene) == [])
            }
            try await far.removeEverything(of: scene.swarm)
        }
    }

    private func names(_ engine: DockerEngine, _ scene: Scene) async throws -> [String] {
        try await engine.containers(swarm: scene.swarm).compactMap { $0.Labels["pal.name"] }
            .sorted()
    }
}

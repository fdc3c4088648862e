import Foundation
import TestSupport
import Testing

/// Three hundred instances at once, on the real Engine: nothing is lost, nothing is there twice.
@Suite("A crowd", .needsDockerEngine, .timeLimit(.minutes(15)))
struct CrowdTests {
    private static let names = (1...300).map { "c\($0)" }

    @Test func threeHundredAreMadeChangedAndRemovedAtOnce() async throws {
        try await Scene.play { scene in
            try write(scene, memory: 16)
            try await scene.apply()
            let made = try await containers(scene)
            #expect(made.map(\.memory) == Self.names.map { _ in 16 })

            try write(scene, memory: 24)
            try await scene.apply()
            let changed = try await containers(scene)
            #expect(changed.map(\.memory) == Self.names.map { _ in 24 })
            #expect(changed.map(\.id) == made.map(\.id), "a limit is changed where it stands")

            try write(scene, memory: 24, "state: absent")
            try await scene.apply()
            #expect(try await containers(scene).isEmpty)
            let status = try await scene.status()
            #expect(status.instances.allSatisfy { $0.instance == nil })
        }
    }

    /// All in one file, as a script writes them.
    private func write(_ scene: Scene, memory: Int, _ more: String = "") throws {
        let specs = Self.names.map { name in
            """
            name: \(name)
            image: \(BusyboxImage.name)
            editor: custom
            command: [sh, -c, "trap exit TERM; while true; do sleep 5 & wait; done"]
            specific: { network: none }
            resources: { memory: { max: \(memory) }, storage: { persistent: false } }
            \(more)
            """
        }
        try scene.write("crowd.yaml", specs.joined(separator: "\n---\n"))
    }

    private struct Member {
        var id: String
        var memory: Int
    }

    /// What stands, in the names' order; each must run.
    private func containers(_ scene: Scene) async throws -> [Member] {
        let all = try await DockerEngine.shared.containers(swarm: scene.swarm)
        #expect(all.allSatisfy { $0.State == "running" })
        #expect(Set(all.map { $0.Labels["pal.name"] ?? "" }).count == all.count)
        var members: [Member] = []
        for container in all {
            let memory = try await DockerEngine.shared.memory(of: container.Id)
            members.append(Member(id: container.Id, memory: memory))
        }
        return members
    }
}

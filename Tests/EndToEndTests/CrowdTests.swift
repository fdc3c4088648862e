import Foundation
import TestSupport
import Testing

/// Three hundred instances at once, on the real Engine, and sixty on Podman: nothing is lost,
/// nothing is there twice.
@Suite("A crowd", .needsDockerEngine, .timeLimit(.minutes(15)))
struct CrowdTests {
    private static let names = (1...(DockerEngine.isPodman ? 60 : 300)).map { "c\($0)" }

    /// With homes, ports and a network, as people have them.
    @Test func allAreMadeChangedReplacedAndRemovedAtOnce() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            try write(scene, memory: 16)
            try await apply(scene)
            let made = try await containers(scene)
            #expect(made.map(\.memory) == Self.names.map { _ in 16 })
            #expect(Set(made.map(\.port)).count == made.count)

            try write(scene, memory: 24)
            try await apply(scene)
            let changed = try await containers(scene)
            #expect(changed.map(\.memory) == Self.names.map { _ in 24 })
            if DockerEngine.isPodman {
                // Podman changes limits from 5.1 on.
                #expect(changed.map(\.home) == made.map(\.home), "a home is handed over")
            } else {
                #expect(changed.map(\.id) == made.map(\.id), "a limit is changed where it stands")
            }

            try write(scene, memory: 24, version: 1)
            try await apply(scene)
            let replaced = try await containers(scene)
            #expect(Set(replaced.map(\.id)).isDisjoint(with: made.map(\.id)))
            #expect(replaced.map(\.port) == made.map(\.port), "a port is kept")
            #expect(replaced.map(\.home) == made.map(\.home), "a home is handed over")

            try write(scene, memory: 24, version: 1, "state: absent")
            try await apply(scene)
            #expect(try await containers(scene).isEmpty)
            #expect(try await DockerEngine.shared.leftovers(of: scene.swarm) == [])
            let status = try await scene.status()
            #expect(status.instances.allSatisfy { $0.instance == nil })
        }
    }

    private func apply(_ scene: Scene) async throws {
        let run = try await scene.pal("apply", "--timeout", "10m")
        #expect(run.code == 0, "\(run)")
    }

    /// All in one file, as a script writes them.
    private func write(_ scene: Scene, memory: Int, version: Int = 0, _ more: String = "") throws {
        let specs = Self.names.map { name in
            """
            name: \(name)
            image: \(BusyboxImage.name)
            env: { VERSION: "\(version)" }
            resources: { memory: { max: \(memory) } }
            onDelete: delete
            \(more)
            """
        }
        try scene.write("crowd.yaml", specs.joined(separator: "\n---\n"))
    }

    private struct Member {
        var id: String
        var memory: Int
        var port: String?
        var home: String?
    }

    /// What stands, in the names' order; each must run.
    private func containers(_ scene: Scene) async throws -> [Member] {
        let all = try await DockerEngine.shared.containers(swarm: scene.swarm)
        #expect(all.allSatisfy { $0.State == "running" })
        #expect(Set(all.map { $0.Labels["pal.name"] ?? "" }).count == all.count)
        var members: [String: Member] = [:]
        for container in all {
            let detail = try await DockerEngine.shared.detail(of: container.Id)
            members[container.Labels["pal.name"] ?? ""] = Member(
                id: container.Id, memory: detail.HostConfig.Memory >> 20,
                port: detail.NetworkSettings.Ports.values.compactMap { $0?.first?.HostPort }.first,
                home: detail.Mounts.first { $0.Type == "volume" }?.Name)
        }
        return Self.names.compactMap { members[$0] }
    }
}

import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("What specific makes of a container", .needsDockerEngine, .timeLimit(.minutes(10)))
struct SpecificContainerTests {
    @Test(
        "everything arrives at the Engine as it was said",
        .notOnPodman("raising limits is not allowed everywhere"))
    func everything() async throws {
        let rights = HostPolicy.Right.allCases.map(\.rawValue)
        try await TestSwarm.run(specific: ["allow": .strings(rights)]) { swarm in
            let made = try await swarm.createReady("alice") {
                let memory: [String: Value] = [
                    "type": .string("tmpfs"), "target": .string("/scratch"), "size": .int(8),
                ]
                let bind: [String: Value] = [
                    "type": .string("bind"), "source": .string("/etc"),
                    "target": .string("/host-etc"), "readOnly": .bool(true),
                ]
                $0.specific = [
                    "network": .string("bridge"), "mounts": .list([.map(memory), .map(bind)]),
                    "devices": .strings(["/dev/null:/dev/nothing:r"]), "init": .bool(true),
                    "capAdd": .strings(["SYS_PTRACE"]), "capDrop": .strings(["NET_RAW"]),
                    "shmSize": .int(32), "dns": .strings(["10.1.2.3"]),
                    "extraHosts": .strings(["db:10.0.0.5"]), "restart": .string("on-failure"),
                    "ulimits": .map(["nofile": .int(512)]),
                ]
            }
            let script =
                "ulimit -n; cat /etc/hosts /etc/resolv.conf; mount; "
                + "ls -l /dev/nothing; test -e /host-etc/passwd && touch /host-etc/pal || echo ro"
            let result = try await swarm.provider.executeCommand(
                made.reference, Command(["sh", "-c", script]))
            let text = String(decoding: result.standardOutput, as: UTF8.self)
            #expect(text.hasPrefix("512\n"))
            for part in ["10.0.0.5\tdb", "nameserver 10.1.2.3", "on /scratch type tmpfs", "ro\n"] {
                #expect(text.contains(part), "\(part) in \(text)")
            }
            #expect(text.contains("size=32768k") && text.contains("size=8192k"))
            #expect(text.contains("/dev/nothing"))

            // A live change leaves the policy as it is.
            let change = FieldChange(path: "resources.memory.max", from: nil, to: .int(64))
            _ = try await swarm.provider.updateInstance(made.reference, PartialConfig([change]))
            let detail = try await swarm.provider.inspect(made.providerInstanceId)
            #expect(detail?.hostConfig.restartPolicy?.name == "on-failure")
        }
    }

    @Test("with the host's network the editor is reached at its own port")
    func hostNetwork() async throws {
        try await TestSwarm.run(specific: ["allow": .strings(["hostNetwork"])]) { swarm in
            let port = Int.random(in: 15000...19000)
            let made = try await swarm.createReady("alice") {
                $0.specific = ["networkMode": .string("host")]
                $0.network.port = port
            }
            #expect(made.network.port == port)
            #expect(made.network.urls == ["http://127.0.0.1:\(port)/"])
        }
    }

    @Test("the swarm's network goes with its last instance, and not before")
    func network() async throws {
        try await TestSwarm.run { swarm in
            let first = try await swarm.create("alice") { $0.specific = nil }
            let second = try await swarm.create("bob") { $0.specific = nil }
            let name = "pal_\(swarm.name)"
            _ = try await swarm.provider.listInstances(.all)
            _ = try await swarm.provider.deleteInstance(first.reference)
            _ = try await swarm.provider.listInstances(.all)
            #expect(try await swarm.provider.networkExists(name))
            _ = try await swarm.provider.deleteInstance(second.reference)
            #expect(try await swarm.provider.networkExists(name), "it may be made anew")
            _ = try await swarm.provider.listInstances(.all)
            #expect(try await !swarm.provider.networkExists(name))
            // It is made again for who comes next.
            let third = try await swarm.createReady("carol") { $0.specific = nil }
            #expect(try await swarm.provider.networkExists(name))
            _ = try await swarm.provider.deleteInstance(third.reference)
        }
    }
}

import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("A plug-in for volumes", .needsOwnEngine, .timeLimit(.minutes(5)))
struct VolumePluginTests {
    @Test(
        "enforces the size that it is told, its volume is handed over, and no other takes its place"
    )
    func volumePlugin() async throws {
        // An Engine asks every plug-in that it ever knew, and waits for those that are gone.
        let engine = try OwnEngine()
        defer { engine.remove() }
        try await VolumePlugin.run { plugin in
            engine.plugins = plugin.sockets
            try await engine.start()
            try await BusyboxImage.load(into: .unixSocket(path: engine.socket))
            try await TestSwarm.run(socketPath: engine.socket, engine: engine.socket) { swarm in
                func wish(_ config: inout InstanceConfig) {
                    config.resources.storagePersistent = true
                    config.resources.storageSize = 2
                    config.specific?["volumeDriver"] = .string(plugin.name)
                    config.specific?["volumeOptions"] = .texts(["tier": "fast"])
                }
                func run(_ instance: VSCodeInstance, _ line: String) async throws -> String {
                    let result = try await swarm.provider.executeCommand(
                        instance.reference, Command(["sh", "-c", line]))
                    return String(decoding: result.standardOutput, as: UTF8.self)
                }
                let made = try await swarm.createReady("sized", wish)
                #expect(Array(plugin.volumes.values) == [["size": "2G", "tier": "fast"]])
                let mounts = try await run(
                    made, "grep ' /home/coder ' /proc/mounts; echo work > /home/coder/unsaved")
                #expect(mounts.contains("size=2097152k"), "\(mounts)")
                _ = try await swarm.provider.deleteInstance(made.reference)
                let next = try await swarm.createReady("sized", wish)
                #expect(try await run(next, "cat /home/coder/unsaved") == "work\n")
                _ = try await swarm.provider.deleteInstance(next.reference)
                // What another driver would make of it nobody knows: the home stays where it is.
                typealias Change = (inout InstanceConfig) -> Void
                for (says, change) in [
                    (
                        "made by the driver '\(plugin.name)' and not by 'local'",
                        { $0.specific?["volumeDriver"] = nil }
                    ),
                    (
                        "made with another tier",
                        { $0.specific?["volumeOptions"] = .texts(["tier": "slow"]) }
                    ),
                    ("made with another size", { $0.resources.storageSize = 4 }),
                    (nil, { _ in }),
                ] as [(String?, Change)] {
                    let heard = ProgressLog()
                    var other = swarm.config("sized", wish)
                    change(&other)
                    let made = try await swarm.provider.createInstance(
                        swarm.request(other, progress: heard.take))
                    let told = heard.all.filter { $0.reason == "HomeKept" }.map(\.message)
                    #expect(told.count == (says == nil ? 0 : 1))
                    #expect(told.allSatisfy { $0.contains(says ?? "") }, "\(told)")
                    #expect(try await run(made, "cat /home/coder/unsaved") == "work\n")
                    _ = try await swarm.provider.deleteInstance(made.reference)
                }
                let kept = try #require(try await swarm.provider.listStorage().first)
                #expect(try await swarm.provider.deleteStorage(kept.providerStorageId))
                #expect(plugin.volumes.isEmpty)

                plugin.refuse("the pool is full")
                let refused = try await failure { () throws(ProviderFailure) in
                    try await swarm.provider.createInstance(
                        swarm.request(swarm.config("none", wish)))
                }
                #expect(refused.description.contains("the pool is full"), "\(refused)")
            }
            engine.stop()
        }
    }
}

import PalModel
import PalProvider
import Synchronization

/// `GET /system/df`: only what the provider reads.
struct DiskUsage: Decodable, Sendable, Hashable {
    var containers: [Container]?
    var volumes: [Volume]?

    private enum CodingKeys: String, CodingKey {
        case containers = "Containers"
        case volumes = "Volumes"
    }

    struct Container: Decodable, Sendable, Hashable {
        var id: String
        /// Bytes in its own layer; left out where there are none.
        var own: Int64?
        /// Left out by Podman.
        var mounts: [Mount]?

        private enum CodingKeys: String, CodingKey {
            case id = "Id"
            case own = "SizeRw"
            case mounts = "Mounts"
        }

        struct Mount: Decodable, Sendable, Hashable {
            /// The volume's; left out for a directory of the host.
            var name: String?

            private enum CodingKeys: String, CodingKey { case name = "Name" }
        }
    }

    struct Volume: Decodable, Sendable, Hashable {
        var name: String
        var usage: Usage?

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case usage = "UsageData"
        }

        struct Usage: Decodable, Sendable, Hashable {
            /// Bytes; -1 where the volume's driver does not tell.
            var size: Int64

            private enum CodingKeys: String, CodingKey { case size = "Size" }
        }
    }

    /// GiB that a container has written: its own layer, and the volumes that it mounts. Nil where
    /// the size of one is not known.
    ///
    /// - Parameter home: The volume that pal made for it, which Podman does not say that it mounts.
    func storage(of id: String, home: String?) -> Double? {
        guard let container = containers?.first(where: { $0.id == id }) else { return nil }
        let names = Set((container.mounts ?? []).compactMap(\.name) + (home.map { [$0] } ?? []))
        var bytes = container.own ?? 0
        for volume in volumes ?? [] where names.contains(volume.name) {
            guard let size = volume.usage?.size, size >= 0 else { return nil }
            bytes += size
        }
        return Double(bytes) / Double(1 << 30)
    }
}

/// One look at the disk for all that ask: the Engine counts every file of every volume for it, and
/// refuses a second count while one is under way.
final class DiskLook: Sendable {
    private struct Look {
        var at: ContinuousClock.Instant
        /// Nil where the Engine did not tell.
        var usage: DiskUsage?

        var isFresh: Bool { .now - at < (usage == nil ? .seconds(5) : .seconds(60)) }
    }

    private let last = Mutex<Look?>(nil)
    private let turnstile = Turnstile()

    /// What the last look saw; a new one where that is too long ago. Others wait for it.
    func usage(_ look: () async -> DiskUsage?) async -> DiskUsage? {
        await turnstile.enter()
        defer { turnstile.leave() }
        if let last = last.withLock({ $0 }), last.isFresh { return last.usage }
        let usage = await look()
        last.withLock { $0 = Look(at: .now, usage: usage) }
        return usage
    }
}

extension DockerProvider {
    /// GiB that a container has written; nil where the Engine does not tell soon enough for
    /// somebody who looks at a status.
    func storageUsed(_ detail: ContainerDetail) async -> Double? {
        let home = detail.config.labels.flatMap { Ownership(labels: $0) }.map {
            DockerName.volume(swarm: settings.swarm, name: $0.name)
        }
        let usage = await diskLook.usage { await engine.diskUsage() }
        return usage?.storage(of: detail.id, home: home)
    }
}

extension EngineClient {
    /// Nil where the Engine does not tell.
    fileprivate func diskUsage() async -> DiskUsage? {
        // Before 1.42 the kinds are not understood, and everything is counted.
        let kinds = [(name: "type", value: "container"), (name: "type", value: "volume")]
        let answer = try? await send(
            EngineCall("GET", "/system/df", query: kinds, timeout: .milliseconds(1200)))
        guard let answer, answer.isSuccess else { return nil }
        return try? answer.decoded(as: DiskUsage.self)
    }
}

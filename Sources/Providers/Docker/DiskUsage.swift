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
        var task: Task<DiskUsage?, Never>
    }

    private let last = Mutex<Look?>(nil)
    private static let lasts = Duration.seconds(60)

    /// What the last look saw, or sees once it is done; a new one where that is too long ago.
    func usage(_ look: @escaping @Sendable () async -> DiskUsage?) async -> DiskUsage? {
        let task = last.withLock { last in
            if let last, .now - last.at < Self.lasts { return last.task }
            let task = Task { await look() }
            last = Look(at: .now, task: task)
            return task
        }
        if let usage = await task.value { return usage }
        // What failed is tried again by the next one.
        last.withLock { if $0?.task == task { $0 = nil } }
        return nil
    }
}

extension DockerProvider {
    /// GiB that a container has written; nil where the Engine does not tell soon enough for
    /// somebody who looks at a status.
    func storageUsed(_ detail: ContainerDetail) async -> Double? {
        let home = detail.config.labels.flatMap { Ownership(labels: $0) }.map {
            DockerName.volume(swarm: settings.swarm, name: $0.name)
        }
        return await withTaskGroup(of: DiskUsage?.self) { group in
            group.addTask { [engine, diskLook] in
                await diskLook.usage { await engine.diskUsage() }
            }
            group.addTask { [clock] in
                try? await clock.sleep(for: Self.diskPatience)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first?.storage(of: detail.id, home: home)
        }
    }

    private static let diskPatience = Duration.milliseconds(1200)
}

extension EngineClient {
    /// Nil where the Engine does not tell.
    fileprivate func diskUsage() async -> DiskUsage? {
        // Before 1.42 the kinds are not understood, and everything is counted.
        let kinds = [(name: "type", value: "container"), (name: "type", value: "volume")]
        let answer = try? await send(
            EngineCall("GET", "/system/df", query: kinds, timeout: .seconds(60)))
        guard let answer, answer.isSuccess else { return nil }
        return try? answer.decoded(as: DiskUsage.self)
    }
}

internal import FoundationEssentials
public import PalModel
public import PalProvider
import Synchronization

/// `GET /containers/{id}/stats`: only what the provider reads. Control groups of version 1 and 2
/// name the kernel's counters differently, and Podman leaves them out.
struct ContainerStats: Decodable, Sendable, Hashable {
    var read: String?
    var preread: String?
    var cpu: CPU?
    var before: CPU?
    var memory: Memory?

    private enum CodingKeys: String, CodingKey {
        case read, preread
        case cpu = "cpu_stats"
        case before = "precpu_stats"
        case memory = "memory_stats"
    }

    struct CPU: Decodable, Sendable, Hashable {
        var usage: Usage?

        private enum CodingKeys: String, CodingKey { case usage = "cpu_usage" }

        struct Usage: Decodable, Sendable, Hashable {
            /// Nanoseconds of all processors together, since the start.
            var total: UInt64?

            private enum CodingKeys: String, CodingKey { case total = "total_usage" }
        }
    }

    struct Memory: Decodable, Sendable, Hashable {
        var usage: UInt64?
        var counters: Counters?

        private enum CodingKeys: String, CodingKey {
            case usage
            case counters = "stats"
        }

        struct Counters: Decodable, Sendable, Hashable {
            /// Version 1.
            var totalInactiveFile: UInt64?
            /// Version 2; in version 1 without the groups below.
            var inactiveFile: UInt64?

            private enum CodingKeys: String, CodingKey {
                case totalInactiveFile = "total_inactive_file"
                case inactiveFile = "inactive_file"
            }
        }
    }

    /// A look at the processors' counter: when, and what it said.
    struct Sample: Sendable, Hashable {
        var at: Date
        var nanoseconds: UInt64

        /// Cores in use since an earlier sample; nil where that says nothing.
        func cores(since earlier: Sample) -> Double? {
            let seconds = at.timeIntervalSince(earlier.at)
            guard seconds >= 0.05, nanoseconds >= earlier.nanoseconds else { return nil }
            return Double(nanoseconds - earlier.nanoseconds) / 1e9 / seconds
        }
    }

    var sample: Sample? { Self.sample(read, cpu) }

    /// The sample before, where the Engine took one itself.
    var earlierSample: Sample? { Self.sample(preread, before) }

    private static func sample(_ time: String?, _ cpu: CPU?) -> Sample? {
        // A container that does not run has the year 1 and no counter.
        guard let time, !time.hasPrefix("0001-"), let at = Timestamp.date(time),
            let total = cpu?.usage?.total, total > 0
        else { return nil }
        return Sample(at: at, nanoseconds: total)
    }

    /// MiB, without the files that the kernel keeps only as long as nobody needs the room.
    var memoryUsed: Double? {
        guard let usage = memory?.usage, usage > 0 else { return nil }
        let counters = memory?.counters
        let kept = counters?.totalInactiveFile ?? counters?.inactiveFile ?? 0
        return Double(kept < usage ? usage - kept : usage) / Double(1 << 20)
    }
}

/// The last sample of each container, so that the next question needs one look only.
final class Samples: Sendable {
    private let samples = Mutex<[String: ContainerStats.Sample]>([:])
    private static let longest = 60.0

    /// Takes a new sample and gives back the one before, unless that is too old to say what is used
    /// now.
    func exchange(_ id: String, _ sample: ContainerStats.Sample) -> ContainerStats.Sample? {
        samples.withLock { samples in
            let old = samples.updateValue(sample, forKey: id)
            samples = samples.filter { sample.at.timeIntervalSince($0.value.at) < Self.longest }
            guard let old, sample.at.timeIntervalSince(old.at) < Self.longest else { return nil }
            return old
        }
    }
}

extension DockerProvider: MetricsProvider {
    /// One look where the last one was less than a minute ago, else two with a pause between. What
    /// is on the disk is as it was within the last minute, and left out where counting takes long.
    public func getUsage(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> ResourceUsage? {
        guard let detail = try await find(reference), detail.isRunning,
            var stats = try await stats(detail.id), var now = stats.sample
        else { return nil }
        async let storage = storageUsed(detail)
        var earlier = samples.exchange(detail.id, now) ?? stats.earlierSample
        if earlier.flatMap({ now.cores(since: $0) }) == nil {
            try await pause(Self.betweenLooks)
            guard let again = try await self.stats(detail.id), let sample = again.sample
            else { return nil }
            (stats, earlier, now) = (again, now, sample)
            _ = samples.exchange(detail.id, sample)
        }
        return ResourceUsage(
            cpu: earlier.flatMap { now.cores(since: $0) }, memory: stats.memoryUsed,
            storage: await storage)
    }

    private static let betweenLooks = Duration.milliseconds(250)

    /// What the Engine counts; nil where the container is gone. Podman does not know `one-shot`
    /// everywhere, and then takes its time.
    private func stats(_ id: String) async throws(ProviderFailure) -> ContainerStats? {
        let path = "/containers/\(id)/stats"
        var answer = try await engine.send(
            EngineCall("GET", path, query: [("stream", "false"), ("one-shot", "true")]))
        if answer.status == 400 {
            answer = try await engine.send(EngineCall("GET", path, query: [("stream", "false")]))
        }
        // Podman answers 409 for one that stopped meanwhile.
        if answer.status == 404 || answer.status == 409 { return nil }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "tell what is used", changesSomething: false)
        }
        return try answer.decoded(as: ContainerStats.self)
    }
}

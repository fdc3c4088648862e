import FoundationEssentials
import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite(.enabled(if: CgroupSupport.probe().memoryBase != nil, "needs memory control groups"))
struct LimitTests {
    @Test func theMemoryLimitHoldsAndTheKillIsRecorded() async throws {
        try await Bench.run { bench in
            let script = "x=aaaaaaaa; while :; do x=$x$x; done"
            let made = try await bench.create("alice", script) { $0.resources.memoryMax = 32 }
            try await bench.awaitEnd(made)
            let ended = try await bench.get(made)
            #expect(ended.status == .failed)
            #expect(ended.exit?.isOutOfMemory == true)
            #expect(ended.resources.memory.limit == 32)
        }
    }

    @Test func theMemoryInUseIsReported() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "echo up; exec sleep 1000")
            try await bench.awaitLine(made, "up")
            let usage = try #require(try await bench.provider.getUsage(made.reference))
            let used = try #require(usage.memory)
            #expect(used > 0 && used < 1024)
            #expect(usage.cpu.map { $0 >= 0 && $0 < 1 } != false)
            // What changes all the time is no part of what is recorded.
            #expect(try await bench.get(made).resources.memory.used == nil)
        }
    }

    @Test func limitsChangeWhileItRuns() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice") { $0.resources.cpuCores = 0.5 }
            let files = try bench.files(made)
            let launch = try JSONFile.read(LaunchFile.self, at: files.launch)
            let cgroup = try #require(launch.cgroup)
            let child = try #require(try bench.run(made).child)
            #expect(cgroup.processes().contains(child.pid))
            let change = FieldChange(path: "resources.memory.max", from: nil, to: .int(64))
            let updated = try await bench.provider.updateInstance(
                made.reference, PartialConfig([change]))
            #expect(updated.config.resources.memoryMax == 64)
            #expect(updated.metadata["pid"] == made.metadata["pid"])
            let (file, expected) =
                cgroup.version == .v1
                ? ("memory.limit_in_bytes", "67108864") : ("memory.max", "67108864")
            let text = try RegularFile.read(
                at: "\(cgroup.memory ?? "")/\(file)", limit: 4096
            ).bytes
            #expect(String(decoding: text, as: UTF8.self) == "\(expected)\n")
            let quota = try RegularFile.read(
                at: "\(cgroup.cpu ?? "")/\(cgroup.version == .v1 ? "cpu.cfs_quota_us" : "cpu.max")",
                limit: 4096
            ).bytes
            #expect(String(decoding: quota, as: UTF8.self).hasPrefix("50000"))
        }
    }

    @Test func theGroupGoesWithTheRun() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let launch = try JSONFile.read(LaunchFile.self, at: try bench.files(made).launch)
            let directory = try #require(launch.cgroup?.memory)
            #expect(Directories.isDirectory(directory))
            try await bench.provider.stopInstance(made.reference, force: false)
            #expect(!Directories.isDirectory(directory))
        }
    }

    @Test func aDeletionTakesTheGroupOfAStartThatACrashCutShort() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", starts: false)
            let support = try #require(bench.provider.cgroupSupport)
            let place = try #require(
                support.place(swarm: bench.swarm, made.providerInstanceId))
            try place.create()
            #expect(try await bench.provider.deleteInstance(made.reference))
            #expect(place.memory.map(Directories.isDirectory) == false)
        }
    }
}

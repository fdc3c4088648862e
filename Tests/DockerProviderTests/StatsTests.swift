import Foundation
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

@Suite("What an Engine says is used")
struct StatsTests {
    private func stats(_ json: String) throws -> ContainerStats {
        try JSONDecoder().decode(ContainerStats.self, from: Data(json.utf8))
    }

    @Test("control groups of version 1 and 2 say the same in other words")
    func memory() throws {
        let first = try stats(
            """
            {"memory_stats":{"usage":10485760,"limit":67108864,"stats":{"inactive_file":1,
            "total_inactive_file":2097152,"total_cache":4194304}}}
            """)
        #expect(first.memoryUsed == 8)
        let second = try stats(
            """
            {"memory_stats":{"usage":10485760,"limit":67108864,"stats":{"anon":4194304,
            "file":4194304,"inactive_file":3145728}}}
            """)
        #expect(second.memoryUsed == 7)
        let podman = try stats(#"{"memory_stats":{"usage":393216,"limit":25276063744}}"#)
        #expect(podman.memoryUsed == 0.375)
    }

    /// Recorded on 2026-11-30: Engine 20.10.24 and Linux 6.12 with version 2 alone, in a virtual
    /// machine; one container of 64 MiB that had written 20 MiB into memory and then counted.
    @Test("a recorded reply under version 2 says what was used")
    func recorded() throws {
        let stats = try stats(
            """
            {"read":"2026-11-30T12:35:04.340155186Z","preread":"0001-01-01T00:00:00Z",
            "pids_stats":{"current":1,"limit":18446744073709551615},
            "blkio_stats":{"io_service_bytes_recursive":null,"io_serviced_recursive":null,
            "io_queue_recursive":null,"io_service_time_recursive":null,
            "io_wait_time_recursive":null,"io_merged_recursive":null,"io_time_recursive":null,
            "sectors_recursive":null},"num_procs":0,"storage_stats":{},
            "cpu_stats":{"cpu_usage":{"total_usage":10559717000,"usage_in_kernelmode":228166000,
            "usage_in_usermode":10331550000},"system_cpu_usage":47960000000,"online_cpus":2,
            "throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}},
            "precpu_stats":{"cpu_usage":{"total_usage":0,"usage_in_kernelmode":0,
            "usage_in_usermode":0},"throttling_data":{"periods":0,"throttled_periods":0,
            "throttled_time":0}},"memory_stats":{"usage":21372928,
            "stats":{"active_anon":21032960,"active_file":0,"anon":61440,"anon_thp":0,
            "file":20971520,"file_dirty":0,"file_mapped":0,"file_writeback":0,"inactive_anon":0,
            "inactive_file":0,"kernel_stack":16384,"pgactivate":0,"pgdeactivate":0,
            "pgfault":1055,"pglazyfree":0,"pglazyfreed":0,"pgmajfault":0,"pgrefill":0,
            "pgscan":0,"pgsteal":0,"shmem":20971520,"slab":245136,"slab_reclaimable":110200,
            "slab_unreclaimable":134936,"sock":0,"thp_collapse_alloc":0,"thp_fault_alloc":1,
            "unevictable":0,"workingset_activate":0,"workingset_nodereclaim":0,
            "workingset_refault":0},"limit":67108864},"name":"/ss","id":"14dd831a867a"}
            """)
        #expect(stats.memoryUsed == 20.3828125)
        #expect(stats.sample?.nanoseconds == 10_559_717_000)
        #expect(stats.earlierSample == nil)
    }

    @Test("cores are the processors' time over the time that passed")
    func cores() throws {
        // As Docker's Engine answers with one-shot on version 2.
        let first = try stats(
            """
            {"read":"2026-11-24T10:00:00.000000001Z","preread":"0001-01-01T00:00:00Z",
            "cpu_stats":{"cpu_usage":{"total_usage":1000000000,"usage_in_kernelmode":4,
            "usage_in_usermode":5},"system_cpu_usage":100,"online_cpus":4},
            "precpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{}}
            """)
        #expect(first.earlierSample == nil)
        let now = try #require(first.sample)
        var later = now
        later.at += 2
        later.nanoseconds += 3_000_000_000
        #expect(later.cores(since: now) == 1.5)
        #expect(now.cores(since: later) == nil)
        #expect(now.cores(since: now) == nil)
    }

    @Test("an Engine that waits by itself gives both samples")
    func both() throws {
        let stats = try stats(
            """
            {"read":"2026-11-24T10:00:01Z","preread":"2026-11-24T10:00:00Z",
            "cpu_stats":{"cpu_usage":{"total_usage":700000000}},
            "precpu_stats":{"cpu_usage":{"total_usage":200000000}}}
            """)
        let (now, before) = (try #require(stats.sample), try #require(stats.earlierSample))
        #expect(now.cores(since: before) == 0.5)
    }

    @Test("nothing runs, nothing is known")
    func stopped() throws {
        let stats = try stats(
            """
            {"read":"0001-01-01T00:00:00Z","preread":"0001-01-01T00:00:00Z",
            "cpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{}}
            """)
        #expect(stats.sample == nil)
        #expect(stats.memoryUsed == nil)
    }

    @Test("what is too old says nothing of now")
    func samples() {
        let samples = Samples()
        let start = Date(timeIntervalSince1970: 1000)
        func sample(_ seconds: Double) -> ContainerStats.Sample {
            .init(at: start.addingTimeInterval(seconds), nanoseconds: 1)
        }
        #expect(samples.exchange("a", sample(0)) == nil)
        #expect(samples.exchange("a", sample(10)) == sample(0))
        #expect(samples.exchange("b", sample(11)) == nil)
        #expect(samples.exchange("a", sample(100)) == nil)
    }

    @Test(
        "a real container's use is measured", .needsDockerEngine, .timeLimit(.minutes(5)))
    func real() async throws {
        try await TestSwarm.run { swarm in
            let busy = try await swarm.createReady("busy") { $0.resources.memoryMax = 64 }
            let loop = Command(["sh", "-c", "yes > /dev/null & sleep 0"])
            _ = try await swarm.provider.executeCommand(busy.reference, loop)
            var usage = try #require(try await swarm.provider.getUsage(busy.reference))
            // Until the loop has had its share of this machine.
            for _ in 0..<200 where (usage.cpu ?? 0) < 0.02 {
                usage = try #require(try await swarm.provider.getUsage(busy.reference))
            }
            #expect((usage.cpu ?? 0) >= 0.02)
            #expect(usage.memory.map { $0 > 0 && $0 <= 64 } == true)
            #expect(try await swarm.provider.getInstance(busy.reference)?.resources.cpu.used == nil)
            try await swarm.provider.stopInstance(busy.reference, force: true)
            #expect(try await swarm.provider.getUsage(busy.reference) == nil)
        }
    }

    @Test("what is on the disk is its own layer and its volumes; what is not known is not guessed")
    func disk() throws {
        let usage = try JSONDecoder().decode(
            DiskUsage.self,
            from: Data(
                """
                {"Containers":[{"Id":"a","SizeRw":536870912,"Mounts":[{"Type":"bind"},
                {"Type":"volume","Name":"v"},{"Type":"volume","Name":"cache"}]},{"Id":"b"},
                {"Id":"c","Mounts":[{"Name":"remote"}]}],
                "Volumes":[{"Name":"v","UsageData":{"Size":1073741824,"RefCount":1}},
                {"Name":"cache","UsageData":{"Size":536870912,"RefCount":2}},
                {"Name":"other","UsageData":{"Size":5,"RefCount":0}},
                {"Name":"remote","UsageData":{"Size":-1,"RefCount":1}}]}
                """.utf8))
        #expect(usage.storage(of: "a", home: "v") == 2)
        #expect(usage.storage(of: "b", home: "v") == 1)
        #expect(usage.storage(of: "b", home: nil) == 0)
        #expect(usage.storage(of: "c", home: nil) == nil)
        #expect(usage.storage(of: "gone", home: "v") == nil)
    }

    @Test("what a real container writes is measured", .needsDockerEngine, .timeLimit(.minutes(5)))
    func realDisk() async throws {
        try await TestSwarm.run { swarm in
            let writer = try await swarm.createReady("writer")
            let write = Command([
                "sh", "-c",
                "dd if=/dev/zero of=/home/coder/a bs=1M count=4; "
                    + "dd if=/dev/zero of=/b bs=1M count=2",
            ])
            _ = try await swarm.provider.executeCommand(writer.reference, write)
            // The Engine counts for one at a time, and not where a container goes meanwhile.
            for _ in 0..<300 {
                let usage = try await swarm.provider.getUsage(writer.reference)
                guard let storage = usage?.storage else {
                    try await Task.sleep(for: .milliseconds(200))
                    continue
                }
                #expect(storage * 1024 > 5.9 && storage * 1024 < 7)
                return
            }
            Issue.record("it was never told")
        }
    }

    @Test("an Engine that takes long to count the disk keeps back nothing else", .needsDockerEngine)
    func slowDisk() async throws {
        let relay = try RelayEngine {
            $0.path.contains("/system/df") ? .interrupt { sleep(20) } : .pass
        }
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let made = try await swarm.createReady("alice")
            let usage = try #require(try await swarm.provider.getUsage(made.reference))
            #expect(usage.cpu != nil)
            #expect(usage.storage == nil)
        }
    }

    @Test("an Engine that refuses one-shot is asked without", .needsDockerEngine)
    func fallback() async throws {
        let relay = try RelayEngine {
            $0.path.contains("one-shot")
                ? .answer(status: 400, message: "cannot have one-shot") : .pass
        }
        defer { relay.close() }
        try await TestSwarm.run(socketPath: relay.path) { swarm in
            let made = try await swarm.createReady("alice")
            let usage = try #require(try await swarm.provider.getUsage(made.reference))
            #expect(usage.cpu != nil)
            #expect((usage.memory ?? 0) > 0)
        }
    }
}

import Glibc
import Logging
import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct SurvivalTests {
    @Test func anInstanceSurvivesTheKillOfItsController() async throws {
        try await Bench.run { bench in
            let data = "\(bench.directory)/data"
            let settings = ProviderSettings(
                type: "process", name: "process", swarm: bench.swarm, dataDirectory: data,
                environment: ["PATH": "/usr/bin:/bin"])
            let controller = try FixtureProcess(
                ["controller", data, bench.swarm, "alice", "sleep", "1000"])
            // Its line says that the instance runs; then it is killed without warning.
            let id = controller.firstLine()
            kill(controller.pid, SIGKILL)
            #expect(controller.wait() == SIGKILL)
            let fresh = try ProcessProvider(
                settings, supervisorCommand: [FixtureProcess.path, "supervise"],
                logger: .init(label: "x"))
            try await fresh.initialize()
            let found = try await fresh.listInstances(.all)
            #expect(found.map(\.providerInstanceId) == [id])
            let alice = try #require(found.first)
            #expect(alice.status == .running)
            try await fresh.stopInstance(alice.reference, force: false)
            #expect(try await fresh.getInstance(alice.reference)?.status == .stopped)
            await fresh.shutdown()
        }
    }

    @Test func aFreshProviderFindsWhatRuns() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let fresh = try await bench.freshProvider()
            let found = try #require(try await fresh.getInstance(made.reference))
            #expect(found.status == .running)
            #expect(found.metadata["pid"] == made.metadata["pid"])
            #expect(found.config == made.config)
            await fresh.shutdown()
        }
    }

    @Test func aKilledSupervisorTakesTheProgramWithItAndIsAFailure() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let run = try bench.run(made)
            let child = try #require(run.child.flatMap(ProcessHandle.init))
            let supervisor = try #require(ProcessHandle(run.supervisor))
            supervisor.send(SIGKILL)
            #expect(await supervisor.hasEnded(within: .seconds(60), ContinuousClock()))
            #expect(await child.hasEnded(within: .seconds(60), ContinuousClock()))
            let failed = try await bench.get(made)
            #expect(failed.status == .failed)
            #expect(failed.metadata["note"] == "its supervisor was killed")
            try await bench.provider.startInstance(made.reference)
            #expect(try await bench.get(made).status == .running)
        }
    }

    @Test(arguments: ["start", "stop", "delete"])
    func daemonsOfAKilledSupervisorAreEndedLater(verb: String) async throws {
        try await Bench.run { bench in
            let script = "setsid sh -c 'echo daemon $$; exec sleep 1000' & exec sleep 1000"
            let made = try await bench.create("alice", script)
            let line = try await bench.awaitLine(made, "daemon")
            let pid = try #require(line.split(separator: " ").last.flatMap { Int32($0) })
            let daemon = try #require(ProcessIdentity(pid: pid))
            let supervisor = try #require(ProcessHandle(try bench.run(made).supervisor))
            supervisor.send(SIGKILL)
            #expect(await supervisor.hasEnded(within: .seconds(60), ContinuousClock()))
            #expect(daemon.isAlive)
            switch verb {
            case "start": try await bench.provider.startInstance(made.reference)
            case "stop": try await bench.provider.stopInstance(made.reference, force: false)
            default: #expect(try await bench.provider.deleteInstance(made.reference))
            }
            #expect(!daemon.isAlive)
        }
    }

    @Test func aProcessThatGotTheNumberIsNeverMistaken() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "exit 0")
            try await bench.awaitEnd(made)
            let bystander = try await bench.create("bob")
            let innocent = try #require(try bench.run(bystander).child)
            let files = try bench.files(made)
            var forged = try bench.run(made)
            forged.supervisor.pid = innocent.pid
            forged.child?.pid = innocent.pid
            try JSONFile.write(forged, to: files.run)
            unlink(files.exit)
            #expect(try await bench.get(made).status == .failed)
            try await bench.provider.stopInstance(made.reference, force: true)
            #expect(try await bench.get(made).status == .stopped)
            #expect(innocent.isAlive)
            #expect(try await bench.provider.deleteInstance(made.reference))
            #expect(innocent.isAlive)
        }
    }

    @Test func afterARebootAnInstanceIsStoppedAndNotFailed() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "exit 0")
            try await bench.awaitEnd(made)
            let files = try bench.files(made)
            var earlier = try bench.run(made)
            earlier.supervisor.boot = "another-boot"
            try JSONFile.write(earlier, to: files.run)
            unlink(files.exit)
            let found = try await bench.get(made)
            #expect(found.status == .stopped)
            #expect(found.metadata["note"] == "the machine was restarted")
        }
    }

    @Test func aStopGoesOnWithoutItsController() async throws {
        try await Bench.run { bench in
            let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
            let made = try await bench.create("alice", script) {
                $0.specific = ["stopTimeout": .string("500ms")]
            }
            try await bench.awaitLine(made, "ready")
            let provider = bench.provider
            let stop = Task { try await provider.stopInstance(made.reference, force: false) }
            let files = try bench.files(made)
            await FileWait(clock: ContinuousClock()).until(
                files.directory, within: .seconds(60)
            ) { Directories.exists(files.stop) }
            stop.cancel()
            _ = await stop.result
            try await bench.awaitEnd(made)
            #expect(try await bench.get(made).status == .stopped)
        }
    }

    @Test func nothingThatTheControllerHadOpenStaysOpen() async throws {
        try await Bench.run { bench in
            var ends: [CInt] = [-1, -1]
            // Without close-on-exec, as a caller's own pipes come to a controller.
            #expect(pipe(&ends) == 0)
            defer { ends.forEach { close($0) } }
            let own = try link("/proc/self/fd/\(ends[1])")
            let run = try bench.run(try await bench.create("alice"))
            let supervisor = try descriptors(run.supervisor.pid)
            #expect(!supervisor.values.contains(own))
            let child = try descriptors(try #require(run.child).pid)
            #expect(child.keys.sorted() == ["0", "1", "2"])
            #expect(child["0"] == "/dev/null")
        }
    }

    private func descriptors(_ pid: Int32) throws -> [String: String] {
        var found: [String: String] = [:]
        for case .text(let name) in try Directory.names(in: "/proc/\(pid)/fd") {
            found[name] = try link("/proc/\(pid)/fd/\(name)")
        }
        return found
    }

    private func link(_ path: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        try #require(count > 0)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func nobodyElseCanStartASupervisor() throws {
        let process = try FixtureProcess(["supervise", "/nowhere"])
        #expect(process.firstLine().contains("pal"))
        #expect(process.wait() == 64 << 8)
    }
}

import FoundationEssentials
import Glibc
import Logging
import PalFiles
import PalModel
import PalProvider
import Subprocess
import SystemPackage
import Testing

@testable import ProcessProvider

@Suite struct SurvivalTests {
    @Test func anInstanceSurvivesTheKillOfItsController() async throws {
        try await Bench.run { bench in
            let data = "\(bench.directory)/data"
            let settings = ProviderSettings(
                type: "process", name: "process", swarm: bench.swarm, dataDirectory: data,
                environment: ["PATH": "/usr/bin:/bin"])
            let outcome = try await Subprocess.run(
                .path(.init(Fixture.path)),
                arguments: ["controller", data, bench.swarm, "alice", "sleep", "1000"],
                input: .none, output: .sequence, error: .discarded
            ) { execution in
                // Its line says that the instance runs; then it is killed without warning.
                for try await line in execution.standardOutput.strings() {
                    try execution.send(signal: .kill)
                    return line
                }
                return ""
            }
            #expect(outcome.terminationStatus == .signaled(SIGKILL))
            let id = outcome.closureResult.filter { !$0.isNewline }
            let fresh = try ProcessProvider(
                settings, supervisorCommand: [Fixture.path, "supervise"], logger: .init(label: "x"))
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

    @Test func nobodyElseCanStartASupervisor() async throws {
        let outcome = try await Subprocess.run(
            .path(.init(Fixture.path)), arguments: ["supervise", "/nowhere"], output: .discarded,
            error: .string(limit: 4096))
        #expect(outcome.terminationStatus == .exited(64))
        #expect(outcome.standardError.contains("pal"))
    }
}

import FoundationEssentials
import Glibc
import PalFiles
import PalModel
import PalProvider
import Testing

@testable import ProcessProvider

@Suite struct LifecycleTests {
    @Test func aCommandRunsInItsWorkspaceWithItsEnvironment() async throws {
        try await Bench.run { bench in
            let workspace = "\(bench.directory)/project"
            try Directories.make(workspace)
            let script = "echo $PAL_NAME,$PAL_ID,$COLOR,$PORT,$PWD,${HOME##*/}; exec sleep 1000"
            let made = try await bench.create("alice", script) {
                $0.workspacePath = workspace
                $0.env = ["COLOR": "blue"]
                $0.network.port = 46_001
            }
            #expect(made.status == .running)
            #expect(made.id == "id-alice")
            #expect(made.network.port == 46_001)
            let line = try await bench.awaitLine(made, "alice")
            #expect(line == "alice,id-alice,blue,46001,\(workspace),home")
        }
    }

    @Test func theControllersEnvironmentIsNotPassedOn() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "env | cut -d= -f1 | sort | tr '\\n' ' '")
            try await bench.awaitEnd(made)
            let names = try await bench.texts(made).joined().split(separator: " ").map(String.init)
            let expected: Set = ["HOME", "PAL_ID", "PAL_NAME", "PAL_RUN", "PAL_SWARM", "PATH"]
            #expect(Set(names).subtracting(["PWD", "SHLVL", "_", "OLDPWD"]) == expected)
        }
    }

    @Test func stopIsStoppedAndStartRunsAgain() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let first = try bench.run(made)
            try await bench.provider.stopInstance(made.reference, force: false)
            let stopped = try await bench.get(made)
            #expect(stopped.status == .stopped)
            #expect(stopped.exit?.signal == Int(SIGTERM))
            #expect(!first.supervisor.isAlive)
            try await bench.provider.stopInstance(made.reference, force: false)
            try await bench.provider.startInstance(made.reference)
            try await bench.provider.startInstance(made.reference)
            let second = try bench.run(made)
            #expect(try await bench.get(made).status == .running)
            #expect(try await bench.get(made).exit == nil)
            #expect(second.child != first.child)
        }
    }

    @Test func oneThatIsMadeWithoutAStartIsStopped() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", starts: false)
            #expect(made.status == .stopped)
            #expect(made.exit == nil)
            try await bench.provider.stopInstance(made.reference, force: false)
            try await bench.provider.startInstance(made.reference)
            #expect(try await bench.get(made).status == .running)
        }
    }

    @Test func oneThatIgnoresTheRequestIsKilledAfterItsGrace() async throws {
        try await Bench.run { bench in
            let script = "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done"
            let made = try await bench.create("alice", script) {
                $0.specific = ["stopTimeout": .string("300ms")]
            }
            try await bench.awaitLine(made, "ready")
            try await bench.provider.stopInstance(made.reference, force: false)
            let stopped = try await bench.get(made)
            #expect(stopped.status == .stopped)
            #expect(stopped.exit?.signal == Int(SIGKILL))
            #expect(try await bench.texts(made).contains("asked"))
        }
    }

    @Test func aForcedStopDoesNotAsk() async throws {
        try await Bench.run { bench in
            let script = "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done"
            let made = try await bench.create("alice", script)
            try await bench.awaitLine(made, "ready")
            try await bench.provider.stopInstance(made.reference, force: true)
            #expect(try await bench.get(made).status == .stopped)
            #expect(try await !bench.texts(made).contains("asked"))
        }
    }

    @Test func daemonsOfTheCommandEndWithIt() async throws {
        try await Bench.run { bench in
            let script = "setsid sh -c 'echo daemon $$; exec sleep 1000' & exec sleep 1000"
            let made = try await bench.create("alice", script)
            let line = try await bench.awaitLine(made, "daemon")
            let pid = try #require(line.split(separator: " ").last.flatMap { Int32($0) })
            let daemon = try #require(ProcessIdentity(pid: pid))
            try await bench.provider.stopInstance(made.reference, force: false)
            #expect(!daemon.isAlive)
        }
    }

    @Test(arguments: [0, 7]) func anEndThatNobodyAskedForIsAFailure(code: Int) async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "sleep 1000 & exit \(code)")
            try await bench.awaitEnd(made)
            let ended = try await bench.get(made)
            #expect(ended.status == .failed)
            #expect(ended.exit?.code == code)
            #expect(ended.exit?.at != nil)
            try await bench.provider.stopInstance(made.reference, force: false)
            #expect(try await bench.get(made).status == .stopped)
        }
    }

    @Test func everyCrashIsRecordedAndItsLinesAreKept() async throws {
        try await Bench.run { bench in
            let script = "echo run; kill -SEGV $$"
            let made = try await bench.create("alice", script)
            for _ in 0..<3 {
                try await bench.awaitEnd(made)
                #expect(try await bench.get(made).exit?.signal == Int(SIGSEGV))
                try await bench.provider.startInstance(made.reference)
            }
            try await bench.awaitEnd(made)
            #expect(try await bench.texts(made) == ["run", "run", "run", "run"])
        }
    }

    @Test func deleteEndsItAndIsFalseTheSecondTime() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice")
            let run = try bench.run(made)
            #expect(try await bench.provider.deleteInstance(made.reference))
            #expect(run.child?.isAlive == false)
            #expect(try await bench.provider.getInstance(made.reference) == nil)
            #expect(try await bench.provider.listInstances(.all).isEmpty)
            #expect(try await !bench.provider.deleteInstance(made.reference))
        }
    }

    @Test func manyStartsAtOnceAreOneRun() async throws {
        try await Bench.run { bench in
            let made = try await bench.create("alice", "echo run; exec sleep 1000", starts: false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await bench.provider.startInstance(made.reference) }
                }
                try await group.waitForAll()
            }
            try await bench.awaitLine(made, "run")
            #expect(try await bench.texts(made) == ["run"])
        }
    }
}

import Foundation
import TestSupport
import Testing

/// The engine's promises with the built program, on real platforms.
@Suite("Promises to people", .timeLimit(.minutes(10)))
struct PromiseTests {
    @Test func aPlanThatWasLookedAtIsAppliedOrRefused() async throws {
        try await Scene.play { scene in
            try scene.write("a.yaml", scene.spec("a", .process))
            let plan = try await scene.pal("plan", "-o", "json")
            #expect(plan.code == 2)
            let file = scene.root + "/plan.json"
            try plan.out.write(toFile: file, atomically: true, encoding: .utf8)
            try scene.write("b.yaml", scene.spec("b", .process))
            let refused = try await scene.pal("apply", "--plan", file)
            #expect(refused.code == 1)
            #expect(refused.err.contains("the specs changed since the plan was made"))
            #expect(try await scene.status().instances.allSatisfy { $0.instance == nil })
            try scene.remove("b.yaml")
            #expect(try await scene.pal("apply", "--plan", file).code == 0)
            #expect(try await scene.status()["a"]?.ready == true)
            let none = try await scene.pal("apply", "--plan", scene.root + "/nothing.json")
            #expect(none.code == 1 && none.err.contains("there is no such file"))
            let other = try await scene.pal("apply", "--plan", scene.root + "/pal.yaml")
            #expect(other.code == 1 && other.err.contains("not a plan"))
        }
    }

    @Test func aPlanIsBoundBesideARunningControllerToo() async throws {
        try await Scene.play { scene in
            try scene.write("a.yaml", scene.spec("a", .process, "disruption: approve"))
            try await scene.running {
                try await scene.eventually("a is ready") { $0["a"]?.ready == true }
                let plan = try await scene.pal("plan", "-o", "json")
                let file = scene.root + "/plan.json"
                try plan.out.write(toFile: file, atomically: true, encoding: .utf8)
                let nothing = try await scene.pal("apply", "--plan", file)
                #expect(nothing.code == 0)
                #expect(nothing.out.contains("The plan changes nothing."))
            }
        }
    }

    /// It said that the plan changes nothing, and ended well.
    @Test func aPlanOfNothingButWhatIsBlockedEndsWithTheReason() async throws {
        try await Scene.play { scene in
            try scene.write("b.yaml", scene.spec("b", .process, "dependsOn: [c]"))
            let plan = try await scene.pal("plan", "-o", "json")
            #expect(plan.code == 1)
            let file = scene.root + "/plan.json"
            try plan.out.write(toFile: file, atomically: true, encoding: .utf8)
            let applied = try await scene.pal("apply", "--plan", file)
            #expect(applied.code == 1)
            #expect(applied.out.contains("The plan changes nothing."))
            #expect(applied.err.contains("b: "), "\(applied)")
            #expect(applied.err.contains("no spec declares 'c'"), "\(applied)")
        }
    }

    @Test func whyAnswersForSettledHeldAndBlocked() async throws {
        try await Scene.play { scene in
            let before = try await scene.pal("why", "a")
            #expect(before.code == 1 && before.err.contains("nothing was decided yet"))
            try scene.write("a.yaml", scene.spec("a", .process))
            try scene.write("b.yaml", scene.spec("b", .process, "dependsOn: [c]"))
            _ = try await scene.pal("apply")
            let settled = try await scene.pal("why", "a")
            #expect(settled.out.hasPrefix("a: nothing, because it runs as declared and answers at"))
            let blocked = try await scene.pal("why", "b")
            #expect(blocked.out.contains("dependsOn: no spec declares 'c'"))
            #expect(try await scene.pal("stop", "a").code == 0)
            let held = try await scene.pal("why", "a", "-o", "json")
            #expect(held.out.contains("held stopped by"))
            let validated = try await scene.pal("validate")
            #expect(validated.code == 1)
            #expect(validated.out.contains("b.yaml:1:7: dependsOn: no spec declares 'c'"))
        }
    }

    @Test(.needsDockerEngine)
    func dependenciesReachOverProviders() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            try scene.write("web.yaml", scene.spec("web", .process, "dependsOn: [db]"))
            try scene.write("db.yaml", scene.spec("db", .docker))
            let applied = try await scene.pal("apply")
            #expect(applied.code == 0, "\(applied)")
            let events = try await scene.pal("events", "-n", "100").out.split(separator: "\n")
            let ready = try #require(events.firstIndex { $0.contains("db  Ready") })
            let creating = try #require(events.firstIndex { $0.contains("web  Creating") })
            #expect(ready < creating)
        }
    }

    @Test func replicasComeAndGoFromTheTop() async throws {
        try await Scene.play { scene in
            func spec(_ count: Int) -> String {
                """
                name: w
                provider: process
                editor: custom
                command: [sleep, "1000"]
                replicas: \(count)

                """
            }
            try scene.write("w.yaml", spec(3))
            #expect(try await scene.pal("apply").code == 0)
            #expect(try await scene.status().instances.map(\.name) == ["w-0", "w-1", "w-2"])
            let kept = try await scene.status()["w-0"]?.instance?.providerInstanceId
            try scene.write("w.yaml", spec(1))
            #expect(try await scene.pal("apply").code == 0)
            let status = try await scene.status()
            #expect(status.instances.map(\.name) == ["w-0"])
            #expect(status["w-0"]?.instance?.providerInstanceId == kept)
        }
    }

    /// A container without a port and without a volume shares nothing with its successor.
    @Test(.needsDockerEngine)
    func startFirstOnARealEngine() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            func spec(_ colour: String) -> String {
                """
                name: worker
                image: \(BusyboxImage.name)
                editor: custom
                command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1; done"]
                resources: { storage: { persistent: false } }
                env: { COLOUR: \(colour) }

                """
            }
            try scene.write("worker.yaml", spec("red"))
            let first = try await scene.pal("apply")
            #expect(first.code == 0, "\(first)")
            try scene.write("worker.yaml", spec("blue"))
            let second = try await scene.pal("apply")
            #expect(second.code == 0, "\(second)")
            let events = try await scene.pal("events", "worker").out
            #expect(events.contains("beside the old one, which goes when it is ready"))
            let status = try await scene.status()
            #expect(status["worker"]?.generation == 2)
            let containers = try await DockerEngine.shared.containers(swarm: scene.swarm)
            #expect(containers.count == 1)
        }
    }

    @Test func anEditorThatAsksToBeAskedIsAskedBesideARunningController() async throws {
        try await Scene.play { scene in
            try scene.write("a.yaml", scene.spec("a", .process, "disruption: approve"))
            try await scene.running {
                try await scene.eventually("a is ready") { $0["a"]?.ready == true }
                try scene.write(
                    "a.yaml",
                    scene.spec("a", .process, "disruption: approve\nenv: { COLOUR: blue }"))
                try await scene.eventually("it waits") { status in
                    status["a"]?.conditions.contains {
                        $0.kind == "AwaitingApproval"
                    } == true
                }
                let old = try await scene.pal("exec", "a", "--", "sh", "-c", "echo $COLOUR")
                #expect(old.out == "\n")
                let approved = try await scene.pal("approve", "a")
                #expect(approved.code == 0, "\(approved)")
                let new = try await scene.pal("exec", "a", "--", "sh", "-c", "echo $COLOUR")
                #expect(new.out == "blue\n")
            }
        }
    }

    @Test func aStalledSpecIsTriedAgainOnRequest() async throws {
        try await Scene.play { scene in
            let marker = scene.root + "/there"
            try scene.write(
                "a.yaml",
                """
                name: a
                provider: process
                editor: custom
                workspacePath: \(marker)
                command: [sleep, "1000"]

                """)
            let failed = try await scene.pal("apply", "--timeout", "20s")
            #expect(failed.code == 1)
            try FileManager.default.createDirectory(
                atPath: marker, withIntermediateDirectories: true)
            let retried = try await scene.pal("retry", "a")
            #expect(retried.code == 0, "\(retried)")
            #expect(retried.out == "a: as declared\n")
        }
    }
}

import Foundation
import TestSupport
import Testing

/// What must never happen to people's work. With the built program, on the process provider, since
/// what is tested is the same for all.
@Suite("Nothing is deleted by mistake", .timeLimit(.minutes(10)))
struct SafetyTests {
    /// Starts a controller over so many instances that do nothing, then plays.
    private func playing(
        _ names: [String], _ body: (Scene) async throws -> Void
    ) async throws {
        try await Scene.play { scene in
            for name in names { try scene.write("\(name).yaml", idle(name)) }
            try await scene.running {
                try await scene.eventually("all ready") { status in
                    names.allSatisfy { status[$0]?.ready == true }
                }
                try await body(scene)
            }
        }
    }

    private func idle(_ name: String) -> String {
        "name: \(name)\nprovider: process\neditor: custom\ncommand: [sleep, \"10000\"]\n"
    }

    @Test func aSyntaxErrorKeepsTheLastGoodVersion() async throws {
        try await playing(["alice", "bob"]) { scene in
            try scene.write("alice.yaml", "name: alice\n  provider: [")
            let status = try await scene.eventually("the problem is told") {
                !$0.problems.isEmpty && $0["alice"]?.has("StaleSpec") == true
            }
            #expect(status["alice"]?.status == "running")
            try scene.remove("bob.yaml")
            try await scene.eventually("others carry on") { $0["bob"] == nil }
            try scene.write("alice.yaml", idle("alice"))
            try await scene.eventually("it is mended") { $0.problems.isEmpty }
        }
    }

    @Test func aDirectoryRenamedAwayDeletesNothing() async throws {
        try await playing(["alice"]) { scene in
            try FileManager.default.moveItem(atPath: scene.specs, toPath: scene.root + "/away")
            let gone = try await scene.eventually("it is told") {
                $0.pruneBlock?.contains("does not exist") == true
            }
            #expect(gone["alice"]?.status == "running")
            try "a file".write(toFile: scene.specs, atomically: true, encoding: .utf8)
            let file = try await scene.eventually("the file is told") {
                $0.pruneBlock?.contains("is not a directory") == true
            }
            #expect(file["alice"]?.status == "running")
            try FileManager.default.removeItem(atPath: scene.specs)
            try FileManager.default.createDirectory(
                atPath: scene.specs, withIntermediateDirectories: true)
            let empty = try await scene.eventually("the empty one is told") {
                $0.pruneBlock?.contains("replaced by an empty one") == true
            }
            #expect(empty["alice"]?.status == "running")
            try FileManager.default.removeItem(atPath: scene.specs)
            try FileManager.default.moveItem(atPath: scene.root + "/away", toPath: scene.specs)
            try await scene.eventually("all is as before") {
                $0.pruneBlock == nil && $0["alice"]?.ready == true
            }
        }
    }

    @Test func foundEmptyAtStartDeletesNothing() async throws {
        try await Scene.play { scene in
            try scene.write("alice.yaml", idle("alice"))
            try await scene.apply()
            try scene.remove("alice.yaml")
            try await scene.apply()
            let status = try await scene.status()
            #expect(status["alice"]?.status == "running")
            #expect(status.pruneBlock?.contains("was empty when pal started") == true)
            let plan = try await scene.pal("plan")
            #expect(plan.code == 1, "\(plan)")
        }
    }

    @Test func removingTheOnlyFileDeletesItsOneInstance() async throws {
        try await playing(["alice"]) { scene in
            try scene.remove("alice.yaml")
            try await scene.eventually("gone") { $0.instances.isEmpty }
        }
    }

    @Test func removingThirtyOfFortyWaitsForApproval() async throws {
        let names = (10..<50).map { "n\($0)" }
        try await playing(names) { scene in
            for name in names.prefix(30) { try scene.remove("\(name).yaml") }
            let parked = try await scene.eventually("parked") { $0.parked?.names.count == 30 }
            #expect(parked.instances.filter { $0.status == "running" }.count == 40)
            #expect(parked["n10"]?.has("Parked") == true)
            let approved = try await scene.pal("approve")
            #expect(approved.code == 0, "\(approved)")
            let left = try await scene.status()
            #expect(left.instances.map(\.name) == Array(names.suffix(10)))
        }
    }

    @Test func anotherDirectoryOfTheSameSwarmTouchesNothingOfTheFirst() async throws {
        try await Scene.play { scene in
            try scene.write("alice.yaml", idle("alice"))
            try await scene.apply()
            let other = scene.root + "/other"
            try FileManager.default.createDirectory(
                atPath: other, withIntermediateDirectories: true)
            try idle("bob").write(
                toFile: other + "/bob.yaml", atomically: true, encoding: .utf8)
            try "swarm: \(scene.swarm)\nspecs: other\n".write(
                toFile: scene.root + "/other.yaml", atomically: true, encoding: .utf8)
            let applied = try await scene.pal("apply", "--config", "other.yaml")
            #expect(applied.code == 0, "\(applied)")
            let status = try await scene.status()
            #expect(status["alice"]?.status == "running")
            #expect(status["alice"]?.has("Orphan") == true)
            #expect(status["bob"]?.ready == true)
        }
    }

    @Test func aDuplicateNameIsFrozenAndBothPlacesAreTold() async throws {
        try await playing(["alice"]) { scene in
            try scene.write("again.yaml", idle("alice"))
            let status = try await scene.eventually("told") { $0["alice"]?.has("Blocked") == true }
            #expect(status["alice"]?.status == "running")
            #expect(status.problems.count == 2)
            let checked = try await scene.pal("validate")
            #expect(checked.code == 1)
            #expect(checked.out.contains("again.yaml:1:7: 'alice' is declared more than once"))
            #expect(checked.out.contains("alice.yaml:1:7: 'alice' is declared more than once"))
            try scene.remove("again.yaml")
            try await scene.eventually("lifted") { $0["alice"]?.has("Blocked") == false }
        }
    }

    @Test func whatCrashesIsStartedAgain() async throws {
        try await Scene.play { scene in
            let crashing = idle("alice").replacing(
                "[sleep, \"10000\"]",
                with: "[sh, -c, 'test -e \(scene.root)/second && exec sleep 10000; "
                    + "touch \(scene.root)/second; exit 3']")
            try scene.write("alice.yaml", crashing)
            try await scene.running {
                try await scene.eventually("it runs at the second attempt") {
                    $0["alice"]?.ready == true
                        && FileManager.default.fileExists(atPath: scene.root + "/second")
                }
                let events = try await scene.pal("events", "alice")
                #expect(
                    events.out.contains("Crashed  it ended by itself: exit code 3"), "\(events)")
            }
        }
    }
}

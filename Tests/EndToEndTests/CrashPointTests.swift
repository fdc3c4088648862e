import Foundation
import PalEngine
import PalHTTP
import PalModel
import PalProvider
import PalLedger
import TestSupport
import Testing

/// `kill -9` of the controller between any two steps, and a restart: exactly what is declared
/// stands, nothing twice, nothing lost.
@Suite("Crashes", .timeLimit(.minutes(10)))
struct CrashPointTests {
    private static let platforms: [Scene.Platform] =
        DockerEngine.isHere ? [.process, .docker] : [.process]

    /// Enough to tell what is wrong; later ones may follow from the first.
    private static let mostComplaints = 3

    @Test(arguments: platforms, Scenario.allCases)
    func aRestartMendsACrash(_ platform: Scene.Platform, _ scenario: Scenario) async throws {
        try await played(platform, scenario) { scene in
            var wrong = 0
            for moment in 1...400 where wrong < Self.mostComplaints {
                var crashes = 0
                for crossing in scenario.round(moment, scene, platform) {
                    let before = try await scene.standing(platform)
                    try scene.declare(crossing.files)
                    let crash = try await scene.apply(killedAt: moment)
                    if crash.code == 128 + SIGKILL { crashes += 1 }
                    var complaints =
                        crash.code == 128 + SIGKILL || crash.code == 0 ? [] : ["\(crash)"]
                    let restart = try await scene.apply(killedAt: 0)
                    if restart.code != 0 { complaints.append("the restart says: \(restart)") }
                    let stay = before.filter { crossing.names.contains($0.name) }
                    complaints += try await scene.complaints(
                        after: crossing, on: platform,
                        ids: Dictionary(stay.map { ($0.name, $0.id) }) { first, _ in first },
                        before: before)
                    guard !complaints.isEmpty else { continue }
                    wrong += 1
                    record(complaints, platform, crossing, moment)
                }
                if crashes == 0 {
                    #expect(moment > 20, "too few moments to have been in the midst of anything")
                    return
                }
            }
            if wrong == 0 { Issue.record("\(platform) \(scenario): no run came to its end") }
        }
    }

    @Test(arguments: platforms, [Scenario.createAndDelete, .replace])
    func aRestartMendsACrashWithTheStateLost(
        _ platform: Scene.Platform, _ scenario: Scenario
    ) async throws {
        try await played(platform, scenario) { scene in
            var wrong = 0
            for moment in stride(from: 2, to: 400, by: 3) where wrong < Self.mostComplaints {
                let round = scenario.round(moment, scene, platform)
                guard let crossing = round.first else { return }
                let before = try await scene.standing(platform)
                try scene.declare(crossing.files)
                let crash = try await scene.apply(killedAt: moment)
                try FileManager.default.removeItem(atPath: scene.state)
                var complaints = try await restartedWithoutState(scene)
                complaints += try await scene.complaints(
                    after: crossing, on: platform, ids: [:], before: before)
                if !complaints.isEmpty {
                    wrong += 1
                    record(complaints, platform, crossing, moment)
                }
                if crash.code == 0 { return }
                for next in round.dropFirst() {
                    try scene.declare(next.files)
                    try await scene.converge()
                }
            }
            if wrong == 0 { Issue.record("\(platform) \(scenario): no run came to its end") }
        }
    }

    /// What stands as it was declared before is nobody's that a new ledger knows: pal asks first.
    private func restartedWithoutState(_ scene: Scene) async throws -> [String] {
        let restart = try await scene.apply(killedAt: 0)
        guard restart.code != 0 else { return [] }
        guard restart.err.contains("takes over what stands") else {
            return ["the restart says: \(restart)"]
        }
        let approved = try await scene.pal("approve", "a", "b")
        guard approved.code == 0 else { return ["approve says: \(approved)"] }
        let again = try await scene.apply(killedAt: 0)
        return again.code == 0 ? [] : ["the approved restart says: \(again)"]
    }

    private func played(
        _ platform: Scene.Platform, _ scenario: Scenario, _ body: (Scene) async throws -> Void
    ) async throws {
        if platform == .docker { try await BusyboxImage.ensure() }
        try await Scene.play { scene in
            try scene.declare(scenario.start(scene, platform))
            try await scene.converge()
            if scenario == .replace, platform == .docker {
                try await scene.leaveMark(in: ["a", "b"])
            }
            try await body(scene)
        }
    }

    private func record(
        _ complaints: [String], _ platform: Scene.Platform, _ crossing: Crossing, _ moment: Int
    ) {
        Issue.record(
            "\(platform) \(crossing.title), crash \(moment): \(complaints.joined(separator: "; "))")
    }
}

/// The checks of the crash tests can fail.
@Suite("What the crash tests look for")
struct ExpectedTests {
    private let two = Expected(names: ["a", "b"], ids: ["a": "1"], objects: ["a": "x"])
    private let a = Standing(name: "a", id: "1", object: "x", isRunning: true)
    private let b = Standing(name: "b", id: "2", object: "y", isRunning: true)

    @Test func allIsWell() { #expect(two.complaints(about: [b, a]).isEmpty) }

    @Test func lostDoubledAndTooMany() {
        #expect(two.complaints(about: [a]) == ["'b' is lost"])
        var twin = a
        twin.object = "z"
        #expect(two.complaints(about: [a, twin, b]) == ["'a' stands 2 times"])
        let c = Standing(name: "c", id: "3", object: "z", isRunning: true)
        #expect(two.complaints(about: [a, b, c]) == ["'c' stands and is not declared"])
    }

    @Test func stoppedOrAnother() {
        let other = Standing(name: "a", id: "5", object: "z", isRunning: false)
        #expect(
            two.complaints(about: [other, b]) == [
                "'a' does not run", "'a' had the id 1 and has 5",
                "'a' was another object: x, now z",
            ])
    }

    @Test(.needsDockerEngine)
    func aContainerThatWasDoubledByHand() async throws {
        try await BusyboxImage.ensure()
        try await Scene.play { scene in
            try scene.declare(["a.yaml": scene.spec("a", .docker)])
            try await scene.converge()
            let expected = Expected(names: ["a"])
            #expect(expected.complaints(about: try await scene.standing(.docker)).isEmpty)
            #expect(try await scene.unfinished().isEmpty)

            let one = try #require(
                try await DockerEngine.shared.containers(swarm: scene.swarm).first)
            struct Twin: Encodable {
                var Image: String
                var Labels: [String: String]
            }
            let twin = Twin(Image: BusyboxImage.name, Labels: one.Labels)
            let made = try await DockerEngine.shared.call(
                "POST", "/containers/create", body: [UInt8](try JSONEncoder().encode(twin)))
            #expect(made.status == 201)
            #expect(
                expected.complaints(about: try await scene.standing(.docker)) == [
                    "'a' stands 2 times"
                ])
            #expect(try await scene.unfinished().contains { $0.hasPrefix("pal plan") })
        }
    }
}

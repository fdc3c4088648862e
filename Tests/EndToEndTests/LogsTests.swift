import Foundation
import TestSupport
import Testing

/// `pal logs` and what it is asked for, with the built program.
@Suite("Logs", .timeLimit(.minutes(10)))
struct LogsTests {
    private static let platforms: [Scene.Platform] =
        DockerEngine.isHere ? [.process, .docker] : [.process]

    private func spec(_ platform: Scene.Platform) -> String {
        """
        name: alice
        \(platform == .docker ? "image: \(BusyboxImage.name)" : "provider: process")
        editor: custom
        command: [sh, -c, "echo one; echo two >&2; echo three; while true; do sleep 1; done"]
        \(platform == .docker ? "specific: { network: none }" : "")

        """
    }

    @Test(arguments: platforms)
    func linesPatternAndTimeAreChosen(_ platform: Scene.Platform) async throws {
        if platform == .docker { try await BusyboxImage.ensure() }
        try await Scene.play { scene in
            try scene.write("alice.yaml", spec(platform))
            try await scene.apply()
            try await scene.eventually("all is written") { _ in
                try await lines(scene, []).count == 3
            }
            let plain = try await scene.pal("logs", "alice")
            #expect(plain.out == "one\nthree\n" && plain.err == "two\n", "\(plain)")
            #expect(try await lines(scene, ["--lines", "1"]).count == 1)
            #expect(try await lines(scene, ["-n", "0"]) == [])
            #expect(try await Set(lines(scene, ["--pattern", "^t"])) == ["two", "three"])
            #expect(try await lines(scene, ["--since", "1h"]).count == 3)
            try await scene.eventually("they are some seconds old") { _ in
                try await lines(scene, ["--since", "2s"]) == []
            }
            let stamped = try await lines(scene, ["--timestamps", "--pattern", "one"])
            #expect(stamped.count == 1 && stamped[0].hasSuffix("one") && stamped[0].count > 20)
            let wrong = try await scene.pal("logs", "alice", "--pattern", "(")
            #expect(wrong.code == 1 && wrong.err.contains("regular expression"), "\(wrong)")
            let negative = try await scene.pal("logs", "alice", "--lines=-1")
            #expect(negative.code == 64 && negative.err.contains("negative"), "\(negative)")
            let nobody = try await scene.pal("logs", "alicia")
            #expect(nobody.code == 1 && nobody.err.contains("did you mean 'alice'"), "\(nobody)")
        }
    }

    private func lines(_ scene: Scene, _ options: [String]) async throws -> [String] {
        let shown = try await PalProgram.run(
            ["logs", "alice"] + options, environment: scene.environment, directory: scene.root)
        guard shown.code == 0 else { throw TestFailure("pal logs: \(shown)") }
        // Each of the two streams goes where it came from.
        return (shown.out + shown.err).split(separator: "\n").map(String.init)
    }
}

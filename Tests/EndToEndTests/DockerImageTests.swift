import Foundation
import TestSupport
import Testing

/// Images from a real registry, by the built program.
@Suite("Images on Docker", .needsRegistry, .timeLimit(.minutes(10)))
struct DockerImageTests {
    private func spec(_ image: String, _ specific: String = "") -> String {
        """
        name: alice
        image: \(image)
        specific: { network: bridge\(specific) }

        """
    }

    @Test func aMissingImageIsPulledAndThatIsTold() async throws {
        try await TestRegistry.run { registry in
            let image = try await registry.push("told:1", megabytes: 2)
            try await Scene.play { scene in
                try scene.write("alice.yaml", spec(image))
                try await scene.apply()
                let events = try await scene.pal("events", "alice").out
                let reasons = events.split(separator: "\n").compactMap {
                    $0.split(separator: " ", omittingEmptySubsequences: true).dropFirst(2).first
                }
                #expect(reasons == ["Creating", "Pulling", "Pulled", "Created", "Ready"])
                #expect(events.contains("the image \(image) at sha256:"))
                let status = try await scene.pal("status", "alice", "-o", "json").out
                #expect(status.contains("\"imageDigest\" : \"sha256:"))
            }
        }
    }

    @Test func atATerminalAPullIsABar() async throws {
        try await TestRegistry.run { registry in
            let image = try await registry.push("bar:1", megabytes: 24)
            try await Scene.play { scene in
                try scene.write("alice.yaml", spec(image))
                let terminal = try TerminalProgram(
                    ["apply"], environment: scene.environment, directory: scene.root,
                    rows: 24, columns: 70)
                let shown = try await terminal.read(until: "1 of 1 ready")
                #expect(shown.contains("0 of 1 ready  ["), "\(shown.debugDescription)")
                // How much of it is full when, depends on the machine.
                let bar = try Regex("\\[#*-*\\] alice: ")
                #expect(shown.contains(bar), "\(shown.debugDescription)")
                // What is written over must not wrap.
                for line in shown.split(separator: "\r") where line.contains(" of 1 ready") {
                    #expect(line.filter { !$0.isNewline }.count < 70, "\(line.debugDescription)")
                }
                #expect(await terminal.end() == 0)
            }
        }
    }

    @Test func aPrivateRegistryWantsTheLoginOfTheDockerCommand() async throws {
        try await TestRegistry.run(hasPassword: true) { registry in
            let image = try await registry.push("private:1")
            try await Scene.play { scene in
                try scene.write("alice.yaml", spec(image))
                let refused = try await scene.pal("apply")
                #expect(refused.code == 1)
                #expect(refused.err.contains("docker login \(registry.address)"), "\(refused)")
                let login = Data("\(TestRegistry.user):\(TestRegistry.password)".utf8)
                    .base64EncodedString()
                try FileManager.default.createDirectory(
                    atPath: scene.root + "/.docker", withIntermediateDirectories: true)
                try #"{"auths": {"\#(registry.address)": {"auth": "\#(login)"}}}"#.write(
                    toFile: scene.root + "/.docker/config.json", atomically: true, encoding: .utf8)
                try await scene.apply()
                let all = try await scene.pal("events", "-o", "json").out
                #expect(!all.contains(TestRegistry.password) && !all.contains(login))
            }
        }
    }

    @Test func aMovedTagIsDriftAndIsFollowedOnlyWhereTheSpecSaysSo() async throws {
        try await TestRegistry.run { registry in
            let image = try await registry.push("moving:1", staysHere: true)
            try await Scene.play { scene in
                try scene.write("alice.yaml", spec(image))
                try await scene.running {
                    let first = try await scene.eventually("ready") { $0["alice"]?.ready == true }
                    try await registry.push("moving:1", staysHere: true)
                    let drifted = try await scene.eventually("drifted") {
                        $0["alice"]?.has("Drifted") == true
                    }
                    #expect(drifted["alice"]?.generation == 1)
                    let why = drifted["alice"]?.conditions.first { $0.kind == "Drifted" }
                    #expect(why?.message.contains("the tag moved from") == true)
                    try scene.write("alice.yaml", spec(image, ", followTag: true"))
                    try await scene.eventually("followed") {
                        $0["alice"]?.generation == 2 && $0["alice"]?.ready == true
                            && $0["alice"]?.has("Drifted") == false
                            && $0["alice"]?.instance?.providerInstanceId
                                != first["alice"]?.instance?.providerInstanceId
                    }
                    // To say less changes nothing of the instance.
                    try scene.write("alice.yaml", spec(image, ", pull: never"))
                    let plan = try await scene.pal("plan")
                    #expect(plan.code == 0, "\(plan)")
                }
            }
        }
    }
}

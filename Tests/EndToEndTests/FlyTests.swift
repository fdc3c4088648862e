import FlyEmulation
import Foundation
import PalHTTP
import TestSupport
import Testing

/// The built program against the emulation of Fly.io.
@Suite("On Fly.io", .timeLimit(.minutes(10)))
struct FlyTests {
    private static let token = "fm2_" + String(UInt64.random(in: 0 ... .max), radix: 36)

    private func playing(
        _ body: (Scene, FlyEmulation) async throws -> Void
    ) async throws {
        var options = FlyEmulation.Options()
        options.token = Self.token
        options.openAPI = ProcessInfo.processInfo.environment["PAL_FLY_OPENAPI"]
        let fly = try FlyEmulation(options)
        try await fly.start()
        try await Scene.play { plain in
            let scene = plain.with([
                "FLY_API_TOKEN": Self.token, "FLY_FLAPS_BASE_URL": fly.origin,
                "FLY_API_BASE_URL": fly.origin, "FLY_REGION": "fra",
            ])
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(scene, fly))
            } catch {
                result = .failure(error)
            }
            await fly.stop()
            try result.get()
            try expectNoToken(in: scene)
        }
        #expect(fly.mismatches.isEmpty, "not as the OpenAPI document has it")
    }

    /// Neither the ledger nor a log, a password's file or a spec holds it.
    private func expectNoToken(in scene: Scene) throws {
        let files = try #require(FileManager.default.enumerator(atPath: scene.root))
        for case let file as String in files {
            guard let data = FileManager.default.contents(atPath: scene.root + "/" + file) else {
                continue
            }
            #expect(data.range(of: Data(Self.token.utf8)) == nil, "the token is in \(file)")
        }
    }

    private func spec(_ name: String, _ more: String = "") -> String {
        """
        name: \(name)
        provider: fly
        image: registry.example.org/editor:1
        editor: custom
        command: [sh, -c, "echo hello from $HOME; sleep 1000"]
        network: { port: 8080 }
        health: { path: /ok }
        env: { HOME: /home/coder }
        \(more)

        """
    }

    private func app(_ scene: Scene) -> String { "pal-\(scene.swarm)" }

    @Test func planApplyStatusLogsAndExec() async throws {
        try await playing { scene, fly in
            try scene.write("alice.yaml", spec("alice"))
            let plan = try await scene.pal("plan")
            #expect(plan.out.contains("+ alice  create on fly"), "\(plan)")
            #expect(fly.apps().isEmpty, "a plan made something")
            try await scene.apply()
            let again = try await scene.pal("plan")
            #expect(again.code == 0 && again.out.contains("Nothing to change."), "\(again)")
            let status = try await scene.status()
            #expect(status["alice"]?.ready == true)
            let url = try #require(status["alice"]?.instance?.network.urls.first)
            #expect(url.hasPrefix("https://\(app(scene)).fly.dev:"))
            let logs = try await scene.pal("logs", "alice")
            #expect(logs.out.contains("hello from"), "\(logs)")
            let run = try await scene.pal("exec", "alice", "--", "sh", "-c", "echo out; exit 7")
            #expect(run.code == 7 && run.out == "out\n", "\(run)")
            try scene.write("alice.yaml", spec("alice", "state: absent\nonDelete: delete\n"))
            try await scene.apply()
            #expect(fly.machines(app: app(scene)).filter { $0.state == "started" }.isEmpty)
            #expect(fly.volumes(app: app(scene)).filter { $0.state == "created" }.isEmpty)
        }
    }

    @Test func anotherRegionIsRefusedBeforeAnythingHappensAndThenMoves() async throws {
        try await playing { scene, fly in
            try scene.write("alice.yaml", spec("alice"))
            try await scene.apply()
            let before = fly.volumes(app: app(scene)).map(\.id)
            try scene.write("alice.yaml", spec("alice", "region: ams\n"))
            let refused = try await scene.pal("plan")
            #expect(refused.out.contains("would lose the persistent data"), "\(refused)")
            #expect(fly.volumes(app: app(scene)).map(\.id) == before)
            try scene.write("alice.yaml", spec("alice", "region: ams\nonReplace: discard\n"))
            let plan = try await scene.pal("plan")
            #expect(plan.out.contains("persistent storage is deleted"), "\(plan)")
            try await scene.apply()
            let machines = fly.machines(app: app(scene)).filter { $0.state == "started" }
            #expect(machines.map(\.region) == ["ams"])
            let volumes = fly.volumes(app: app(scene)).filter { $0.state == "created" }
            #expect(volumes.map(\.region) == ["ams"])
        }
    }

    @Test func answersThatAreLostMakeNothingTwice() async throws {
        try await playing { scene, fly in
            for fault in [
                Fault.effectThen500(.createMachine), .dropAnswer(.createVolume),
                .timeoutAfterEffect(.createApp), .serverErrorBefore(.wait, 502),
                .dropAnswer(.deleteMachine), .effectThen500(.stopMachine), .staleList,
            ] { fly.fail(fault) }
            try scene.write("alice.yaml", spec("alice"))
            try await scene.running {
                try await scene.eventually("ready") { $0["alice"]?.ready == true }
                try scene.write("alice.yaml", spec("alice", "labels: { a: b }\n"))
                try await scene.eventually("made anew with its label") { status in
                    let machines = fly.machines(app: app(scene)).filter { $0.state == "started" }
                    let config = machines.first.map { String(decoding: $0.config, as: UTF8.self) }
                    return status["alice"]?.ready == true && config?.contains(#""a":"b""#) == true
                }
            }
            #expect(fly.armed.isEmpty, "these never happened")
            #expect(fly.apps() == [app(scene)])
            #expect(fly.machines(app: app(scene)).filter { $0.state == "started" }.count == 1)
            #expect(fly.volumes(app: app(scene)).filter { $0.state == "created" }.count == 1)
        }
    }

    @Test func whatTheTokenMayNotIsSaidWithTheRemedy() async throws {
        try await playing { scene, _ in
            try scene.write("alice.yaml", spec("alice"))
            let wrong = scene.with(["FLY_API_TOKEN": "fm2_wrong"])
            let applied = try await wrong.pal("apply")
            #expect(applied.code == 1)
            #expect(applied.err.contains("fly tokens create"), "\(applied)")
            #expect(!"\(applied)".contains("fm2_wrong"))
        }
    }
}

import FlyEmulation
import Foundation
import Testing

@Suite struct ProcessTests {
    private func shell(_ script: String) -> JSON {
        ["exec": ["/bin/sh", "-c", .string(script)]]
    }

    private func lines(_ scene: Scene, _ query: String = "") async throws -> [String] {
        var reader = scene
        reader.authorization = "FlyV1 fm2_test"
        let reply = try await reader.call("GET", "/api/v1/apps/app/logs" + query)
        return (reply["data"]?.array ?? []).compactMap { $0["attributes"]?["message"]?.string }
    }

    @Test func logsAndFiles() async throws {
        try await Scene.play { scene in
            let script = "cat etc/motd; echo $WORD >&2; printf rest; exec sleep 100"
            let content = JSON.string(Data("hello\n".utf8).base64EncodedString())
            let id = try await scene.machine(
                "m",
                [
                    "init": shell(script), "env": ["WORD": "loud"],
                    "files": [["guest_path": "/etc/motd", "raw_value": content]],
                ])
            try await scene.until { try await Set(lines(scene)) == ["hello", "loud"] }
            let machine = scene.fly.machines(app: "app")[0]
            #expect(machine.files == ["/etc/motd": Data("hello\n".utf8)])
            #expect(try await lines(scene, "?instance=other") == [])
            #expect(try await lines(scene, "?instance=\(id)&region=ams").count == 2)
            var reader = scene
            reader.authorization = "FlyV1 fm2_test"
            let page = try await reader.call("GET", "/api/v1/apps/app/logs")
            let token = try #require(page["meta"]?["next_token"]?.string)
            #expect(try await lines(scene, "?next_token=\(token)") == [])
            try await scene.call("POST", "/v1/apps/app/machines/\(id)/stop", [:])
            try await scene.wait(id, for: "stopped")
            try await scene.until {
                try await lines(scene, "?next_token=\(token)") == ["rest"]
            }
        }
    }

    @Test func stopIsAsked() async throws {
        try await Scene.play { scene in
            let script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.02; done"
            let id = try await scene.machine(
                "m", ["init": shell(script), "restart": ["policy": "always"]])
            try await scene.until { try await lines(scene) == ["up"] }
            let path = "/v1/apps/app/machines/\(id)"
            let stop = try await scene.call(
                "POST", path + "/stop", ["signal": "SIGTERM", "timeout": "10s"])
            #expect(stop.status == 200)
            try await scene.wait(id, for: "stopped")
            try await scene.until { try await lines(scene) == ["up", "bye"] }
            let events = try await scene.call("GET", path + "/events?limit=1")
            let exit = events.body.array?.first?["request"]?["exit_event"]
            #expect(exit?["exit_code"] == 3)
            #expect(exit?["requested_stop"] == true)
            try await Task.sleep(for: .milliseconds(100))
            #expect(scene.state(id) == "stopped")
        }
    }

    @Test func killedAfterTimeout() async throws {
        try await Scene.play { scene in
            let script = "trap '' INT; echo up; while :; do sleep 0.02; done"
            let id = try await scene.machine("m", ["init": shell(script)])
            try await scene.until { try await lines(scene) == ["up"] }
            try await scene.call(
                "POST", "/v1/apps/app/machines/\(id)/stop", ["timeout": "200ms"])
            try await scene.wait(id, for: "stopped")
        }
    }

    @Test func restartPolicies() async throws {
        try await Scene.play { scene in
            let failing = try await scene.machine(
                "f",
                [
                    "init": shell("echo try; exit 1"),
                    "restart": ["policy": "on-failure", "max_retries": 2],
                ])
            let well = try await scene.machine("w", ["init": shell("exit 0")])
            try await scene.until {
                let tries = try await lines(scene).count
                return tries == 3 && scene.state(failing) == "stopped"
            }
            try await scene.until { scene.state(well) == "stopped" }
            let missing = try await scene.machine("x", ["init": ["exec": ["/no/such"]]])
            try await scene.until { scene.state(missing) == "failed" }
            let killed = try await scene.machine(
                "k", ["init": shell("exec sleep 100"), "restart": ["policy": "no"]])
            try await scene.wait(killed, for: "started")
            scene.fly.kill(machine: killed, app: "app", outOfMemory: true)
            try await scene.wait(killed, for: "stopped")
            let path = "/v1/apps/app/machines/\(killed)"
            let exit = try await scene.call("GET", path)["events"]?.array?.first?["request"]
            #expect(exit?["exit_event"]?["oom_killed"] == true)
            #expect(exit?["exit_event"]?["exit_code"] == 137)
            let brief = try await scene.machine(
                "b", ["init": shell("exit 0"), "auto_destroy": true])
            try await scene.until { scene.state(brief) == nil }
        }
    }

    @Test func exec() async throws {
        try await Scene.play { scene in
            let id = try await scene.machine("m", ["env": ["WORD": "w"]], ["skip_launch": true])
            let path = "/v1/apps/app/machines/\(id)/exec"
            #expect(try await scene.call("POST", path, ["command": ["true"]]).status == 412)
            try await scene.call("POST", "/v1/apps/app/machines/\(id)/start")
            try await scene.wait(id, for: "started")
            let good = try await scene.call(
                "POST", path, ["command": ["sh", "-c", "cat; echo $WORD"], "stdin": "in "])
            #expect(good.body == ["stdout": "in w\n", "stderr": ""])
            let bad = try await scene.call(
                "POST", path, ["cmd": "sh -c 'echo no >&2; exit 4'"])
            #expect(bad.body == ["stdout": "", "stderr": "no\n", "exit_code": 4])
            let signalled = try await scene.call(
                "POST", path, ["command": ["sh", "-c", "kill -9 $$"]])
            #expect(signalled["exit_signal"] == 9)
            let late = try await scene.call(
                "POST", path, ["command": ["sleep", "50"], "timeout": 1])
            #expect(late.status == 408)
        }
    }

    @Test func nothingIsLeft() async throws {
        let directory = Directory()
        try await Scene.play { scene in
            let script = "setsid sleep 1234.5 & exec sleep 1234.6"
            let id = try await scene.machine("m", ["init": shell(script)])
            try await scene.wait(id, for: "started")
            directory.path = scene.fly.machines(app: "app")[0].directory
            #expect(FileManager.default.fileExists(atPath: directory.path))
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path))
        for process in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            let file = URL(filePath: "/proc/\(process)/cmdline")
            guard let line = try? String(contentsOf: file, encoding: .utf8) else { continue }
            #expect(!line.hasPrefix("sleep\u{0}1234."))
        }
    }

    @Test func endsInTheMiddle() async throws {
        try await Scene.play { scene in
            let script = "trap '' INT TERM; while :; do sleep 0.02; done"
            let id = try await scene.machine("m", ["init": shell(script)])
            try await scene.wait(id, for: "started")
            let path = "/v1/apps/app/machines/\(id)"
            Task { try await scene.call("GET", path + "/wait?state=failed") }
            Task { try await scene.call("POST", path + "/exec", ["command": ["sleep", "50"]]) }
            try await scene.until { scene.fly.calls.filter { $0.status == 0 }.count == 2 }
            try await scene.call("POST", path + "/stop", ["timeout": "50s"])
        }
    }

    private final class Directory { var path = "" }
}

import FlyEmulation
import Foundation
import Testing

@Suite struct MachineTests {
    @Test func creation() async throws {
        try await Scene.play { scene in
            let id = try await scene.machine("one", ["metadata": ["a": "1", "b": "2"]])
            let again = try await scene.call(
                "POST", "/v1/apps/app/machines", ["name": "one", "config": ["image": "nginx"]])
            #expect(again.status == 409)
            #expect(
                again.error == "already_exists: unique machine name violation, machine ID "
                    + "\(id) already exists with name \"one\"")
            let other = try await scene.machine("two", [:], ["skip_launch": true, "region": "sin"])
            try await scene.wait(id, for: "started")
            #expect(scene.state(other) == "created")
            let path = "/v1/apps/app/machines"
            func count(_ query: String) async throws -> Int? {
                try await scene.call("GET", path + query).body.array?.count
            }
            #expect(try await count("") == 2)
            #expect(try await count("?metadata.a=1&metadata.b=2") == 1)
            #expect(try await count("?metadata.a=2") == 0)
            #expect(try await count("?state=created,stopped") == 1)
            #expect(try await count("?region=sin") == 1)
            let image = try await scene.call("GET", "\(path)/\(id)")["image_ref"]
            #expect(image?["registry"] == "docker-hub-mirror.fly.io")
            #expect(image?["repository"] == "library/nginx")
        }
    }

    @Test(
        arguments: [
            (["guest": ["memory_mb": 300]], "multiple of 256"),
            (["guest": ["cpu_kind": "huge"]], "cpu_kind"),
            (["guest": ["cpus": 1], "size": "shared-cpu-1x"], "exclude"),
            (["stop_config": ["timeout": "6m"]], "cannot exceed 5 minutes"),
            (["image": ""], "image is required"),
            (["mounts": [["volume": "vol_none", "path": "/data"]]], "volume not found"),
        ] as [(JSON, String)])
    func rules(_ config: JSON, _ text: String) async throws {
        try await Scene.play { scene in
            var fields = config.object ?? [:]
            fields["image"] = fields["image"] ?? "nginx"
            let reply = try await scene.call(
                "POST", "/v1/apps/app/machines", ["config": .object(fields)])
            #expect(reply.status == 400)
            #expect(reply.error.contains(text))
        }
    }

    @Test func update() async throws {
        try await Scene.play {
            $0.delays.update = .seconds(3)
        } _: { scene in
            let id = try await scene.machine("m", ["env": ["A": "1"]])
            try await scene.wait(id, for: "started")
            let path = "/v1/apps/app/machines/\(id)"
            let old = try await scene.call("GET", path)["instance_id"]
            let version = try #require(old?.string)
            let config: JSON = [
                "image": "nginx:2",
                "services": [
                    [
                        "internal_port": 80, "protocol": "tcp", "autostop": "off",
                        "ports": [["port": 443]],
                    ]
                ],
            ]
            let stale = try await scene.call(
                "POST", path, ["config": config, "current_version": "other"])
            #expect(stale.status == 412)
            let reply = try await scene.call(
                "POST", path, ["config": config, "current_version": .string(version)])
            #expect(reply.status == 200)
            #expect(reply["state"] == "replacing")
            #expect(reply["config"]?["services"]?.array?.first?["autostop"] == false)
            #expect(reply["config"]?["env"] == nil)
            #expect(reply["instance_id"] != old)
            #expect(scene.fly.machines(app: "app")[0].ports == [443])
            let start = try await scene.call("POST", path + "/start")
            #expect(start.status == 412)
            let replaced = try await scene.call(
                "GET", "\(path)/wait?state=started&version=\(version)")
            #expect(replaced.status == 408)
            #expect(replaced.error.hasSuffix("currently replaced"))
            try await scene.wait(id, for: "started")
            let moved = try await scene.call("POST", path, ["config": config, "region": "sin"])
            #expect(moved.status == 400)
        }
    }

    @Test func stoppedStaysStopped() async throws {
        try await Scene.play(mismatches: ["stop: request.body is no object"]) { scene in
            let id = try await scene.machine("m")
            try await scene.wait(id, for: "started")
            let path = "/v1/apps/app/machines/\(id)"
            #expect(try await scene.call("POST", path + "/stop", []).status == 400)
            #expect(try await scene.call("POST", path + "/stop", [:]).status == 200)
            try await scene.wait(id, for: "stopped")
            let update = try await scene.call("POST", path, ["config": ["image": "nginx:2"]])
            #expect(update.status == 200)
            try await scene.wait(id, for: "settled")
            #expect(scene.state(id) == "stopped")
            #expect(try await scene.call("POST", path + "/start")["previous_state"] == "stopped")
            try await scene.wait(id, for: "started")
            #expect(try await scene.call("POST", path + "/start").status == 200)
            #expect(try await scene.call("POST", path + "/suspend").status == 200)
            try await scene.wait(id, for: "suspended")
            #expect(try await scene.call("POST", path + "/start").status == 200)
            try await scene.wait(id, for: "started")
            #expect(try await scene.call("POST", path + "/restart?timeout=1s").status == 200)
            try await scene.wait(id, for: "started")
        }
    }

    @Test func waiting() async throws {
        try await Scene.play { scene in
            let id = try await scene.machine("m")
            try await scene.wait(id, for: "started")
            let path = "/v1/apps/app/machines/\(id)/wait"
            for query in ["?timeout=0", "?timeout=61", "?state=stopped"] {
                #expect(try await scene.call("GET", path + query).status == 400)
            }
            let late = try await scene.call("GET", path + "?state=suspended&timeout=1")
            #expect(late.status == 408)
            #expect(
                late.error == "deadline_exceeded: machine failed to reach desired state, "
                    + "suspended, currently started")
            let either = try await scene.call("GET", path + "?state=failed&state=started,suspended")
            #expect(either["state"] == "started")
            #expect(either["event_id"]?.string?.count == 26)
        }
    }

    @Test func removal() async throws {
        try await Scene.play {
            $0.delays.destroy = .seconds(3)
        } _: { scene in
            let id = try await scene.machine("m")
            try await scene.wait(id, for: "started")
            let path = "/v1/apps/app/machines/\(id)"
            #expect(try await scene.call("DELETE", path).status == 412)
            scene.fly.fail(.destroyedLingers)
            #expect(try await scene.call("DELETE", path + "?force=true").status == 200)
            #expect(scene.state(id) == "destroying")
            try await scene.wait(id, for: "destroyed")
            #expect(try await scene.call("GET", path)["state"] == "destroyed")
            try await scene.until { try await scene.call("GET", path).status == 404 }
            let all = try await scene.call("GET", "/v1/apps/app/machines?include_deleted=true")
            #expect(all.body.array?.first?["state"] == "destroyed")
        }
    }

    @Test func checks() async throws {
        try await Scene.play {
            $0.integerDurations = true
            $0.delays.check = .seconds(3)
        } _: { scene in
            let check: JSON = ["type": "http", "port": 80, "path": "/", "interval": "15s"]
            let never: JSON = ["type": "http", "port": 80, "path": "/never"]
            let id = try await scene.machine(
                "m",
                [
                    "checks": ["ready": check, "hopeless": never],
                    "services": [["protocol": "tcp", "internal_port": 80, "checks": [check]]],
                ])
            func statuses() async throws -> [String?] {
                let reply = try await scene.call("GET", "/v1/apps/app/machines/\(id)")
                let service = reply["config"]?["services"]?.array?.first
                #expect(service?["checks"]?.array?.first?["interval"] == 15_000_000_000)
                return (reply["checks"]?.array ?? []).map { $0["status"]?.string }
            }
            #expect(try await statuses() == ["critical", "critical", "critical", "critical"])
            try await scene.until {
                try await statuses() == ["critical", "passing", "passing", "critical"]
            }
        }
    }

    @Test func absentHost() async throws {
        try await Scene.play { scene in
            let id = try await scene.machine("m")
            try await scene.wait(id, for: "started")
            scene.fly.setHost("unreachable", machine: id, app: "app")
            let path = "/v1/apps/app/machines/\(id)"
            let seen = try await scene.call("GET", path)
            #expect(seen["config"] == nil)
            #expect(seen["incomplete_config"]?["image"] == "nginx")
            #expect(seen["host_status"] == "unreachable")
            #expect(try await scene.call("POST", path + "/stop").status == 503)
            scene.fly.setHost("ok", machine: id, app: "app")
            #expect(try await scene.call("POST", path + "/stop").status == 200)
        }
    }

    @Test(arguments: [false, true]) func leases(isFlat: Bool) async throws {
        try await Scene.play {
            $0.flatLeases = isFlat
        } _: { scene in
            let id = try await scene.machine("m", [:], ["skip_launch": true])
            let path = "/v1/apps/app/machines/\(id)"
            let lease = try await scene.call("POST", path + "/lease", ["ttl": 30])
            #expect(lease.status == 201)
            let data = isFlat ? lease.body : try #require(lease["data"])
            let nonce = try #require(data["nonce"]?.string)
            #expect(try await scene.call("POST", path + "/lease", ["ttl": 30]).status == 409)
            #expect(try await scene.call("POST", path + "/start").status == 409)
            let renewed = try await scene.call(
                "POST", path + "/lease", ["ttl": 30], nonce: nonce)
            #expect(renewed.status == 201)
            #expect(try await scene.call("POST", path + "/start", nonce: nonce).status == 200)
            #expect(try await scene.call("DELETE", path + "/lease", nonce: "x").status == 409)
            #expect(try await scene.call("DELETE", path + "/lease", nonce: nonce).status == 200)
            scene.fly.hold(leaseOn: id, app: "app")
            #expect(try await scene.call("DELETE", path + "?force=true").status == 409)
            scene.fly.release(leaseOn: id, app: "app")
            #expect(try await scene.call("GET", path + "/lease").status == 404)
            #expect(try await scene.call("DELETE", path + "?force=true").status == 200)
        }
    }

    @Test func metadata() async throws {
        try await Scene.play { scene in
            let id = try await scene.machine("m", ["metadata": ["a": "1"]])
            let path = "/v1/apps/app/machines/\(id)/metadata"
            #expect(try await scene.call("POST", path + "/b", ["value": "2"]).status == 204)
            #expect(try await scene.call("GET", path).body == ["a": "1", "b": "2"])
            #expect(try await scene.call("DELETE", path + "/a").status == 204)
            let version = JSON.string(scene.fly.machines(app: "app")[0].version)
            let stale: JSON = ["metadata": ["c": "3"], "machine_version": "x"]
            #expect(try await scene.call("PATCH", path, stale).status == 412)
            let change: JSON = [
                "metadata": ["b": .null, "c": "3"], "machine_version": version,
            ]
            #expect(try await scene.call("PATCH", path, change).status == 204)
            #expect(try await scene.call("GET", path).body == ["c": "3"])
            #expect(try await scene.call("GET", path + "/c").body == ["value": "3"])
        }
    }
}

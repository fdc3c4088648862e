import FlyEmulation
import Foundation
import Testing

@Suite struct VolumeTests {
    private func volume(_ scene: Scene, region: String = "fra") async throws -> String {
        let reply = try await scene.call(
            "POST", "/v1/apps/app/volumes",
            ["name": "data", "region": .string(region), "size_gb": 2])
        #expect(reply.status == 201)
        #expect(reply["state"] == "creating")
        let id = try #require(reply["id"]?.string)
        try await scene.until { scene.fly.volumes(app: "app").last?.state == "created" }
        return id
    }

    @Test func life() async throws {
        try await Scene.play { scene in
            let path = "/v1/apps/app/volumes"
            let bad = try await scene.call("POST", path, ["name": "Bad-name"])
            #expect(bad.status == 400)
            let id = try await volume(scene)
            let extend = "\(path)/\(id)/extend"
            #expect(try await scene.call("PUT", extend, ["size_gb": 1]).status == 400)
            let grown = try await scene.call("PUT", extend, ["size_gb": 5])
            #expect(grown["volume"]?["size_gb"] == 5)
            #expect(grown["needs_restart"] == false)
            #expect(try await scene.call("GET", path).body.array?.count == 1)
            let deleted = try await scene.call("DELETE", "\(path)/\(id)")
            #expect(deleted["state"] == "scheduling_destroy")
            try await scene.until {
                try await scene.call("GET", "\(path)/\(id)").status == 404
            }
        }
    }

    @Test func mounts() async throws {
        try await Scene.play { scene in
            let id = try await volume(scene)
            let mounts: JSON = [["volume": .string(id), "path": "/data"]]
            func make(_ name: String, region: String) async throws -> Scene.Reply {
                try await scene.call(
                    "POST", "/v1/apps/app/machines",
                    [
                        "name": .string(name), "region": .string(region),
                        "config": [
                            "image": "nginx", "mounts": mounts, "env": ["HOME": "/data/home"],
                            "init": [
                                "entrypoint": ["sh", "-c"],
                                "cmd": ["echo kept >$HOME/file; exec sleep 100"],
                            ],
                        ],
                    ])
            }
            let far = try await make("m", region: "sin")
            #expect(far.status == 400)
            #expect(far.error == "invalid_argument: volume \(id) is in another region")
            let machine = try #require(try await make("m", region: "fra")["id"]?.string)
            #expect(try await make("n", region: "fra").status == 412)
            let path = "/v1/apps/app/volumes/\(id)"
            #expect(try await scene.call("DELETE", path).status == 412)
            #expect(try await scene.call("GET", path)["attached_machine_id"] == .string(machine))
            let kept = scene.fly.volumes(app: "app")[0].directory + "/home/file"
            try await scene.until { FileManager.default.contents(atPath: kept)?.isEmpty == false }
            try await scene.call("DELETE", "/v1/apps/app/machines/\(machine)?force=true")
            try await scene.until { scene.fly.volumes(app: "app")[0].attachedMachine == nil }
            #expect(FileManager.default.contents(atPath: kept) == Data("kept\n".utf8))
        }
    }
}

import FlyEmulation
import Foundation
import FoundationNetworking
import Testing

@Suite struct FaultTests {
    private let plain: JSON = ["name": "m", "config": ["image": "nginx"]]
    private let path = "/v1/apps/app/machines"

    @Test func aroundTheEffect() async throws {
        try await Scene.play { scene in
            scene.fly.fail(.serverErrorBefore(.createMachine, 503))
            #expect(try await scene.call("POST", path, plain).status == 503)
            #expect(scene.fly.machines(app: "app").isEmpty)
            scene.fly.fail(.tooMany(.createMachine, retryAfter: 7))
            let many = try await scene.call("POST", path, plain)
            #expect(many.status == 429)
            #expect(many.headers["retry-after"] == "7")
            scene.fly.fail(.effectThen500(.createMachine))
            #expect(try await scene.call("POST", path, plain).status == 500)
            #expect(try await scene.call("POST", path, plain).status == 409)
            scene.fly.fail(.timeoutAfterEffect(.listMachines))
            #expect(try await scene.call("GET", path).status == 408)
            scene.fly.fail(.dropAnswer(.listMachines))
            // On a connection that it has used before, libcurl would quietly try again.
            var fresh = scene
            fresh.session = URLSession(configuration: .ephemeral)
            await #expect(throws: (any Error).self) { try await fresh.call("GET", path) }
            #expect(scene.fly.calls.last?.action == .listMachines)
            #expect(try await scene.call("GET", path).status == 200)
            scene.fly.fail(.effectThen500(.listMachines), times: 5)
            scene.fly.mend()
            #expect(try await scene.call("GET", path).status == 200)
        }
    }

    @Test func capacity() async throws {
        try await Scene.play { scene in
            scene.fly.fail(.insufficientCapacity)
            let full = try await scene.call("POST", path, plain)
            #expect(full.status == 422)
            #expect(full["status"] == "insufficient_capacity")
            let id = try await scene.machine("m")
            try await scene.wait(id, for: "started")
            for (fault, status) in [
                (Fault.insufficientMemoryOnHost, 409), (.concurrentUpdate, 409),
                (.maintenance, 503),
            ] {
                scene.fly.fail(fault)
                #expect(try await scene.call("POST", "\(path)/\(id)", plain).status == status)
            }
            #expect(try await scene.call("POST", "\(path)/\(id)", plain).status == 200)
        }
    }

    @Test func lists() async throws {
        try await Scene.play { scene in
            let id = try await scene.machine("m")
            try await scene.wait(id, for: "started")
            scene.fly.fail(.staleList)
            #expect(try await scene.call("GET", path).body == [])
            scene.fly.fail(.unknownState("dreaming"))
            let list = try await scene.call("GET", path)
            #expect(list.body.array?.first?["state"] == "dreaming")
            #expect(try await scene.call("GET", "\(path)/\(id)")["state"] == "started")
            scene.fly.makeForeignMachine(app: "app", name: "s", metadata: ["by": "them"])
            let theirs = try await scene.call("GET", path + "?metadata.by=them")
            #expect(theirs.body.array?.count == 1)
            let version = scene.fly.machines(app: "app")[0].version
            scene.fly.edit(machine: id, app: "app") { $0["env"] = ["A": "1"] }
            #expect(scene.fly.machines(app: "app")[0].version != version)
            let config = try await scene.call("GET", "\(path)/\(id)")["config"]
            #expect(config?["env"] == ["A": "1"])
        }
    }

    @Test func volumesAndBoots() async throws {
        try await Scene.play { scene in
            let made = try await scene.call(
                "POST", "/v1/apps/app/volumes", ["name": "d", "region": "fra", "size_gb": 1])
            let volume = try #require(made["id"])
            try await scene.until { scene.fly.volumes(app: "app")[0].state == "created" }
            let create: JSON = [
                "region": "fra",
                "config": ["image": "nginx", "mounts": [["volume": volume, "path": "/d"]]],
            ]
            scene.fly.fail(.volumeNotFoundYet)
            scene.fly.fail(.volumeStillClaimed)
            #expect(try await scene.call("POST", path, create).status == 400)
            #expect(try await scene.call("POST", path, create).status == 412)
            scene.fly.fail(.slowBoot)
            let slow = try await scene.call("POST", path, create)
            let id = try #require(slow["id"]?.string)
            let wait = try await scene.call("GET", "\(path)/\(id)/wait?timeout=1")
            #expect(wait.status == 408)
        }
    }

    @Test(.enabled(if: Scene.document != nil, "PAL_FLY_OPENAPI names no document"))
    func contractSpeaks() async throws {
        var options = FlyEmulation.Options()
        options.openAPI = Scene.document
        let fly = try FlyEmulation(options)
        try await fly.start()
        let scene = Scene(fly: fly)
        try await scene.makeApp()
        try await scene.call(
            "POST", path + "?odd=1", ["config": ["image": "nginx", "envv": ["A": "1"]]])
        #expect(
            fly.mismatches == [
                "POST /v1/apps/app/machines: request.query.odd is unknown",
                "POST /v1/apps/app/machines: request.body.config.envv is unknown",
                "POST /v1/apps/app/machines: response.body.config.envv is unknown",
            ])
        await fly.stop()
    }
}

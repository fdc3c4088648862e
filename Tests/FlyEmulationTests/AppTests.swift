import FlyEmulation
import Foundation
import Testing

@Suite struct AppTests {
    @Test func tokens() async throws {
        try await Scene.play { scene in
            var other = scene
            other.authorization = "Bearer wrong"
            let refused = try await other.call("GET", "/v1/apps/app")
            #expect(refused.status == 401)
            #expect(refused.error == "Authenticate: token validation error")
            #expect(refused.headers["fly-request-id"] != nil)
            #expect(try await scene.call("GET", "/api/v1/apps/app/logs").status == 401)
            other.authorization = "FlyV1 fm2_test"
            #expect(try await other.call("GET", "/v1/apps/app").status == 200)
            #expect(try await other.call("GET", "/api/v1/apps/app/logs").status == 200)
            #expect(try await other.call("GET", "/api/v1/apps/none/logs").status == 404)
        }
    }

    @Test func apps() async throws {
        try await Scene.play(app: false) {
            $0.foreignApps = ["theirs"]
            $0.delays.appVisible = .seconds(2)
        } _: { scene in
            let make: JSON = ["app_name": "app", "org_slug": "personal"]
            #expect(try await scene.call("POST", "/v1/apps", make).status == 201)
            #expect(try await scene.call("GET", "/v1/apps/app").status == 404)
            try await scene.until { try await scene.call("GET", "/v1/apps/app").status == 200 }
            let taken = try await scene.call("POST", "/v1/apps", make)
            #expect(taken.status == 422)
            #expect(taken["status"] == "name_taken")
            #expect(try await scene.call("GET", "/v1/apps/theirs").status == 403)
            let list = try await scene.call("GET", "/v1/apps?org_slug=personal")
            #expect(list["total_apps"] == 1)
            _ = try await scene.machine("m")
            #expect(try await scene.call("DELETE", "/v1/apps/app?force=true").status == 202)
            #expect(scene.fly.apps() == [])
            let unrouted = try await scene.call("GET", "/v1/nothing")
            #expect(unrouted.status == 404)
            #expect(unrouted.body.string?.hasPrefix("404") == true)
        }
    }

    @Test func addresses() async throws {
        try await Scene.play { scene in
            let path = "/v1/apps/app/ip_assignments"
            let shared = try await scene.call("POST", path, ["type": "shared_v4"])
            #expect(shared["shared"] == true)
            let six = try await scene.call("POST", path, ["type": "v6"])
            let ip = try #require(six["ip"]?.string)
            #expect(try await scene.call("GET", path)["ips"]?.array?.count == 2)
            #expect(try await scene.call("DELETE", "\(path)/\(ip)").status == 204)
            #expect(try await scene.call("GET", path)["ips"]?.array?.count == 1)
            #expect(try await scene.call("POST", path, ["type": "x"]).status == 400)
        }
    }

    @Test func limits() async throws {
        try await Scene.play(limits: true) { scene in
            let id = try await scene.machine("m")
            var replies: [Scene.Reply] = []
            for _ in 0..<40 where replies.last?.status != 429 {
                replies.append(try await scene.call("GET", "/v1/apps/app/machines"))
            }
            #expect(replies.prefix(3).map(\.status) == [200, 200, 200])
            let refused = try #require(replies.last)
            #expect(refused.status == 429)
            #expect(refused.headers["retry-after"] == "1")
            #expect(refused.error == "rate limit exceeded")
            for _ in 0..<10 {
                let reply = try await scene.call("GET", "/v1/apps/app/machines/\(id)")
                #expect(reply.status == 200)
            }
            try await Task.sleep(for: .seconds(1.1))
            #expect(try await scene.call("GET", "/v1/apps/app/machines").status == 200)
        }
    }

    @Test func crowd() async throws {
        try await Scene.play { scene in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 {
                    group.addTask { try await scene.call("GET", "/v1/apps/app/machines").status }
                }
                for try await status in group { #expect(status == 200) }
            }
            for _ in 0..<50 { try await scene.call("GET", "/v1/apps/app/machines") }
            if Scene.document != nil { #expect(scene.fly.checkedCalls > 150) }
            #expect(scene.fly.takeCalls().count > 150)
            #expect(scene.fly.calls == [])
        }
    }
}

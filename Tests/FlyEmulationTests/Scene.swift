import FlyEmulation
import Foundation
import FoundationNetworking
import Testing

/// An emulation for one test, with an app in it, and a client.
struct Scene: Sendable {
    let fly: FlyEmulation
    var authorization = "Bearer fm2_test"
    var session = URLSession.shared

    struct Reply: Sendable {
        var status: Int
        var body: JSON
        var headers: [String: String]

        var error: String { body["error"]?.string ?? "" }
        subscript(key: String) -> JSON? { body[key] }
    }

    /// The OpenAPI document, where there is one.
    static let document = ProcessInfo.processInfo.environment["PAL_FLY_OPENAPI"]

    /// Every call that a test makes must fit the document, but for those whose ends are given; the
    /// limits are off where not tested.
    static func play(
        limits: Bool = false, app: Bool = true, mismatches: [String] = [],
        _ options: (inout FlyEmulation.Options) -> Void = { _ in },
        _ body: (Scene) async throws -> Void
    ) async throws {
        var settings = FlyEmulation.Options()
        settings.enforcesLimits = limits
        settings.openAPI = document
        options(&settings)
        let fly = try FlyEmulation(settings)
        try await fly.start()
        let scene = Scene(fly: fly)
        do {
            if app { try await scene.makeApp() }
            try await body(scene)
        } catch {
            await fly.stop()
            throw error
        }
        if settings.openAPI != nil {
            #expect(
                fly.mismatches.map { $0.split(separator: "/").last.map(String.init) } == mismatches)
        }
        await fly.stop()
    }

    func makeApp(_ name: String = "app") async throws {
        let made = try await call(
            "POST", "/v1/apps", ["name": .string(name), "org_slug": "personal"])
        #expect(made.status == 201)
        try await until { try await call("GET", "/v1/apps/\(name)").status == 200 }
    }

    @discardableResult
    func call(
        _ method: String, _ path: String, _ body: JSON? = nil, nonce: String? = nil
    ) async throws -> Reply {
        guard let url = URL(string: fly.origin + path) else { throw URLError(.badURL) }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.setValue(authorization, forHTTPHeaderField: "Authorization")
        request.setValue(nonce, forHTTPHeaderField: "fly-machine-lease-nonce")
        if let body { request.httpBody = body.serialised() }
        let (data, response) = try await session.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.unknown) }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields {
            headers["\(name)".lowercased()] = "\(value)"
        }
        return Reply(
            status: response.statusCode,
            body: JSON(parsing: data) ?? .string(String(decoding: data, as: UTF8.self)),
            headers: headers)
    }

    /// Makes a machine and tells its id.
    func machine(_ name: String, _ config: JSON = [:], _ more: JSON = [:]) async throws -> String {
        var fields = more.object ?? [:]
        var config = config.object ?? [:]
        config["image"] = config["image"] ?? "nginx"
        fields["name"] = .string(name)
        fields["config"] = .object(config)
        let reply = try await call("POST", "/v1/apps/app/machines", .object(fields))
        #expect(reply.status == 200, "\(reply.body)")
        return try #require(reply["id"]?.string)
    }

    /// Waits for a state as a client does.
    func wait(_ id: String, for state: String) async throws {
        let now = try await call("GET", "/v1/apps/app/machines/\(id)")
        let version = now["instance_id"]?.string ?? ""
        let reply = try await call(
            "GET", "/v1/apps/app/machines/\(id)/wait?state=\(state)&timeout=60&version=\(version)")
        #expect(reply.status == 200, "\(reply.body)")
    }

    func state(_ id: String) -> String? { fly.machines(app: "app").first { $0.id == id }?.state }

    func until(_ isTrue: () async throws -> Bool) async throws {
        for _ in 0..<3000 {
            if try await isTrue() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it did not happen")
    }
}

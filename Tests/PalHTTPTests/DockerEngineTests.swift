import Glibc
import PalHTTP
import Testing

/// Where Debian and most others put the Engine's socket.
private let socketPath = "/var/run/docker.sock"

@Suite(
    "A Docker Engine",
    .enabled(if: access(socketPath, R_OK | W_OK) == 0, "no Docker Engine at \(socketPath)"),
    .timeLimit(.minutes(10)))
struct DockerEngineTests {
    let client = HTTPClient()
    let engine = Endpoint.unixSocket(path: socketPath)

    @Test("answers a ping, by GET and by HEAD, over one connection after another")
    func ping() async throws {
        let get = try await client.send(HTTPRequest("GET", "/_ping"), to: engine)
        #expect(get.status == 200)
        #expect(get.body == Array("OK".utf8))
        #expect(get.headers["api-version"] != nil)
        let head = try await client.send(HTTPRequest("HEAD", "/_ping"), to: engine)
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.headers["Api-Version"] == get.headers["Api-Version"])
    }

    @Test("answers many questions at once, and says no in JSON")
    func version() async throws {
        let client = client
        let engine = engine
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...200 {
                group.addTask {
                    let response = try await client.send(HTTPRequest("GET", "/version"), to: engine)
                    #expect(response.status == 200)
                    #expect(String(decoding: response.body, as: UTF8.self).contains("ApiVersion"))
                }
            }
            try await group.waitForAll()
        }
        let missing = try await client.send(
            HTTPRequest("DELETE", "/volumes/pal-http-no-such-volume"), to: engine)
        #expect(missing.status == 404)
        #expect(String(decoding: missing.body, as: UTF8.self).contains("message"))
    }

    @Test("streams its events while they happen, until the task is cancelled")
    func events() async throws {
        let name = "pal-http-test-\(UInt64.random(in: 0 ... .max))"
        let filters = "%7B%22volume%22%3A%5B%22\(name)%22%5D%7D"
        let stream = try await client.stream(
            HTTPRequest("GET", "/events?filters=\(filters)", timeout: nil), to: engine)
        #expect(stream.status == 200)

        let seen = Signal()
        let reader = Task {
            var text = ""
            for try await bytes in stream {
                text += String(decoding: bytes, as: UTF8.self)
                if text.contains(#""Action":"create""#), text.contains(name) { seen.fire() }
            }
        }
        let created = try await client.send(
            HTTPRequest(
                "POST", "/volumes/create", headers: [("Content-Type", "application/json")],
                body: Array(#"{"Name":"\#(name)"}"#.utf8)),
            to: engine)
        #expect(created.status == 201)
        await seen.wait()
        let deleted = try await client.send(HTTPRequest("DELETE", "/volumes/\(name)"), to: engine)
        #expect(deleted.status == 204)

        reader.cancel()
        let error = await #expect(throws: HTTPError.self) { try await reader.value }
        #expect(error?.kind == .cancelled(sent: true))
    }
}

import PalHTTP
import Testing

@Suite("A probe", .timeLimit(.minutes(10)))
struct ProbeTests {
    let client = HTTPClient()

    @Test("answers with the status, over a connection of its own that it closes")
    func status() async throws {
        let server = try TestServer(.tcp) { connection in
            _ = connection.readRequest()
            connection.answer("503 Service Unavailable", "{}")
            connection.waitForClose()
        }
        for _ in 1...2 {
            let result = await client.probe(url: server.url("/healthz?a=b"), timeout: .seconds(10))
            #expect(result == .success(503))
        }
        #expect(server.record.connections == 2)
        #expect(server.record.requests.map(\.line) == ["GET /healthz?a=b", "GET /healthz?a=b"])
        #expect(server.record.requests.allSatisfy { $0.has("Connection: close") })
    }

    @Test("does not wait for a body, nor for ever for a status")
    func hanging() async throws {
        let server = try TestServer(.tcp) { connection in
            if connection.readRequest()?.line == "GET /" {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            }
            connection.waitForClose()
        }
        #expect(await client.probe(url: server.url(""), timeout: .seconds(10)) == .success(200))
        let result = await client.probe(url: server.url("/hangs"), timeout: .milliseconds(200))
        let error = try #require(throws: HTTPError.self) { try result.get() }
        #expect(error.kind == .timedOut(sent: true))
    }

    @Test("says why there is no status")
    func failures() async throws {
        var server: TestServer? = try TestServer(.tcp, script: nil)
        let url = try #require(server?.url("/healthz"))
        server = nil
        let refused = await client.probe(url: url, timeout: .seconds(10))
        #expect(
            try #require(throws: HTTPError.self) { try refused.get() }.kind
                == .cannotConnect(.refused))
        for url in ["", "nonsense", "http:", "file:///etc/passwd", "http://a b/", "?"] {
            let result = await client.probe(url: url, timeout: .seconds(10))
            #expect(
                try #require(throws: HTTPError.self) { try result.get() }.kind == .invalidRequest)
        }
    }
}

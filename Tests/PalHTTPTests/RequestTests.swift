import Foundation
import PalHTTP
import Testing

@Suite("A request", .timeLimit(.minutes(10)))
struct RequestTests {
    let client = HTTPClient()

    @Test(
        "is answered with status, headers and body, over both transports",
        arguments: [TestServer.Transport.unix, .tcp])
    func answer(_ transport: TestServer.Transport) async throws {
        let server = try TestServer(transport) { connection in
            _ = connection.readRequest()
            connection.send(
                "HTTP/1.1 404 Not Found\r\nX-One:  a b \r\nx-one: c\r\n"
                    + "Content-Length: 5\r\n\r\nhello"
            )
        }
        let response = try await client.send(HTTPRequest("GET", "/a?b=c%20d"), to: server.endpoint)
        #expect(response.status == 404)
        #expect(response.headers["X-ONE"] == "a b")
        #expect(response.headers.all("x-One") == ["a b", "c"])
        #expect(response.headers["missing"] == nil)
        #expect(response.body == Array("hello".utf8))
        #expect(server.record.requests.map(\.line) == ["GET /a?b=c%20d"])
    }

    @Test("sends a file as its body, and says so where there is none")
    func bodyFile() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.answer("200 OK")
        }
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let file = FileManager.default.temporaryDirectory.appending(path: "pal-body-\(UUID())")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        var request = HTTPRequest("PUT", "/archive")
        request.bodyFile = file.path
        #expect(try await client.send(request, to: server.endpoint).status == 200)
        let seen = try #require(server.record.requests.first)
        #expect(seen.line == "PUT /archive")
        #expect(seen.body == bytes)
        #expect(!seen.head.lowercased().contains("\r\nexpect:"))
        for path in [file.path + ".gone", "/"] {
            request.bodyFile = path
            let error = await #expect(throws: HTTPError.self) {
                try await client.send(request, to: server.endpoint)
            }
            #expect(error?.message.contains("is not a file that can be read") == true)
        }
        #expect(server.record.requests.count == 1)
    }

    @Test("carries exactly its method, headers and body")
    func body() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.answer("201 Created")
        }
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        let request = HTTPRequest(
            "POST", "/x/../y//z", headers: [("X-Empty", ""), ("X-Word", "één")], body: bytes)
        #expect(try await client.send(request, to: server.endpoint).status == 201)
        let seen = try #require(server.record.requests.first)
        #expect(seen.line == "POST /x/../y//z")
        #expect(seen.body == bytes)
        #expect(seen.has("X-Empty:"))
        #expect(seen.has("X-Word: één"))
        #expect(!seen.names("Content-Type"))
        #expect(!seen.names("Expect"))
        #expect(!seen.names("Transfer-Encoding"))
    }

    @Test("without a body says so where its method calls for one")
    func emptyBodies() async throws {
        let server = try TestServer { connection in
            while connection.readRequest() != nil { connection.answer("204 No Content") }
        }
        for method in ["POST", "PUT", "DELETE", "GET"] {
            let response = try await client.send(HTTPRequest(method, "/"), to: server.endpoint)
            #expect(response.status == 204)
            #expect(response.body.isEmpty)
        }
        let seen = server.record.requests
        #expect(seen.map(\.line) == ["POST /", "PUT /", "DELETE /", "GET /"])
        #expect(seen.map { $0.has("Content-Length: 0") } == [true, true, false, false])
    }

    @Test("by HEAD waits for no body, and its connection stays good")
    func head() async throws {
        let server = try TestServer { connection in
            while let request = connection.readRequest() {
                let body = request.line.hasPrefix("HEAD") ? "" : "12345"
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n\(body)")
            }
        }
        let response = try await client.send(HTTPRequest("HEAD", "/"), to: server.endpoint)
        #expect(response.body.isEmpty)
        #expect(response.headers["a"] == "b")
        let next = try await client.send(HTTPRequest("GET", "/"), to: server.endpoint)
        #expect(next.body.count == 5)
        #expect(server.record.connections == 1)
    }

    @Test("skips interim answers and reads chunks, ignoring trailers")
    func interim() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: no\r\n\r\n")
            connection.send("HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.sendChunk("one ")
            connection.sendChunk("two")
            connection.send("0\r\nTrailer: no\r\n\r\n")
        }
        let response = try await client.send(HTTPRequest("GET", "/"), to: server.endpoint)
        #expect(response.status == 200)
        #expect(response.body == Array("one two".utf8))
        #expect(response.headers["link"] == nil)
        #expect(response.headers["trailer"] == nil)
        #expect(response.headers["a"] == "b")
    }

    @Test("does not follow a redirect")
    func redirect() async throws {
        let server = try TestServer { connection in
            while connection.readRequest() != nil {
                connection.send(
                    "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")
            }
        }
        #expect(try await client.send(HTTPRequest("GET", "/"), to: server.endpoint).status == 302)
        #expect(server.record.requests.count == 1)
    }

    @Test("never reaches the server of another socket")
    func twoSockets() async throws {
        let servers = try ["one", "two"].map { name in
            try TestServer { connection in
                while connection.readRequest() != nil { connection.answer("200 OK", name) }
            }
        }
        for (server, name) in zip(servers + servers, ["one", "two", "one", "two"]) {
            let response = try await client.send(HTTPRequest("GET", "/"), to: server.endpoint)
            #expect(response.body == Array(name.utf8))
        }
        #expect(servers.map(\.record.connections) == [1, 1])
    }

    @Test("that closes its connection leaves the kept ones alone")
    func closing() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            while connection.readRequest() != nil { connection.answer() }
            if connection.number == 2 { closed.fire() }
        }
        let request = HTTPRequest("GET", "/", closesConnection: true)
        for request in [HTTPRequest("GET", "/"), request, HTTPRequest("GET", "/")] {
            #expect(try await client.send(request, to: server.endpoint).status == 200)
        }
        await closed.wait()
        #expect(server.record.connections == 2)
        #expect(server.record.requests.map { $0.has("Connection: close") } == [false, true, false])
    }
}

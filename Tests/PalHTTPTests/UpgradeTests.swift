import Glibc
import PalHTTP
import Testing

@Suite("A connection after an upgrade", .timeLimit(.minutes(10)))
struct UpgradeTests {
    let client = HTTPClient()
    static let accepted =
        "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nX-Own: 1\r\n\r\n"

    private func upgrade(
        _ server: TestServer, timeout: Duration? = .seconds(60)
    ) async throws -> UpgradeAnswer {
        try await client.upgrade(
            HTTPRequest("POST", "/go?a=b", body: Array("{}".utf8), timeout: timeout),
            to: "tcp", at: server.endpoint)
    }

    private func duplex(_ server: TestServer) async throws -> HTTPDuplex {
        guard case .upgraded(let duplex) = try await upgrade(server) else {
            throw HTTPError(.invalidRequest, message: "refused")
        }
        return duplex
    }

    private func readAll(_ duplex: HTTPDuplex) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = try await duplex.read() { all += bytes }
        return all
    }

    /// Sends back what comes, until the end of it, and says so.
    private static func echo(_ connection: TestConnection) {
        guard connection.readRequest() != nil, connection.send(accepted + "first ") else { return }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = recv(connection.socket, &buffer, buffer.count, 0), count > 0 {
            var rest = buffer[..<count]
            while !rest.isEmpty {
                let sent = connection.send(rest)
                guard sent > 0 else { return }
                rest = rest.dropFirst(sent)
            }
        }
        connection.send("end")
    }

    @Test(
        "carries bytes both ways, and the end of one way alone",
        arguments: [TestServer.Transport.unix, .tcp])
    func bothWays(transport: TestServer.Transport) async throws {
        let server = try TestServer(transport, script: Self.echo)
        let duplex = try await duplex(server)
        #expect(duplex.headers["x-own"] == "1")
        try await duplex.write(Array("hello ".utf8))
        duplex.closeInput()
        #expect(try await String(decoding: readAll(duplex), as: UTF8.self) == "first hello end")
        let request = try #require(server.record.requests.first)
        #expect(request.line == "POST /go?a=b")
        #expect(request.has("Connection: Upgrade"))
        #expect(request.has("Upgrade: tcp"))
        #expect(request.body == Array("{}".utf8))
    }

    @Test("carries megabytes whole and in order, while both sides write")
    func large() async throws {
        let server = try TestServer(script: Self.echo)
        let duplex = try await duplex(server)
        let data = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        async let echoed = readAll(duplex)
        var rest = data[...]
        while !rest.isEmpty {
            try await duplex.write(Array(rest.prefix(100_000)))
            rest = rest.dropFirst(100_000)
        }
        duplex.closeInput()
        #expect(try await echoed == Array("first ".utf8) + data + Array("end".utf8))
    }

    @Test("is not made where the server says no: its answer comes whole")
    func refused() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            if connection.number == 1 {
                connection.answer("404 Not Found", "gone")
            } else {
                connection.send("HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n")
                connection.sendChunk("bro")
                connection.sendChunk("ken")
                connection.sendChunk("")
            }
            connection.waitForClose()
        }
        for (status, body) in [(404, "gone"), (500, "broken")] {
            guard case .refused(let response) = try await upgrade(server) else {
                Issue.record("it was upgraded")
                return
            }
            #expect(response.status == status)
            #expect(response.body == Array(body.utf8))
        }
    }

    @Test("is ambiguous where the server closes without an answer, and not tried again")
    func noAnswer() async throws {
        let server = try TestServer { _ = $0.readRequest() }
        let error = await #expect(throws: HTTPError.self) { try await upgrade(server) }
        #expect(error?.kind == .broken(sent: true))
        #expect(server.record.requests.count == 1)
    }

    @Test("is given up when the answer does not come in time")
    func timeout() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        }
        let error = await #expect(throws: HTTPError.self) {
            try await upgrade(server, timeout: .milliseconds(200))
        }
        #expect(error?.kind == .timedOut(sent: true))
    }

    @Test("is closed when the task that reads is cancelled")
    func cancelled() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            guard connection.readRequest() != nil, connection.send(Self.accepted) else { return }
            connection.waitForClose()
            closed.fire()
        }
        let duplex = try await duplex(server)
        let reader = Task { try await duplex.read() }
        reader.cancel()
        let error = await #expect(throws: HTTPError.self) { try await reader.value }
        #expect(error?.kind == .cancelled(sent: true))
        await closed.wait()
    }

    @Test("makes a server wait that sends faster than somebody reads")
    func backpressure() async throws {
        let stuck = Signal()
        let server = try TestServer { connection in
            guard connection.readRequest() != nil, connection.send(Self.accepted) else { return }
            connection.limitSending(milliseconds: 300)
            let chunk = [UInt8](repeating: 7, count: 65536)
            var sent = 0
            while case let count = connection.send(chunk[...]), count > 0, sent < 64 << 20 {
                sent += count
            }
            if sent < 64 << 20 { stuck.fire() }
            connection.waitForClose()
        }
        let duplex = try await duplex(server)
        await stuck.wait()
        var read = 0
        while read < 256 << 10, let bytes = try await duplex.read() { read += bytes.count }
        #expect(read >= 256 << 10)
        duplex.cancel()
    }

    @Test("that cannot be made says why, as any request does")
    func noServer() async throws {
        let error = await #expect(throws: HTTPError.self) {
            try await client.upgrade(
                HTTPRequest("POST", "/"), to: "tcp", at: .unixSocket(path: "/nonexistent/s"))
        }
        #expect(error?.kind == .cannotConnect(.missingSocket))
        #expect(error?.mayHaveTakenEffect == false)
    }
}

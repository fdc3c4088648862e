import PalHTTP
import Testing

@Suite("A stream", .timeLimit(.minutes(10)))
struct StreamTests {
    let client = HTTPClient()

    @Test("hands over each piece when it comes, long before the end")
    func pieces() async throws {
        let goOn = [Signal(), Signal()]
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n")
            goOn[0].block()
            connection.sendChunk("first")
            goOn[1].block()
            connection.sendChunk("second")
            connection.sendChunk("")
        }
        let stream = try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
        #expect(stream.status == 200)
        #expect(stream.headers["a"] == "b")
        let pieces = stream.makeAsyncIterator()
        goOn[0].fire()
        #expect(try await pieces.next() == Array("first".utf8))
        goOn[1].fire()
        #expect(try await pieces.next() == Array("second".utf8))
        #expect(try await pieces.next() == nil)
        #expect(try await pieces.next() == nil)
    }

    @Test(
        "without length or chunks goes on until the connection closes, as Docker's exec",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
            "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        ])
    func hijack(_ head: String) async throws {
        let goOn = Signal()
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send(head)
            connection.send("\u{1}frame")
            goOn.block()
            connection.send("\u{2}end")
        }
        let request = HTTPRequest("POST", "/exec/1/start", body: Array("{}".utf8), timeout: nil)
        let stream = try await client.stream(request, to: server.endpoint)
        #expect([101, 200].contains(stream.status))
        let pieces = stream.makeAsyncIterator()
        #expect(try await pieces.next() == Array("\u{1}frame".utf8))
        goOn.fire()
        #expect(try await stream.collect(upTo: 100) == Array("\u{2}end".utf8))
    }

    @Test("is not timed once its headers are in")
    func silence() async throws {
        let read = Signal()
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            read.block()
            connection.send("still here")
        }
        let request = HTTPRequest("GET", "/", timeout: .seconds(1))
        let stream = try await client.stream(request, to: server.endpoint)
        try await ContinuousClock().sleep(for: .milliseconds(1500))
        read.fire()
        #expect(try await stream.collect(upTo: 100) == Array("still here".utf8))
    }

    @Test("is timed until its headers are in")
    func silentHead() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        }
        let request = HTTPRequest("GET", "/", timeout: .milliseconds(200))
        let error = await #expect(throws: HTTPError.self) {
            try await client.stream(request, to: server.endpoint)
        }
        #expect(error?.kind == .timedOut(sent: true))
    }

    @Test("that breaks hands over what came, then throws, and throws again")
    func broken() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        }
        let stream = try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
        let pieces = stream.makeAsyncIterator()
        #expect(try await pieces.next() == Array("half".utf8))
        for _ in 1...2 {
            let error = await #expect(throws: HTTPError.self) { try await pieces.next() }
            #expect(error?.kind == .broken(sent: true))
        }
    }

    @Test("that nobody reads makes the server wait, and loses nothing")
    func backPressure() async throws {
        let blocked = Signal()
        let accepted = Counter()
        let total = 100_000_000
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            connection.limitSending(milliseconds: 500)
            let piece = (0..<65536).map { UInt8(truncatingIfNeeded: $0 % 251) }
            var left = total
            while left > 0 {
                let offset = (total - left) % 251
                let count = connection.send(piece[offset..<min(offset + left, piece.count)])
                if count > 0 {
                    left -= count
                    accepted.add(count)
                } else {
                    blocked.fire()
                    connection.limitSending(milliseconds: 0)
                }
            }
        }
        let stream = try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
        await blocked.wait()
        #expect(accepted.value < 2_000_000)

        var count = 0
        var isIntact = true
        for try await bytes in stream {
            #expect(bytes.count <= 512 << 10)
            for byte in bytes {
                isIntact = isIntact && byte == UInt8(count % 251)
                count += 1
            }
        }
        #expect(count == total)
        #expect(isIntact)
    }

    @Test("throws where more comes than is collected")
    func collectLimit() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 500 Oops\r\n\r\nfar too much")
            connection.waitForClose()
            closed.fire()
        }
        let stream = try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
        let error = await #expect(throws: HTTPError.self) { try await stream.collect(upTo: 3) }
        #expect(error?.kind == .tooLarge)
        await closed.wait()
    }

    @Test("is read by one task at a time")
    func twoReaders() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            connection.waitForClose()
        }
        let stream = try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
        let kinds = await withTaskGroup(of: HTTPError.Kind?.self) { group in
            for _ in 1...2 {
                group.addTask {
                    let error = await #expect(throws: HTTPError.self) {
                        try await stream.makeAsyncIterator().next()
                    }
                    // Whoever comes second is refused, and lets the first one go.
                    stream.cancel()
                    return error?.kind
                }
            }
            return await group.reduce(into: Set<HTTPError.Kind?>()) { $0.insert($1) }
        }
        #expect(kinds == [.invalidRequest, .cancelled(sent: true)])
    }
}

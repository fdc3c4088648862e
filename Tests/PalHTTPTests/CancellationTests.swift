import PalHTTP
import Testing

@Suite("Cancelling", .timeLimit(.minutes(10)))
struct CancellationTests {
    /// Reads a request, sends `head`, and then waits for the client to close.
    private func hangingServer(
        _ head: String = "", read: Signal, closed: Signal
    ) throws -> TestServer {
        try TestServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.send(head)
            read.fire()
            connection.waitForClose()
            closed.fire()
        }
    }

    private func kind(_ task: Task<HTTPResponse, any Error>) async -> HTTPError.Kind? {
        guard case .failure(let error as HTTPError) = await task.result else { return nil }
        return error.kind
    }

    @Test("a call closes its connection at the server and says that it was sent")
    func send() async throws {
        let (read, closed) = (Signal(), Signal())
        let server = try hangingServer(read: read, closed: closed)
        let client = HTTPClient()
        let task = Task { try await client.send(HTTPRequest("POST", "/"), to: server.endpoint) }
        await read.wait()
        task.cancel()
        #expect(await kind(task) == .cancelled(sent: true))
        await closed.wait()
    }

    @Test("a call that still waits for a connection sends nothing")
    func queued() async throws {
        let (read, closed) = (Signal(), Signal())
        let server = try hangingServer(read: read, closed: closed)
        let client = HTTPClient(maximumConnections: 1)
        let first = Task { try await client.send(HTTPRequest("GET", "/1"), to: server.endpoint) }
        await read.wait()
        let second = Task { try await client.send(HTTPRequest("GET", "/2"), to: server.endpoint) }
        second.cancel()
        #expect(await kind(second) == .cancelled(sent: false))
        first.cancel()
        #expect(await kind(first) == .cancelled(sent: true))
        #expect(server.record.requests.map(\.line) == ["GET /1"])
    }

    @Test("the task that reads a stream closes its connection at the server")
    func streamReader() async throws {
        let (read, closed, reading) = (Signal(), Signal(), Signal())
        let server = try hangingServer(
            "HTTP/1.1 200 OK\r\n\r\nfirst", read: read, closed: closed)
        let client = HTTPClient()
        let task = Task {
            for try await _ in try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
            {
                reading.fire()
            }
        }
        await reading.wait()
        task.cancel()
        await closed.wait()
        guard case .failure(let error as HTTPError) = await task.result else {
            Issue.record("the reader was not told")
            return
        }
        #expect(error.kind == .cancelled(sent: true))
    }

    @Test("a stream before its headers closes its connection at the server")
    func streamHead() async throws {
        let (read, closed) = (Signal(), Signal())
        let server = try hangingServer(read: read, closed: closed)
        let client = HTTPClient()
        let task = Task {
            _ = try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
        }
        await read.wait()
        task.cancel()
        await closed.wait()
        await #expect(throws: HTTPError.self) { try await task.value }
    }

    @Test("is what dropping a stream does, also one that is paused")
    func drop() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while connection.send(String(repeating: "x", count: 10_000)) {}
            closed.fire()
        }
        let client = HTTPClient()
        _ = try await client.stream(HTTPRequest("GET", "/"), to: server.endpoint)
        await closed.wait()
    }

    @Test("is what shutting down does to everything, now and later")
    func shutdown() async throws {
        let (read, closed) = (Signal(), Signal())
        let server = try hangingServer(read: read, closed: closed)
        let client = HTTPClient(maximumConnections: 1)
        let tasks = (1...2).map { _ in
            Task { try await client.send(HTTPRequest("GET", "/"), to: server.endpoint) }
        }
        await read.wait()
        client.shutdown()
        client.shutdown()
        await closed.wait()
        var kinds: Set<HTTPError.Kind?> = []
        for task in tasks { kinds.insert(await kind(task)) }
        #expect(kinds == [.cancelled(sent: true), .cancelled(sent: false)])
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest("GET", "/"), to: server.endpoint)
        }
        #expect(error?.kind == .cancelled(sent: false))
    }

    @Test("is not needed for a client without work: dropping it closes its kept connections")
    func dropClient() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            while connection.readRequest() != nil { connection.answer() }
            closed.fire()
        }
        var client: HTTPClient? = HTTPClient()
        #expect(try await client?.send(HTTPRequest("GET", "/"), to: server.endpoint).status == 200)
        client = nil
        await closed.wait()
    }

    @Test("at any moment ends every call exactly once")
    func storm() async throws {
        let server = try TestServer { connection in
            while connection.readRequest() != nil { connection.answer("200 OK", "body") }
        }
        let client = HTTPClient(maximumConnections: 8)
        let ended = Counter()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let task = Task {
                        defer { ended.next() }
                        return try await client.send(
                            HTTPRequest(number % 3 == 0 ? "POST" : "GET", "/"), to: server.endpoint)
                    }
                    for _ in 0..<number % 40 { await Task.yield() }
                    if number % 2 == 0 { task.cancel() }
                    switch await task.result {
                    case .success(let response): #expect(response.body == Array("body".utf8))
                    case .failure(let error): #expect(number % 2 == 0, "\(error)")
                    }
                }
            }
        }
        #expect(ended.value == 400)
    }
}

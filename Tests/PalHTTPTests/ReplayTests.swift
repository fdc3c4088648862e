import PalHTTP
import Testing

@Suite("A kept connection that dies under a request", .timeLimit(.minutes(10)))
struct ReplayTests {
    let client = HTTPClient()

    /// Answers every request but those to `/dies`: of these it closes the connection of the first
    /// `deaths`, having read them.
    private func server(deaths: Int) throws -> TestServer {
        let died = Counter()
        return try TestServer { connection in
            while let request = connection.readRequest() {
                if request.line.hasSuffix("/dies"), died.next() <= deaths { return }
                connection.answer("200 OK", "alive")
            }
        }
    }

    private func sendAfterKeeping(
        _ request: HTTPRequest, _ server: TestServer
    ) async throws -> Result<Int, HTTPError> {
        #expect(try await client.send(HTTPRequest("GET", "/"), to: server.endpoint).status == 200)
        do throws(HTTPError) {
            return .success(try await client.send(request, to: server.endpoint).status)
        } catch {
            return .failure(error)
        }
    }

    private func copies(_ server: TestServer) -> Int {
        server.record.requests.count { $0.line.hasSuffix("/dies") }
    }

    @Test("never gets a POST twice: the caller is told that it is ambiguous")
    func post() async throws {
        let server = try server(deaths: 1)
        let result = try await sendAfterKeeping(HTTPRequest("POST", "/dies", body: [1]), server)
        let error = try #require(throws: HTTPError.self) { try result.get() }
        #expect(error.kind == .broken(sent: true))
        #expect(error.mayHaveTakenEffect)
        #expect(error.message.contains("\(server.endpoint)"))
        #expect(copies(server) == 1)
    }

    @Test("gets a GET again, on a new connection")
    func get() async throws {
        let server = try server(deaths: 1)
        #expect(try await sendAfterKeeping(HTTPRequest("GET", "/dies"), server) == .success(200))
        #expect(copies(server) == 2)
    }

    @Test("gets a POST again where the caller says that it does no harm")
    func replayablePost() async throws {
        let server = try server(deaths: 1)
        let request = HTTPRequest("POST", "/dies", body: [1], isReplayable: true)
        #expect(try await sendAfterKeeping(request, server) == .success(200))
        #expect(copies(server) == 2)
    }

    @Test("that was closed between two requests costs nothing, not even a POST")
    func closedMeanwhile() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            if connection.readRequest() != nil { connection.answer() }
            // The first connection ends here, after a whole answer that promised to keep it.
            if connection.number == 1 { closed.fire() }
        }
        #expect(try await client.send(HTTPRequest("GET", "/"), to: server.endpoint).status == 200)
        await closed.wait()
        #expect(try await client.send(HTTPRequest("POST", "/"), to: server.endpoint).status == 200)
        #expect(server.record.requests.count == 2)
    }
}

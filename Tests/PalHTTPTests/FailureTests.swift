import Glibc
import PalHTTP
import TestSupport
import Testing

@Suite("A failure", .timeLimit(.minutes(10)))
struct FailureTests {
    let client = HTTPClient()

    private func failure(
        _ request: HTTPRequest = HTTPRequest("POST", "/"), at endpoint: Endpoint
    ) async -> HTTPError? {
        do throws(HTTPError) {
            _ = try await client.send(request, to: endpoint)
            return nil
        } catch {
            return error
        }
    }

    @Test("tells a missing socket, a refusal and an unknown host apart")
    func cannotConnect() async throws {
        let directory = try TestSocket.makeDirectory()
        defer { rmdir(directory) }
        let missing = try #require(await failure(at: .unixSocket(path: "\(directory)/none.sock")))
        #expect(missing.kind == .cannotConnect(.missingSocket))
        #expect(missing.message.contains("\(directory)/none.sock"))
        #expect(!missing.mayHaveTakenEffect)

        // A socket's file whose server is gone.
        let path = "\(directory)/dead.sock"
        close(try TestSocket.listen(atPath: path, backlog: 1))
        defer { unlink(path) }
        #expect(await failure(at: .unixSocket(path: path))?.kind == .cannotConnect(.refused))

        let unknown = await failure(at: .origin("http://no-such-host.invalid"))
        #expect(unknown?.kind == .cannotConnect(.unknownHost))
    }

    @Test(
        "tells a missing permission apart",
        .enabled(if: geteuid() != 0, "root may use every socket"))
    func permission() async throws {
        let server = try TestServer { _ in }
        guard case .unixSocket(let path) = server.endpoint else { return }
        chmod(path, 0)
        #expect(await failure(at: server.endpoint)?.kind == .cannotConnect(.permissionDenied))
    }

    @Test("to connect in time says that nothing was sent")
    func connectTimeout() async throws {
        let server = try TestServer(.tcp, backlog: 0, script: nil)
        let port = try #require(
            "\(server.endpoint)".split(separator: ":").last.flatMap { UInt16($0) })
        let fillers = TestSocket.fillBacklog(port: port)
        defer { for filler in fillers { close(filler) } }
        let request = HTTPRequest("POST", "/", connectTimeout: .milliseconds(200))
        let error = try #require(await failure(request, at: server.endpoint))
        #expect(error.kind == .timedOut(sent: false))
        #expect(!error.mayHaveTakenEffect)
    }

    @Test("to answer in time says that the request was sent")
    func answerTimeout() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
            closed.fire()
        }
        let request = HTTPRequest("POST", "/", timeout: .milliseconds(300))
        let error = try #require(await failure(request, at: server.endpoint))
        #expect(error.kind == .timedOut(sent: true))
        #expect(error.mayHaveTakenEffect)
        await closed.wait()
    }

    @Test(
        "in the middle of an answer is never taken for its end",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "what is this?\r\n\r\n",
        ])
    func brokenAnswer(_ answer: String) async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send(answer)
        }
        let error = try #require(await failure(at: server.endpoint))
        #expect(error.kind == .broken(sent: true))
        #expect(error.message.contains("\(server.endpoint)"))
    }

    @Test("to keep within the limit closes the connection")
    func tooLarge() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n12345678901")
            connection.waitForClose()
            closed.fire()
        }
        let request = HTTPRequest("POST", "/", bodyLimit: 10)
        let error = try #require(await failure(request, at: server.endpoint))
        #expect(error.kind == .tooLarge)
        #expect(error.mayHaveTakenEffect)
        await closed.wait()
    }

    @Test("to end the headers is not waited for without a limit")
    func endlessHeaders() async throws {
        let server = try TestServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            let line = "X-Filler: " + String(repeating: "x", count: 1000) + "\r\n"
            while connection.send(line) {}
        }
        #expect(await failure(at: server.endpoint)?.kind == .tooLarge)
    }

    @Test("of TLS is one, and nothing was sent")
    func tls() async throws {
        let server = try TestServer(.tcp) { connection in
            connection.send("no TLS here\r\n\r\n")
            connection.waitForClose()
        }
        let origin = "\(server.endpoint)".replacing("http:", with: "https:")
        let error = try #require(await failure(at: .origin(origin)))
        #expect(error.kind == .tls)
        #expect(!error.mayHaveTakenEffect)
    }

    @Test("of form is found before anything is sent")
    func invalid() async throws {
        let server = try TestServer { _ in }
        let requests = [
            HTTPRequest("GET", "no-slash"), HTTPRequest("GET", "/a b"), HTTPRequest("GET", "/é"),
            HTTPRequest("GET", "/a\r\nX: y"), HTTPRequest("GET /", "/"), HTTPRequest("", "/"),
            HTTPRequest("GET", "/", headers: [("A", "b\r\nC: d")]),
            HTTPRequest("GET", "/", headers: [("A:", "b")]), HTTPRequest("GET", "/#part"),
        ]
        for request in requests {
            #expect(await failure(request, at: server.endpoint)?.kind == .invalidRequest)
        }
        let origins = [
            "", "ftp://host", "http://", "http://user:secret@host", "http://host/path",
            "http://a b",
        ]
        for origin in origins {
            let error = try #require(await failure(at: .origin(origin)))
            #expect(error.kind == .invalidRequest)
            #expect(!error.message.contains("secret"))
        }
        #expect(server.record.connections == 0)
    }

    @Test("of a socket's path names the limit of 107 bytes")
    func longPath() async throws {
        let fits = "/" + String(repeating: "a", count: 106)
        #expect(await failure(at: .unixSocket(path: fits))?.kind == .cannotConnect(.missingSocket))
        let error = try #require(await failure(at: .unixSocket(path: fits + "a")))
        #expect(error.kind == .invalidRequest)
        #expect(error.message.contains("107"))
        #expect(await failure(at: .unixSocket(path: ""))?.kind == .invalidRequest)
    }
}

import Glibc
import PalHTTP
import Testing

@Suite("Many requests at once", .timeLimit(.minutes(10)))
struct LoadTests {
    @Test(
        "are all answered, over no more connections than allowed",
        arguments: [TestServer.Transport.unix, .tcp], ["GET", "POST"])
    func parallel(_ transport: TestServer.Transport, _ method: String) async throws {
        let underWay = Counter()
        let server = try TestServer(transport) { connection in
            while let request = connection.readRequest() {
                underWay.add(1)
                usleep(1000)  // Long enough for requests that are too many to meet here.
                let body = request.line + " " + String(decoding: request.body, as: UTF8.self)
                underWay.add(-1)
                connection.answer("200 OK", body)
            }
        }
        let client = HTTPClient(maximumConnections: 16)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let body = method == "POST" ? Array("body \(number)".utf8) : nil
                    let response = try await client.send(
                        HTTPRequest(method, "/\(number)", body: body), to: server.endpoint)
                    let expected = "\(method) /\(number) " + (body == nil ? "" : "body \(number)")
                    #expect(String(decoding: response.body, as: UTF8.self) == expected)
                }
            }
            try await group.waitForAll()
        }
        #expect(server.record.requests.count == 400)
        #expect(underWay.most <= 16)
        if method == "GET" { #expect(server.record.connections <= 16) }
    }

    @Test("are not held up by open streams")
    func streamsHoldNoSlots() async throws {
        let server = try TestServer { connection in
            while let request = connection.readRequest() {
                guard request.line == "GET /stream" else {
                    connection.answer("200 OK", "through")
                    continue
                }
                connection.send("HTTP/1.1 200 OK\r\n\r\n")
                connection.waitForClose()
            }
        }
        let client = HTTPClient(maximumConnections: 1)
        var streams: [HTTPStream] = []
        for _ in 1...5 {
            streams.append(
                try await client.stream(HTTPRequest("GET", "/stream"), to: server.endpoint))
        }
        for _ in 1...3 {
            let response = try await client.send(HTTPRequest("GET", "/"), to: server.endpoint)
            #expect(response.body == Array("through".utf8))
        }
        // Nor do streams push the kept connection out.
        #expect(server.record.connections == streams.count + 1)
    }
}

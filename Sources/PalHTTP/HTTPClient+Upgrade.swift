/// What came of asking for another protocol.
public enum UpgradeAnswer: Sendable {
    /// The server agreed.
    case upgraded(HTTPDuplex)
    /// The server answered otherwise, and the connection is closed.
    case refused(HTTPResponse)
}

extension HTTPClient {
    /// Sends a request that asks to go on in another protocol, over a connection of its own.
    ///
    /// Such connections are not among the client's, and `shutdown` leaves them alone. The request
    /// is sent once at most. Its timeout is for the answer's head, and for the body of a refusal.
    ///
    /// - Parameter protocolName: what the header `Upgrade` says.
    public func upgrade(
        _ request: HTTPRequest, to protocolName: String, at endpoint: Endpoint
    ) async throws(HTTPError) -> UpgradeAnswer {
        var request = request
        request.headers += [("Connection", "Upgrade"), ("Upgrade", protocolName)]
        let exchange = try await RawExchange(request, at: endpoint, tls: tls)
        let (head, rest) = try await exchange.begin()
        if head.status == 101 {
            exchange.connection.setLimit(nil)
            return .upgraded(HTTPDuplex(head, exchange.connection, first: rest))
        }
        return .refused(try await exchange.response(head, rest, limit: request.bodyLimit))
    }
}

/// A request and its answer on a `RawConnection`.
struct RawExchange {
    let connection: RawConnection
    private let request: HTTPRequest

    /// Makes the connection.
    init(_ request: HTTPRequest, at endpoint: Endpoint, tls: TLSFiles?) async throws(HTTPError) {
        if let fault = endpoint.fault ?? request.fault { throw .invalid(fault) }
        guard !Task.isCancelled else { throw .cancelled(endpoint, sent: false) }
        let connection = RawConnection(endpoint: endpoint)
        self.connection = connection
        self.request = request
        ConnectionThread.start(connection, tls, connectTimeout: request.connectTimeout)
        try await connection.opened()
        connection.setLimit(request.timeout)
    }

    /// Sends the request, and waits for the head of the answer and what came with it.
    func begin() async throws(HTTPError) -> (ResponseHead, [UInt8]) {
        try await connection.write(request.headBytes(at: connection.endpoint))
        return try await head()
    }

    private func head() async throws(HTTPError) -> (ResponseHead, [UInt8]) {
        var reader = ResponseHeadReader()
        var pending: [UInt8] = []
        while let bytes = try await connection.read() {
            pending += bytes
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let progress = reader.read(pending[...end])
                pending.removeFirst(end + 1)
                switch progress {
                case .more: continue
                case .complete(let head): return (head, pending)
                case .tooLarge: throw tooLarge("headers of more than \(ResponseHeadReader.limit)")
                }
            }
            guard pending.count <= ResponseHeadReader.limit else {
                throw tooLarge("headers of more than \(ResponseHeadReader.limit)")
            }
        }
        throw HTTPError(
            .broken(sent: true),
            message: "\(connection.endpoint) closed the connection without an answer.")
    }

    /// Reads the body of an answer and closes the connection.
    func response(
        _ head: ResponseHead, _ first: [UInt8], limit: Int
    ) async throws(HTTPError) -> HTTPResponse {
        defer { connection.end(.cancelled(connection.endpoint, sent: true)) }
        var body = BodyReader(head)
        var bytes = first
        while true {
            try body.push(bytes, at: connection.endpoint)
            guard body.bytes.count <= limit else { throw tooLarge("more than \(limit)") }
            if body.isComplete { break }
            guard let more = try await connection.read() else {
                if body.mayEndWithConnection { break }
                throw HTTPError(
                    .broken(sent: true),
                    message: "\(connection.endpoint) closed the connection in the middle of its "
                        + "answer.")
            }
            bytes = more
        }
        return HTTPResponse(status: head.status, headers: head.headers, body: body.bytes)
    }

    private func tooLarge(_ what: String) -> HTTPError {
        connection.end(.cancelled(connection.endpoint, sent: true))
        return HTTPError(
            .tooLarge, message: "\(connection.endpoint) answered with \(what) bytes.")
    }
}

extension HTTPRequest {
    /// The request as it goes over the wire, with its body.
    func headBytes(at endpoint: Endpoint) -> [UInt8] {
        let host = endpoint.urlPrefix.drop { $0 != "/" }.dropFirst(2)
        var text = "\(method) \(path) HTTP/1.1\r\n"
        if !hasHeader("Host") { text += "Host: \(host)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !hasHeader("Transfer-Encoding") {
            text += "Content-Length: \(body?.count ?? 0)\r\n"
        }
        return Array((text + "\r\n").utf8) + (body ?? [])
    }
}

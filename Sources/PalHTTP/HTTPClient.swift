/// Talks HTTP/1.1 to servers over TCP, TLS and Unix sockets.
///
/// One thread of its own performs all requests; it uses no CPU while nothing happens. A client
/// keeps connections, so make one and use it for everything. TLS certificates are checked against
/// the system's authorities, unless `TLSFiles` say otherwise. The environment's proxies are used,
/// except for sockets and loopback.
public final class HTTPClient: Sendable {
    private let mailbox = Mailbox()
    let tls: TLSFiles?

    /// What a stream holds before its transfer pauses, in bytes.
    static let streamBuffer = 256 << 10

    /// A client with its thread.
    ///
    /// - Parameters:
    ///   - maximumConnections: how many `send`s are under way at once, and how many idle
    ///     connections are kept; further ones wait in the order in which they came. Streams have
    ///     connections of their own, which are not limited here.
    ///   - tls: whom it trusts and how it proves who it is, where an origin is `https`.
    public init(maximumConnections: Int = 32, tls: TLSFiles? = nil) {
        self.tls = tls
        CurlMultiThread.start(
            serving: mailbox, maximumConnections: max(1, maximumConnections))
    }

    deinit {
        shutdown()
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// When the task is cancelled, this throws as soon as the transfer has ended and its connection
    /// is closed; the error says whether the request was sent.
    public func send(
        _ request: HTTPRequest, to endpoint: Endpoint
    ) async throws(HTTPError) -> HTTPResponse {
        defer { withExtendedLifetime(self) {} }
        let overflow = Exchange.Overflow.fail(beyond: request.bodyLimit)
        return try await begin(request, to: endpoint, overflow).response()
    }

    /// Sends a request and returns once the status and the headers are in.
    ///
    /// The body follows through the stream for as long as the server sends, with no limit of time
    /// or size: also where it has no length and ends with the connection. The stream keeps the
    /// client alive.
    public func stream(
        _ request: HTTPRequest, to endpoint: Endpoint
    ) async throws(HTTPError) -> HTTPStream {
        let overflow = Exchange.Overflow.pause(beyond: Self.streamBuffer)
        let exchange = try begin(request, to: endpoint, overflow)
        return try await HTTPStream(head: exchange.head(), exchange: exchange, client: self)
    }

    /// Ends all calls and streams, which fail as cancelled, and closes all connections. Does not
    /// wait for that. Later calls fail. Doing it twice is harmless.
    public func shutdown() {
        mailbox.close()
    }

    private func begin(
        _ request: HTTPRequest, to endpoint: Endpoint, _ overflow: Exchange.Overflow
    ) throws(HTTPError) -> Exchange {
        if let fault = endpoint.fault ?? request.fault { throw .invalid(fault) }
        guard !Task.isCancelled else { throw .cancelled(endpoint, sent: false) }
        let exchange = Exchange(
            endpoint: endpoint, overflow: overflow, tls: tls, mailbox: mailbox)
        guard mailbox.post(.start(exchange, request)) else {
            throw .shutDown(endpoint, sent: false)
        }
        return exchange
    }
}

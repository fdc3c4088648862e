/// An answer whose body comes in pieces, as the server sends them.
///
/// One task reads it, once. A slow reader is never overrun: beyond 256 KiB that nobody took, pal
/// stops reading from the connection and the server has to wait. Dropping the stream, or cancelling
/// the task that reads it, ends the transfer and closes the connection.
public final class HTTPStream: Sendable, AsyncSequence {
    /// What came since the last read. Where it is cut has no meaning.
    public typealias Element = [UInt8]
    /// Thrown where the body does not end properly; everything before it has been read then.
    public typealias Failure = HTTPError

    /// The status, such as 200.
    public let status: Int
    /// The headers, without those of interim (1xx) answers and without trailers.
    public let headers: HTTPHeaders

    private let exchange: Exchange
    private let client: HTTPClient

    init(head: ResponseHead, exchange: Exchange, client: HTTPClient) {
        status = head.status
        headers = head.headers
        self.exchange = exchange
        self.client = client
    }

    deinit {
        exchange.cancel()
    }

    /// Ends the transfer and closes the connection. Does not wait for that.
    public func cancel() {
        exchange.cancel()
    }

    /// Reads the rest of the body, for an answer that turns out to be an error's. Ends the transfer
    /// and throws `tooLarge` beyond `limit` bytes.
    public func collect(upTo limit: Int) async throws(HTTPError) -> [UInt8] {
        var body: [UInt8] = []
        while let bytes = try await exchange.nextBytes() {
            body += bytes
            guard body.count <= limit else {
                cancel()
                throw HTTPError(
                    .tooLarge,
                    message: "\(exchange.endpoint) answered with more than \(limit) bytes.")
            }
        }
        return body
    }

    /// Iterators share the stream: a second one goes on where the first stopped.
    public func makeAsyncIterator() -> Iterator {
        Iterator(stream: self)
    }

    /// Reads a stream piece by piece.
    public struct Iterator: AsyncIteratorProtocol {
        let stream: HTTPStream

        /// The next bytes, never empty; nil at the end. An error is thrown again by every later
        /// call. Throws `invalidRequest` while another task waits in it.
        public func next() async throws(HTTPError) -> [UInt8]? {
            try await stream.exchange.nextBytes()
        }

        /// As `next()`.
        public func next(
            isolation actor: isolated (any Actor)?
        ) async throws(HTTPError) -> [UInt8]? {
            try await stream.exchange.nextBytes()
        }
    }
}

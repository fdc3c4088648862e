import Synchronization

/// A connection after `101 Switching Protocols`: bytes go both ways, and HTTP is over.
///
/// One task reads and one writes. Dropping it, or cancelling a task in one of its calls, closes the
/// connection.
public final class HTTPDuplex: Sendable {
    /// The headers of the answer.
    public let headers: HTTPHeaders
    private let connection: RawConnection
    private let first: FirstBytes

    init(_ head: ResponseHead, _ connection: RawConnection, first bytes: [UInt8]) {
        headers = head.headers
        self.connection = connection
        first = FirstBytes(bytes)
    }

    deinit { cancel() }

    /// What came since the last time, never empty; nil when the other side has closed.
    public func read() async throws(HTTPError) -> [UInt8]? {
        if let bytes = first.take() { return bytes }
        return try await connection.read()
    }

    /// Sends bytes, and returns when there is room for more.
    /// - Throws: Also where the other side has closed.
    public func write(_ bytes: [UInt8]) async throws(HTTPError) {
        if !bytes.isEmpty { try await connection.write(bytes) }
    }

    /// Tells the other side that nothing more comes; it can still be read from. Over TLS this needs
    /// a libcurl that uses OpenSSL; with another one the connection ends with an error.
    public func closeInput() { connection.finishWriting() }

    /// Closes the connection. Does not wait for that.
    public func cancel() { connection.end(.cancelled(connection.endpoint, sent: true)) }
}

/// What came together with the head.
private final class FirstBytes: Sendable {
    private let bytes: Mutex<[UInt8]>

    init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }

    func take() -> [UInt8]? {
        bytes.withLock { bytes in
            defer { bytes = [] }
            return bytes.isEmpty ? nil : bytes
        }
    }
}

/// One request. Its body is in memory, or a file.
///
/// No header is added to those given here but `Host`, `Accept: */*`, `Content-Length` and, on
/// request, `Connection: close`. Redirects are never followed, cookies never kept.
public struct HTTPRequest: Sendable {
    /// The method, in capitals. `HEAD` expects no body.
    public var method: String
    /// The path with its query, already percent-encoded, from the first `/`.
    public var path: String
    /// The headers, in the order in which they are sent.
    public var headers: [(name: String, value: String)]
    /// The body; nil for none. `POST`, `PUT` and `PATCH` then say `Content-Length: 0`.
    public var body: [UInt8]?
    /// The path of a regular file that is the body instead of `body`. It is read as it is sent, and
    /// must not change meanwhile; such a request is never replayed.
    public var bodyFile: String?
    /// How long name look-up, connecting and TLS may take together.
    public var connectTimeout: Duration
    /// How long a `send` may take as a whole, and a `stream` until its status and headers are in;
    /// nil for ever. The time in which the request waits for one of the client's connections does
    /// not count. The body of a stream is never timed.
    public var timeout: Duration?
    /// Whether sending this request twice does no harm.
    ///
    /// A kept connection can turn out to be dead only after the request was sent. libcurl then
    /// sends it again, whatever its method. So a request that is not replayable gets a connection
    /// of its own, where libcurl never does that: at most one copy reaches the server.
    public var isReplayable: Bool
    /// The largest body that `send` accepts, in bytes. Streams have no such limit.
    public var bodyLimit: Int
    /// Whether to use a new connection, to send `Connection: close`, and to close it afterwards.
    public var closesConnection: Bool

    /// A request with a connect timeout of 10 s, a timeout of 60 s and at most 64 MiB of answer.
    ///
    /// - Parameter isReplayable: where nil, only `GET`, `HEAD` and `OPTIONS` are.
    public init(
        _ method: String,
        _ path: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil,
        connectTimeout: Duration = .seconds(10),
        timeout: Duration? = .seconds(60),
        isReplayable: Bool? = nil,
        bodyLimit: Int = 64 << 20,
        closesConnection: Bool = false
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.connectTimeout = connectTimeout
        self.timeout = timeout
        self.isReplayable = isReplayable ?? ["GET", "HEAD", "OPTIONS"].contains(method)
        self.bodyLimit = bodyLimit
        self.closesConnection = closesConnection
    }

    /// Whether a header of this name, in any case, is among those given.
    func hasHeader(_ name: String) -> Bool {
        headers.contains { $0.name.lowercased() == name.lowercased() }
    }

    /// What makes this request unusable, if anything. Refuses every byte that could smuggle a
    /// second header or request in. A header's value may be a secret, so it is never quoted.
    var fault: String? {
        if method.isEmpty || !method.utf8.allSatisfy(Self.isTokenByte) {
            return "the method is not a word of letters."
        }
        if !path.hasPrefix("/") || !path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x23 }) {
            return "the path must start with / and be percent-encoded."
        }
        for (name, value) in headers {
            if name.isEmpty || !name.utf8.allSatisfy(Self.isTokenByte) {
                return "a header's name is empty or holds a character that no name may hold."
            }
            if value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }) {
                return "the value of the header \(name) holds a control character."
            }
        }
        return nil
    }

    /// RFC 9110, 5.6.2: the characters of a token.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

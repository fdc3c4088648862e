/// Why a call has no answer. An answer with an error's status is none of these.
public struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong, for code.
    public let kind: Kind
    /// What went wrong, at which endpoint, and where it is known what to do: a sentence or two.
    public let message: String

    /// What went wrong. `sent` says that some of the request left this process.
    public enum Kind: Sendable, Hashable {
        /// No connection was made, so nothing was sent.
        case cannotConnect(ConnectFailure)
        /// A limit of time was reached.
        case timedOut(sent: Bool)
        /// The connection died, or what came over it was not HTTP.
        case broken(sent: Bool)
        /// The task was cancelled, the stream dropped, or the client shut down.
        case cancelled(sent: Bool)
        /// The answer was larger than the limit. Its connection is closed.
        case tooLarge
        /// The request or the endpoint cannot be used. Nothing was sent.
        case invalidRequest
        /// The server's certificate was refused, or TLS failed otherwise. Nothing was sent.
        case tls
    }

    /// Why no connection was made.
    public enum ConnectFailure: Sendable, Hashable {
        /// There is no file at the socket's path.
        case missingSocket
        /// This user may not use the socket.
        case permissionDenied
        /// Nothing listens there.
        case refused
        /// The host's name has no address.
        case unknownHost
        /// Another error of the system; 0 where it gave none.
        case other(errno: Int32)
    }

    /// Whether the server may have done what was asked, although no answer came.
    ///
    /// Of interest only for requests that change something: look before you repeat one.
    public var mayHaveTakenEffect: Bool {
        switch kind {
        case .cannotConnect, .invalidRequest, .tls: false
        case .timedOut(let sent), .broken(let sent), .cancelled(let sent): sent
        case .tooLarge: true
        }
    }

    /// The message.
    public var description: String { message }

    /// An error from its parts, for servers that tests make up.
    public init(_ kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    static func invalid(_ fault: String) -> HTTPError {
        HTTPError(.invalidRequest, message: "The request was not sent: \(fault)")
    }

    static func cancelled(_ endpoint: Endpoint, sent: Bool) -> HTTPError {
        HTTPError(.cancelled(sent: sent), message: "The request to \(endpoint) was cancelled.")
    }

    static func shutDown(_ endpoint: Endpoint, sent: Bool) -> HTTPError {
        HTTPError(
            .cancelled(sent: sent),
            message: "The request to \(endpoint) was dropped: the HTTP client is shut down.")
    }
}

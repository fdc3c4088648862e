import CCurl

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension HTTPError {
    /// What libcurl's result of a failed transfer means.
    ///
    /// - Parameters:
    ///   - sent: whether any byte of the request was written.
    ///   - systemError: `errno` of the connect that failed, or 0.
    ///   - detail: libcurl's own words, used where pal has none.
    init(_ code: CURLcode, sent: Bool, systemError: Int32, detail: String, endpoint: Endpoint) {
        switch code {
        case CURLE_COULDNT_CONNECT:
            self.init(connectingTo: endpoint, systemError: systemError)
        case CURLE_COULDNT_RESOLVE_HOST:
            self.init(
                .cannotConnect(.unknownHost),
                message: "The host of \(endpoint) has no address; check its name and the network.")
        case CURLE_COULDNT_RESOLVE_PROXY:
            self.init(
                .cannotConnect(.unknownHost),
                message: "The proxy for \(endpoint) has no address; check the proxy variables.")
        case CURLE_OPERATION_TIMEDOUT:
            let what = sent ? "did not answer" : "took no connection"
            self.init(.timedOut(sent: sent), message: "\(endpoint) \(what) in time (\(detail)).")
        case CURLE_URL_MALFORMAT:
            self = .invalid("\(endpoint) and the path make no URL (\(detail)).")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CRL_BADFILE:
            self.init(.tls, message: "TLS with \(endpoint) failed: \(detail).")
        case CURLE_GOT_NOTHING:
            self.init(
                .broken(sent: sent),
                message: "\(endpoint) closed the connection without an answer.")
        case CURLE_PARTIAL_FILE:
            self.init(
                .broken(sent: sent),
                message: "\(endpoint) closed the connection in the middle of its answer.")
        case CURLE_RECV_ERROR where detail.contains("alert") && detail.contains("certificate"):
            // TLS 1.3: a server refuses the client's certificate only after the handshake, before
            // it reads a request.
            self.init(.tls, message: "TLS with \(endpoint) failed: \(detail).")
        default:
            self.init(
                .broken(sent: sent), message: "The connection to \(endpoint) broke: \(detail).")
        }
    }

    private init(connectingTo endpoint: Endpoint, systemError: Int32) {
        switch (endpoint, systemError) {
        case (.unixSocket, ENOENT):
            self.init(
                .cannotConnect(.missingSocket),
                message: "There is no socket \(endpoint); start its server or correct the path.")
        case (.unixSocket, EACCES), (.unixSocket, EPERM):
            self.init(
                .cannotConnect(.permissionDenied),
                message: "This user may not use the socket \(endpoint); "
                    + "join the group that owns it.")
        case (_, ECONNREFUSED):
            self.init(
                .cannotConnect(.refused),
                message: "\(endpoint) refused the connection: nothing listens there.")
        default:
            // A socket whose queue is full refuses without an error that libcurl could name.
            let reason =
                systemError == 0
                ? "the server takes no further connections"
                : String(cString: strerror(systemError))
            self.init(
                .cannotConnect(.other(errno: systemError)),
                message: "No connection to \(endpoint): \(reason).")
        }
    }
}

/// Whom a client trusts over TLS, and with what it proves who it is. Files in PEM format, which are
/// read anew for each connection.
public struct TLSFiles: Sendable, Hashable {
    /// The authorities whose servers are trusted; the system's own where nil.
    public var authority: String?
    /// The client's certificate, and those between it and its authority; nil for none.
    public var certificate: String?
    /// The key of the certificate, without a passphrase.
    public var key: String?
    /// Whether the server's certificate and its name are checked. False trusts whoever answers.
    public var verifiesServer: Bool

    /// Makes one of its parts.
    public init(
        authority: String? = nil, certificate: String? = nil, key: String? = nil,
        verifiesServer: Bool = true
    ) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.verifiesServer = verifiesServer
    }
}

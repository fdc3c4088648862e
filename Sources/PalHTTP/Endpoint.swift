#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a server listens.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// A Unix domain socket. The path may have at most 107 bytes, Linux's limit (`sun_path`).
    case unixSocket(path: String)
    /// `http://host:port` or `https://host:port`, with neither a path nor user information.
    case origin(String)

    /// The socket's path or the origin: what an error message names.
    public var description: String {
        switch self {
        case .unixSocket(let path): path
        case .origin(let origin): origin
        }
    }

    /// What libcurl prefixes to a request's path. Every request to a socket has the same host,
    /// because libcurl reuses a connection only where the host is the same.
    var urlPrefix: String {
        switch self {
        case .unixSocket: "http://localhost"
        case .origin(let origin): origin.hasSuffix("/") ? String(origin.dropLast()) : origin
        }
    }

    /// Whether a proxy of the environment must not be asked: sockets, and this machine.
    var bypassesProxies: Bool {
        guard case .origin = self else { return true }
        let host = urlPrefix.drop { $0 != "/" }.dropFirst(2).lowercased()
        return host.hasPrefix("localhost:") || host == "localhost" || host.hasPrefix("127.")
            || host.hasPrefix("[::1]")
    }

    /// The longest path of a socket, in bytes, without the byte that ends it.
    static let socketPathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// What makes this endpoint unusable, if anything.
    var fault: String? {
        switch self {
        case .unixSocket(let path):
            if path.isEmpty || path.utf8.contains(0) {
                return "the path of a Unix socket is empty or holds a NUL byte."
            }
            guard path.utf8.count > Self.socketPathLimit else { return nil }
            return "the path of a Unix socket may have \(Self.socketPathLimit) bytes and "
                + "\(path) has \(path.utf8.count); use a shorter path or a symbolic link."
        case .origin:
            let scheme = ["http://", "https://"].first { urlPrefix.hasPrefix($0) }
            let host = urlPrefix.dropFirst(scheme?.count ?? 0).utf8
            let isPlain = host.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"/?#@\\".utf8.contains($0) }
            if scheme != nil, !host.isEmpty, isPlain { return nil }
            // Not quoted in the message: it may hold user information.
            return "an origin is written http://host:port or https://host:port, without a path "
                + "or user information."
        }
    }
}

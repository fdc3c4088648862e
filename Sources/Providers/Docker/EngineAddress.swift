import PalHTTP
import PalProvider

/// Where an Engine listens, and how both sides prove who they are.
struct EngineAddress: Sendable, Hashable {
    var endpoint: Endpoint
    /// The Engine's host; nil for a socket of this machine.
    var host: String?
    var tls: TLSFiles?

    static let defaultSocket = "/var/run/docker.sock"
    static let usual = EngineAddress(socket: defaultSocket)

    init(socket path: String) {
        self.init(endpoint: .unixSocket(path: path), host: nil, tls: nil)
    }

    private init(endpoint: Endpoint, host: String?, tls: TLSFiles?) {
        self.endpoint = endpoint
        self.host = host
        self.tls = tls
    }

    /// Reads an address as Docker's tools write it: `unix:///path`, `tcp://host:port`, `host:port`.
    ///
    /// - Parameters:
    ///   - tls: What is used over TCP; plain HTTP where nil.
    ///   - source: Where the address was found, for messages.
    /// - Throws: A configuration error for an address that pal does not speak, `ssh://` among them.
    init(_ text: String, tls: TLSFiles?, from source: String) throws(ProviderFailure) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        let scheme = parts.count == 2 ? String(parts[0]) : "tcp"
        let rest = parts.last ?? ""
        switch scheme {
        case "unix":
            self.init(socket: rest.isEmpty ? Self.defaultSocket : String(rest))
        case "tcp", "http", "https":
            let isSecure = tls != nil || scheme == "https"
            guard let authority = Authority(rest, isSecure: isSecure) else {
                // Not quoted: it may hold user information.
                throw .invalid("\(source) must be tcp://host:port, without a user or a path")
            }
            self.init(
                endpoint: .origin("\(isSecure ? "https" : "http")://\(authority.text)"),
                host: authority.host, tls: tls)
        case "ssh":
            throw .invalid(
                "\(source) is an ssh:// address, which pal does not speak; forward the Engine's "
                    + "socket with 'ssh -N -L /run/engine.sock:/var/run/docker.sock HOST', and set "
                    + "specific.socketPath: /run/engine.sock in pal.yaml, and specific.bindAddress "
                    + "to an address of HOST that this machine reaches")
        default:
            throw .invalid(
                "\(source) of the kind '\(scheme)' is not supported; use unix:///path or "
                    + "tcp://host:port, or set specific.socketPath in pal.yaml")
        }
    }

    /// Whether the Engine is on this machine.
    var isLocal: Bool {
        guard let host else { return true }
        return host == "localhost" || host.hasPrefix("127.") || host == "[::1]"
    }
}

/// `host:port`, `[::1]:port`, or one without the port.
private struct Authority {
    var host: String
    var port: UInt16

    var text: String { "\(host):\(port)" }

    init?(_ text: Substring, isSecure: Bool) {
        let authority = text.hasSuffix("/") ? text.dropLast() : text
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
        let hostEnd =
            end.map { authority.index(after: $0) }
            ?? authority.firstIndex(of: ":") ?? authority.endIndex
        let given = String(authority[..<hostEnd])
        host = given.isEmpty ? "localhost" : given
        let isName = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"/?#@\\".utf8.contains($0) }
        guard isName else { return nil }
        let rest = authority[hostEnd...]
        if rest.isEmpty {
            port = isSecure ? 2376 : 2375
        } else {
            guard rest.first == ":", let number = UInt16(rest.dropFirst()) else { return nil }
            port = number
        }
    }
}

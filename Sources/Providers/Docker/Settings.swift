import PalHTTP
import PalModel
import PalProvider

/// Where the Engine is and where instances are reached: settings and `DOCKER_HOST` understood.
struct DockerSettings: Sendable, Hashable {
    var name: String
    var region: String
    var swarm: String
    var endpoint: Endpoint
    /// The address of the Engine's host that ports are published on.
    var publishAddress: String
    /// The host in URLs.
    var urlHost: String
    /// Whether the Engine runs on this machine, so that a port which is free here is free there.
    var isLocal: Bool

    private static let keys = ["bindAddress", "socketPath"]
    private static let defaultSocket = "/var/run/docker.sock"

    /// Reads an entry of pal.yaml.
    ///
    /// `specific.socketPath` wins over `DOCKER_HOST`, and that over `/var/run/docker.sock`. Ports
    /// are published on loopback for an Engine on this machine and on the Engine's host for
    /// another; `specific.bindAddress` says otherwise.
    /// - Throws: A configuration error for unknown keys, a swarm that makes no container name, and
    ///   kinds of `DOCKER_HOST` that pal does not speak.
    init(_ settings: ProviderSettings) throws(ProviderFailure) {
        name = settings.name
        region = settings.region ?? "local"
        swarm = settings.swarm
        guard DockerName.isValid(DockerName.network(swarm: swarm)) else {
            throw .invalid(
                "the swarm '\(swarm)' makes no Docker names; use letters, digits, '_', '.' and '-'")
        }
        try Self.checkKeys(settings)
        let host: String?
        (endpoint, host) = try Self.endpoint(settings)
        isLocal = host.map(Self.isLoopback) ?? true
        let remote = isLocal ? nil : host
        urlHost = remote ?? "127.0.0.1"
        publishAddress = remote.map { Self.isIPv4($0) ? $0 : "0.0.0.0" } ?? "127.0.0.1"
        if let bind = settings.specific["bindAddress"].flatMap({ String($0) }) {
            guard Self.isIPv4(bind) else {
                throw .invalid("specific.bindAddress must be an IPv4 address, not '\(bind)'")
            }
            publishAddress = bind
            if bind != "0.0.0.0" { urlHost = bind }
        }
    }

    private static func checkKeys(_ settings: ProviderSettings) throws(ProviderFailure) {
        for (key, value) in settings.specific.sorted(by: { $0.key < $1.key }) {
            guard keys.contains(key) else {
                let hint =
                    Suggestion.nearest(to: key, among: keys).map { "; did you mean '\($0)'?" }
                    ?? "; known are \(keys.joined(separator: ", "))"
                throw .invalid(
                    "provider '\(settings.name)': unknown key 'specific.\(key)'\(hint)")
            }
            guard case .string(let text) = value, !text.isEmpty else {
                throw .invalid(
                    "provider '\(settings.name)': specific.\(key) must be a text, "
                        + "not \(value.kindName)")
            }
        }
    }

    /// The endpoint, and the host's name where it is not a socket.
    private static func endpoint(
        _ settings: ProviderSettings
    ) throws(ProviderFailure) -> (Endpoint, host: String?) {
        if let path = settings.specific["socketPath"].flatMap({ String($0) }) {
            return (.unixSocket(path: path), nil)
        }
        let text = settings.environment["DOCKER_HOST"] ?? ""
        if text.isEmpty { return (.unixSocket(path: defaultSocket), nil) }
        if text.hasPrefix("unix://"), text.count > 7 {
            return (.unixSocket(path: String(text.dropFirst(7))), nil)
        }
        for scheme in ["tcp://", "http://"] where text.hasPrefix(scheme) {
            return try tcp(
                text.dropFirst(scheme.count), settings.environment["DOCKER_TLS_VERIFY"])
        }
        let scheme = text.prefix { $0 != ":" }
        throw .invalid(
            "DOCKER_HOST of the kind '\(scheme)' is not supported; use unix:///path or "
                + "tcp://host:port, or set specific.socketPath in pal.yaml")
    }

    private static func tcp(
        _ rest: Substring, _ verify: String?
    ) throws(ProviderFailure) -> (Endpoint, host: String?) {
        guard (verify ?? "").isEmpty else {
            throw .invalid(
                "DOCKER_TLS_VERIFY is set, and pal does not speak TLS to an Engine yet; forward "
                    + "its socket (ssh -L /path/docker.sock:/var/run/docker.sock HOST) and set "
                    + "specific.socketPath to it")
        }
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let host = parts.first, !host.isEmpty,
            let port = parts.count == 2 ? UInt16(parts[1]) : 2375
        else { throw .invalid("DOCKER_HOST must be tcp://host:port, not 'tcp://\(rest)'") }
        return (.origin("http://\(host):\(port)"), String(host))
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasPrefix("127.")
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}

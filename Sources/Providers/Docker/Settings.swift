import PalEditors
import PalHTTP
import PalModel
import PalProvider

/// Where the Engine is and where instances are reached: an entry of pal.yaml understood.
struct DockerSettings: Sendable, Hashable {
    var name: String
    var region: String
    var swarm: String
    var endpoint: Endpoint
    /// For an Engine behind TLS.
    var tls: TLSFiles?
    /// The address of the Engine's host that ports are published on.
    var publishAddress: String
    /// The host that ports are reached at from here.
    var reachHost: String
    /// The host in URLs, where the operator says it; else that by which pal reaches it.
    var urlHost: String?
    /// Whether the Engine runs on this machine, so that a port which is free here is free there.
    var isLocal: Bool
    /// The controller's environment: where the docker CLI keeps credentials is read from it.
    var environment: [String: String]
    /// The generated passwords, on this machine.
    var passwords: PasswordStore
    /// Where secrets come from.
    var secrets: SecretReader
    /// What specs may have of the Engine's host.
    var policy: HostPolicy

    private static let keys = ["bindAddress", "urlHost"] + EngineChoice.keys

    /// Reads an entry of pal.yaml.
    ///
    /// `EngineChoice` says which Engine it means. Ports are published on loopback for an Engine on
    /// this machine and on the Engine's host for another; `specific.bindAddress` says otherwise,
    /// and `specific.urlHost` what people reach that by.
    /// - Throws: A configuration error for unknown keys, a swarm that makes no container name, an
    ///   address that pal does not speak, and certificates or contexts that are not there.
    init(_ settings: ProviderSettings) throws(ProviderFailure) {
        name = settings.name
        region = settings.region ?? "local"
        swarm = settings.swarm
        environment = settings.environment
        passwords = PasswordStore(
            directory: "\(settings.dataDirectory)/\(settings.name)/passwords")
        secrets = SecretReader(environment: settings.environment)
        guard DockerName.isValid(DockerName.network(swarm: swarm)) else {
            throw .invalid(
                "the swarm '\(swarm)' makes no Docker names; use letters, digits, '_', '.' and '-'")
        }
        try Self.checkKeys(settings)
        let engine = try EngineChoice(settings: settings).address()
        endpoint = engine.endpoint
        tls = engine.tls
        var socket: String?
        if case .unixSocket(let path) = endpoint { socket = path }
        isLocal = engine.isLocal
        policy = try HostPolicy(settings, socket: socket, isLocal: isLocal)
        let remote = isLocal ? nil : engine.host
        reachHost = remote ?? "127.0.0.1"
        publishAddress = remote.map { Self.isIPv4($0) ? $0 : "0.0.0.0" } ?? "127.0.0.1"
        if let bind = settings.specific["bindAddress"].flatMap({ String($0) }) {
            guard Self.isIPv4(bind) else {
                throw .invalid("specific.bindAddress must be an IPv4 address, not '\(bind)'")
            }
            publishAddress = bind
            if bind != "0.0.0.0" { reachHost = bind }
        }
        urlHost = settings.specific["urlHost"].flatMap { String($0) }
        if let urlHost, !Self.isHost(urlHost) {
            throw .invalid(
                "specific.urlHost must be a name or an IPv4 address, without 'http://' and a "
                    + "port, not '\(urlHost)'")
        }
    }

    private static func checkKeys(_ settings: ProviderSettings) throws(ProviderFailure) {
        for (key, value) in settings.specific.sorted(by: { $0.key < $1.key }) {
            if HostPolicy.keys.contains(key) { continue }
            guard keys.contains(key) else {
                let known = (keys + HostPolicy.keys).sorted()
                let hint =
                    Suggestion.nearest(to: key, among: known).map { "; did you mean '\($0)'?" }
                    ?? "; known are \(known.joined(separator: ", "))"
                throw .invalid(
                    "provider '\(settings.name)': unknown key 'specific.\(key)'\(hint)")
            }
            if key == "tlsVerify" {
                guard case .bool = value else {
                    throw .invalid(
                        "provider '\(settings.name)': specific.tlsVerify must be true or false, "
                            + "not \(value.kindName)")
                }
                continue
            }
            guard case .string(let text) = value, !text.isEmpty else {
                throw .invalid(
                    "provider '\(settings.name)': specific.\(key) must be a text, "
                        + "not \(value.kindName)")
            }
        }
    }

    private static func isHost(_ text: String) -> Bool {
        isIPv4(text)
            || text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
                .allSatisfy { TextRule.isDNSLabel(String($0)) }
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}

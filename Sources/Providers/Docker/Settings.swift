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

    /// The keys of an entry's `specific`.
    static let keys: [Shape.Member] =
        EngineChoice.keys + [
            .init("bindAddress", .text(ipv4), "The address that ports are published on."),
            .init("urlHost", .text(host), "The host in URLs."),
        ] + HostPolicy.keys

    /// An address that a port can be published on.
    static let ipv4 = TextRule(
        expectation: "an IPv4 address such as 127.0.0.1, or 0.0.0.0 for all", pattern: nil,
        accepts: isIPv4)

    private static let host = TextRule(
        expectation: "a name or an IPv4 address, without 'http://' and a port", pattern: nil,
        accepts: isHost)

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
        try settings.check(Self.keys)
        let engine = try EngineChoice(settings: settings).address()
        endpoint = engine.endpoint
        tls = engine.tls
        var socket: String?
        if case .unixSocket(let path) = endpoint { socket = path }
        isLocal = engine.isLocal
        let remote = isLocal ? nil : engine.host
        reachHost = remote ?? "127.0.0.1"
        publishAddress = remote.map { Self.isIPv4($0) ? $0 : "0.0.0.0" } ?? "127.0.0.1"
        if let bind = settings.specific["bindAddress"].flatMap({ String($0) }) {
            publishAddress = bind
            if bind != "0.0.0.0" { reachHost = bind }
        }
        policy = HostPolicy(
            settings, socket: socket, isLocal: isLocal, publishAddress: publishAddress)
        urlHost = settings.specific["urlHost"].flatMap { String($0) }
    }

    private static func isHost(_ text: String) -> Bool {
        isIPv4(text)
            || text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
                .allSatisfy { TextRule.isDNSLabel(String($0)) }
    }

    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}

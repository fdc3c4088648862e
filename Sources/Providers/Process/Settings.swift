import PalFiles
import PalModel
import PalProvider

/// An entry of pal.yaml understood.
struct ProcessSettings: Sendable, Hashable {
    var name: String
    var region: String
    var swarm: String
    var layout: Layout
    /// The controller's environment.
    var environment: [String: String]

    /// - Throws: A configuration error for a name or data directory that makes no path, and for
    ///   settings of its own, of which there are none.
    init(_ settings: ProviderSettings) throws(ProviderFailure) {
        guard TextRule.isDNSLabel(settings.name) else {
            throw .configuration("the provider name '\(settings.name)' is not a DNS label")
        }
        guard settings.dataDirectory.hasPrefix("/") else {
            throw .configuration(
                "the data directory '\(settings.dataDirectory)' is not absolute; set XDG_DATA_HOME "
                    + "to an absolute path")
        }
        guard !settings.swarm.isEmpty, !settings.swarm.contains("/") else {
            throw .configuration("the swarm '\(settings.swarm)' is empty or holds a '/'")
        }
        try settings.check([])
        name = settings.name
        region = settings.region ?? "local"
        swarm = settings.swarm
        layout = Layout(root: RealPath.join(settings.dataDirectory, settings.name))
        environment = settings.environment
    }

    /// Where programs are looked for.
    var path: String { environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin" }
}

/// A spec's `specific` on this provider.
struct Specifics: Sendable, Hashable {
    /// Between the request to end and the kill.
    var stopTimeout = TimeSpan.seconds(10)

    /// The keys, and what each takes.
    static let keys: [Shape.Member] = [
        .init("stopTimeout", .span, "How long it may take to end; 10s where unset.")
    ]

    init(_ config: InstanceConfig) {
        if let span = config.specific?["stopTimeout"].flatMap({ TimeSpan($0) }) {
            stopTimeout = span
        }
    }
}

public import Logging
import PalHTTP
public import PalModel
public import PalProvider

/// Instances as containers of a Docker Engine, through its HTTP API: no command-line tool is used.
///
/// An instance is the container `pal_<swarm>_<name>` with pal's labels, on the network
/// `pal_<swarm>`, with the volume `pal_<swarm>_<name>_home` at the editor's home, and with its
/// ports published on loopback. What does not carry the labels of the swarm is read at most, never
/// changed.
///
/// Engines from API 1.40 (Docker 19.03) on will do. Stopping and starting the Engine, also as
/// another release, ends the calls under way and the streams, and nothing else.
public struct DockerProvider: AbstractProvider {
    /// `docker`.
    public let type: ProviderType = "docker"
    /// As the settings say.
    public var name: String { settings.name }
    /// As the settings say; `local` where they say nothing.
    public var region: String { settings.region }
    /// For operators.
    public let logger: Logger

    let settings: DockerSettings
    let engine: EngineClient
    let clock: any Clock<Duration>
    let cache = InspectCache()
    let lastList = LastList()
    let handedOut = HandedOut()
    let cursor = EventCursor()
    let ready = ReadyRuns()
    let portChooser: PortChooser
    let networkTurnstile = Turnstile()
    let networkSeen = Seen()
    /// Whether a container was deleted, and it is not known yet that the network need not go too.
    let networkOwed = Seen()
    /// Whether there was a time without events, and no empty list since: the last container may go,
    /// or have gone, by a controller that was stopped before it removed the network.
    let networkUnsure = Seen()
    let pulls = PullShare()
    let tags = ImageTags()
    let registryLooks = RegistryLooks()
    let credentials: RegistryCredentials
    let members = Members()
    let samples = Samples()
    let diskLook = DiskLook()
    let extensionRuns = ExtensionRuns()
    let memoryDeaths = MemoryDeaths()
    let ownContainer: String?

    /// How many calls a list makes at once.
    static let inspections = 8
    static let probes = 64

    init(
        _ settings: DockerSettings, logger: Logger, clock: any Clock<Duration> = ContinuousClock(),
        ownContainer: String? = OwnContainer.id
    ) {
        self.ownContainer = ownContainer
        self.settings = settings
        self.logger = logger
        self.clock = clock
        engine = EngineClient(
            endpoint: settings.endpoint, http: HTTPClient(tls: settings.tls))
        portChooser = PortChooser(settings)
        credentials = RegistryCredentials(environment: settings.environment, clock: clock)
    }

    /// Asks the Engine for its version and settles on the newest that both sides speak.
    public func initialize() async throws(ProviderFailure) {
        let version = try await engine.negotiate()
        logger.debug(
            "Docker answers",
            metadata: ["endpoint": "\(settings.endpoint)", "api": "\(version.text)"])
    }

    /// Closes all connections; calls under way fail.
    public func shutdown() async { engine.http.shutdown() }

    /// One inspection, and one question to an editor that was never seen ready.
    public func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        guard let detail = try await find(reference) else { return nil }
        let facts = try await imageFacts([detail])
        return instance(detail, await readiness(of: detail, timeout: .seconds(3)), facts)
    }

    /// One call while an event stream is open and nothing happened; else also one inspection for
    /// each container and each of their images' names, 8 at once. Editors that were never seen
    /// ready are asked.
    public func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        let ticket = cache.ticket()
        let changes = members.changes
        // The Engine's filter knows one name; to describe the others takes it most of the time.
        let only = filter.names.flatMap { $0.count == 1 ? $0.first : nil }
        let answer = try await list(labels: only.map { ["pal.name": $0] } ?? [:])
        if filter == .all, let known = lastList.instances(answer.body, cache) {
            if networkOwed.isTrue { try await removeNetworkAfterLast() }
            return known
        }
        let summaries = try answer.decoded(as: [ContainerSummary].self)
        let instances = try await instances(summaries, filter)
        if instances.isEmpty, networkOwed.isTrue { try await removeNetworkAfterLast() }
        let adopted = filter.adopting.isEmpty ? [] : try await adopted(filter)
        guard filter.names == nil else { return instances + adopted }
        tags.retain(Set(cache.everything.flatMap { [$0.config.image, $0.image ?? ""] }))
        let ids = Set(summaries.map(\.id))
        members.replace(ids, asOf: changes)
        if ids.isEmpty, networkUnsure.isTrue {
            networkUnsure.set(false)
            networkOwed.set(true)
        }
        if networkOwed.isTrue { try await removeNetworkAfterLast() }
        let known = ids.union(adopted.map(\.providerInstanceId))
        cache.retain(known)
        handedOut.retain(known)
        ready.retain(known)
        extensionRuns.retain(known)
        memoryDeaths.retain(known)
        if filter == .all { lastList.keep(answer.body, instances, cache, ticket) }
        return instances + adopted
    }

    private func instances(
        _ summaries: [ContainerSummary], _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        let wanted = summaries.filter { summary in
            Ownership(labels: summary.labels ?? [:]).map { filter.takes($0.name) } ?? false
        }
        let details = try await details(of: wanted)
        let facts = try await imageFacts(details)
        let instances = await bounded(details, atOnce: Self.probes) { detail in
            instance(detail, await readiness(of: detail, timeout: .seconds(1)), facts)
        }
        return instances.compactMap(\.self).sorted {
            ($0.name, $0.ownership.generation, $0.providerInstanceId)
                < ($1.name, $1.ownership.generation, $1.providerInstanceId)
        }
    }

    /// What is known of the containers: from the cache, or inspected now. Those that went meanwhile
    /// are left out.
    private func details(
        of summaries: [ContainerSummary]
    ) async throws(ProviderFailure) -> [ContainerDetail] {
        let results = await bounded(summaries, atOnce: Self.inspections) { summary in
            await Result<ContainerDetail?, ProviderFailure>.catching { () throws(ProviderFailure) in
                if let known = cache.detail(summary.id, mark: summary.mark) { return known }
                return try await inspect(summary.id, mark: summary.mark)
            }
        }
        var details: [ContainerDetail] = []
        for result in results {
            if let detail = try result.get() { details.append(detail) }
        }
        return details
    }
}

internal import FoundationEssentials
import PalModel
import PalProvider

extension ContainerDetail {
    /// The marks, where the container is pal's and of this swarm.
    func ownership(in swarm: String) -> Ownership? {
        guard let ownership = Ownership(labels: config.labels ?? [:]), ownership.swarm == swarm
        else { return nil }
        return ownership
    }

    /// The container's name without the slash in front.
    var plainName: String { name.hasPrefix("/") ? String(name.dropFirst()) : name }

    /// Whether its processes run, so that the editor can answer.
    var isRunning: Bool { state.status == "running" }

    /// pal's word for the Engine's state. What neither Docker nor Podman says is unknown.
    var status: InstanceStatus {
        switch state.status {
        case "running": .running
        case "restarting": .starting
        case "created", "initialized", "configured", "exited", "stopped", "paused": .stopped
        case "stopping": .stopping
        // Dead is what a removal left that failed midway: all that works on it is to remove it.
        case "removing", "dead": .deleting
        default: .unknown
        }
    }

    /// How the last run ended; nil for a container that runs or never ran.
    var exit: ExitReport? {
        guard ["exited", "stopped", "dead", "restarting"].contains(state.status),
            let code = state.exitCode
        else { return nil }
        // A shell's convention that the Engine follows: 128 + n for signal n.
        let signal = (129...192).contains(code) ? code - 128 : nil
        return ExitReport(
            code: code, signal: signal, isOutOfMemory: state.isOutOfMemory ?? false,
            at: state.finishedAt.flatMap { Timestamp.date($0) })
    }

    /// The fields that the Engine reports, in the units of a spec.
    func observedConfig(_ ownership: Ownership) -> InstanceConfig {
        var observed = InstanceConfig(name: ownership.name)
        observed.image = config.image
        observed.resources.cpuCores = cores
        observed.resources.memoryMin = mebibytes(hostConfig.memoryReservation)
        observed.resources.memoryMax = mebibytes(hostConfig.memory)
        return observed
    }

    private var cores: Double? {
        if let nano = hostConfig.nanoCPUs, nano > 0 { return Double(nano) / 1e9 }
        guard let quota = hostConfig.cpuQuota, quota > 0 else { return nil }
        let period = hostConfig.cpuPeriod.flatMap { $0 > 0 ? $0 : nil } ?? 100_000
        return Double(quota) / Double(period)
    }

    private func mebibytes(_ bytes: Int?) -> Int? {
        guard let bytes, bytes > 0 else { return nil }
        return bytes / (1 << 20)
    }

    /// The published ports: as configured, so that they are known of a stopped container too.
    var ports: [PublishedPort] {
        // With the host's network nothing is published, and a port inside is one outside.
        if hostConfig.networkMode == "host" {
            return editorPort.map {
                [PublishedPort(inside: PortKey($0), address: "", outside: $0)]
            } ?? []
        }
        let configured = hostConfig.portBindings ?? [:]
        let current = networkSettings?.ports ?? [:]
        return configured.compactMap { key, bindings -> PublishedPort? in
            let first = bindings?.first
            let actual = (current[key] ?? nil)?.first
            guard let inside = PortKey(key) else { return nil }
            // A port that the Engine chose stands only in what is published just now.
            let outside = [first?.port, actual?.port].compactMap { $0.flatMap { Int($0) } }
                .first { $0 > 0 }
            return PublishedPort(inside: inside, address: first?.address ?? "", outside: outside)
        }
        .sorted { ($0.inside.port, $0.inside.kind) < ($1.inside.port, $1.inside.kind) }
    }

    /// The editor's port inside, as its label says.
    var editorPort: Int? { config.labels?[DockerLabel.editorPort].flatMap { Int($0) } }

    /// The instance's address, in the network that it was made in where it has one there; nil while
    /// it is stopped.
    var internalAddress: String? {
        let first = hostConfig.networkMode ?? ""
        return (networkSettings?.networks ?? [:])
            .sorted { ($0.key == first ? "" : $0.key) < ($1.key == first ? "" : $1.key) }
            .compactMap { $0.value.address }.first { !$0.isEmpty }
    }

    /// What an unhealthy instance's last check said.
    var lastCheckOutput: String? {
        let text = state.health?.log?.last?.output?
            .split(whereSeparator: \.isNewline).joined(separator: " ")
        guard let text, !text.isEmpty else { return nil }
        return String(text.prefix(300))
    }
}

/// A port inside, with its protocol: `8080/tcp`.
struct PortKey: Sendable, Hashable {
    var port: Int
    /// `tcp` or `udp`.
    var kind: String

    init(_ port: Int, _ kind: String? = nil) {
        self.port = port
        self.kind = kind ?? "tcp"
    }

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let port = parts.first.flatMap({ Int($0) }) else { return nil }
        self.init(port, parts.count > 1 ? String(parts[1]) : nil)
    }

    var text: String { "\(port)/\(kind)" }

    /// As in `PortMapping`.
    var key: Int { PortMapping(internal: port, protocol: kind).key }
}

/// A port of a container and where it is reached on the Engine's host.
struct PublishedPort: Sendable, Hashable {
    var inside: PortKey
    /// The host's address that it is bound to; empty for all.
    var address: String
    var outside: Int?

    /// The host that it is reached at from here.
    func host(_ settings: DockerSettings) -> String {
        ["", "0.0.0.0", "::"].contains(address) ? settings.reachHost : address
    }
}

extension DockerProvider {
    /// The instance that a container is; nil where it is not of this swarm.
    func instance(
        _ detail: ContainerDetail, _ readiness: Readiness, _ images: ImageFacts
    ) -> VSCodeInstance? {
        guard let ownership = detail.ownership(in: settings.swarm) else { return nil }
        var instance = createBaseInstance(
            ownership, providerInstanceId: detail.id, status: detail.status,
            config: detail.observedConfig(ownership))
        instance.isAdopted = detail.isAdopted ? true : nil
        instance.readiness = readiness
        let death = memoryDeaths.report(of: detail.id)
        // One report for one death, also while the Engine is starting it again.
        let isRestarting = detail.state.status == "restarting"
        instance.exit = isRestarting && death != nil ? death : detail.exit ?? death
        instance.resources.cpu.limit = instance.config.resources.cpuCores
        instance.resources.memory.limit = instance.config.resources.memoryMax.map { Double($0) }
        instance.network = network(detail)
        instance.createdAt = Timestamp.date(detail.created)
        instance.updatedAt = [detail.state.startedAt, detail.state.finishedAt, detail.created]
            .compactMap { $0.flatMap { Timestamp.date($0) } }.max()
        instance.metadata = metadata(detail)
        images.complete(&instance, detail)
        return handedOut.same(as: instance)
    }

    func network(_ detail: ContainerDetail) -> NetworkState {
        var network = NetworkState()
        network.internalIp = detail.internalAddress
        network.ports = detail.ports.map {
            PortMapping(
                internal: $0.inside.port, external: $0.outside,
                protocol: $0.inside.kind == "tcp" ? nil : $0.inside.kind)
        }
        guard let editor = detail.editorPort,
            let port = detail.ports.first(where: { $0.inside == PortKey(editor) }),
            let outside = port.outside
        else { return network }
        network.port = outside
        network.externalIp = port.host(settings)
        network.urls = ["http://\(settings.urlHost ?? port.host(settings)):\(outside)/"]
        return network
    }

    private func metadata(_ detail: ContainerDetail) -> [String: String] {
        var metadata = [
            "container": detail.plainName, "state": detail.state.status,
            "networks": (detail.networkSettings?.networks ?? [:]).keys.sorted()
                .joined(separator: " "),
        ]
        if let health = detail.state.health?.status { metadata["health"] = health }
        if let count = detail.restartCount, count > 0 { metadata["restarts"] = String(count) }
        if let error = detail.state.error, !error.isEmpty { metadata["error"] = error }
        return metadata
    }
}

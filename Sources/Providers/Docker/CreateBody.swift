import PalEditors
import PalModel
import PalProvider

/// The body of `POST /containers/create`, from a request and what was chosen for it. Pure.
struct CreateBody: Sendable {
    var request: CreateRequest
    var settings: DockerSettings
    var ports: [PortAssignment]
    /// The secrets that the spec wants as variables.
    var secretVariables: [String: String] = [:]
    var isForPodman = false

    private var config: InstanceConfig { request.config }
    private var profile: EditorProfile { EditorProfile(for: request.config) }
    private var specifics: Specifics { Specifics(request.config) }

    /// The image that is used: the editor's usual one where a spec names none.
    static func image(_ config: InstanceConfig) -> String {
        EditorProfile.image(for: config)
    }

    /// Whether the home is a volume.
    static func isPersistent(_ config: InstanceConfig) -> Bool {
        config.resources.storagePersistent ?? true
    }

    /// The network that is joined: the swarm's own, unless the spec names another.
    static func network(_ config: InstanceConfig, swarm: String) -> String {
        let specifics = Specifics(config)
        if specifics.hasHostNetwork { return "host" }
        return specifics.network ?? DockerName.network(swarm: swarm)
    }

    /// How it is in the network that it is made in.
    static func end(_ config: InstanceConfig, swarm: String) -> NetworkEnd {
        let specifics = Specifics(config)
        let hasOtherName = specifics.containerConfig["Hostname"] != nil || specifics.hasHostName
        let name = hasOtherName ? [config.name] : []
        return NetworkEnd(
            name: network(config, swarm: swarm), aliases: name + specifics.texts("aliases"),
            address: specifics.ipAddress)
    }

    /// How it is in the further networks, where the instance's name is one of those it has.
    static func furtherEnds(_ config: InstanceConfig, isForPodman: Bool) -> [NetworkEnd] {
        Specifics(config).networks.map { end in
            var end = end
            // Podman's own network, which knows no names either, is not called after its driver.
            if isForPodman, ["bridge", "podman"].contains(end.name) {
                return NetworkEnd(name: "podman", aliases: [], address: end.address)
            }
            if end.isUserDefined { end.aliases.insert(config.name, at: 0) }
            return end
        }
    }

    /// Cores in the Engine's unit.
    static func nano(_ cores: Double) -> Int { Int((cores * 1e9).rounded()) }

    /// Cores from the Engine's unit: as a spec wrote them, for up to nine decimals.
    static func cores(nano: Int) -> Double { Double(nano) / 1e9 }

    /// The whole body.
    var value: Value {
        var body: [String: Value] = [
            "Image": .string(Self.image(config)),
            "Env": .strings(environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }),
            "Labels": .texts(labels),
            "ExposedPorts": .map(
                Dictionary(
                    ports.map { ($0.inside.text, Value.map([:])) }, uniquingKeysWith: { a, _ in a })
            ),
            "HostConfig": hostConfig,
        ]
        if let entrypoint = specifics.entrypoint ?? EditorLock.entrypoint(for: config) {
            body["Entrypoint"] = .strings(entrypoint)
        }
        // With the host's name it has none of its own.
        if !specifics.hasHostName { body["Hostname"] = .string(config.name) }
        if let command { body["Cmd"] = .strings(command) }
        if let check = healthCheck { body["Healthcheck"] = check }
        if let networking { body["NetworkingConfig"] = networking }
        return .map(body.merging(specifics.containerConfig) { _, own in own })
    }

    /// The user's variables. An editor that listens on another port than its own is told so:
    /// code-server, and most else, reads `PORT`.
    private var environment: [String: String] {
        var environment = EditorLock.environment(for: config, id: request.ownership.id)
        environment.merge(config.env ?? [:]) { _, own in own }
        environment.merge(secretVariables) { _, secret in secret }
        if let port = config.network.port, environment["PORT"] == nil {
            environment["PORT"] = String(port)
        }
        return environment
    }

    /// Some editors take their port as an argument only.
    private var command: [String]? {
        if let command = config.command { return command }
        guard let argument = profile.portArgument, let port = config.network.port,
            EditorLock.entrypoint(for: config) == nil
        else { return nil }
        return [argument, String(port)]
    }

    /// The user's labels, and pal's over them.
    private var labels: [String: String] {
        var labels = config.labels ?? [:]
        labels.merge(request.ownership.labels) { _, pal in pal }
        labels[DockerLabel.editorPort] = profile.port.map { String($0) }
        labels[DockerLabel.probePath] = profile.readinessPath
        labels[DockerLabel.lock] = EditorLock(for: config)?.rawValue
        labels[DockerLabel.folder] = folder
        labels[DockerLabel.extensions] = ExtensionList.label(config)
        let networks = Self.furtherEnds(config, isForPodman: isForPodman).map(\.name)
        labels[DockerLabel.memorySwap] = specifics.memorySwap.map { String($0) }
        labels[DockerLabel.networks] = networks.isEmpty ? nil : networks.joined(separator: " ")
        labels[DockerLabel.marker] = Furnishing.isNeeded(config) ? DockerProvider.marker : nil
        return labels
    }

    /// The folder that the editor is opened with: where the workspace is, else the home.
    private var folder: String? {
        guard (config.editor ?? .codeServer) != .custom else { return nil }
        return config.workspacePath == nil ? profile.home : profile.projectFolder
    }

    /// In a network of its own the host name is a name that others find it by. With another one
    /// than the instance's, others find it by both.
    private var networking: Value? {
        let end = Self.end(config, swarm: settings.swarm)
        guard end.isUserDefined, let value = end.engineValue else { return nil }
        return .map(["EndpointsConfig": .map([end.name: value])])
    }

    private var hostConfig: Value {
        var host: [String: Value] = [
            "RestartPolicy": specifics.restartPolicy,
            "NetworkMode": .string(Self.network(config, swarm: settings.swarm)),
            "PortBindings": portBindings,
            "Mounts": .list(mounts),
        ]
        host.merge(specifics.hostConfig) { _, own in own }
        host.merge(Self.limits(config.resources, swap: specifics.memorySwap)) { _, limit in limit }
        return .map(host)
    }

    /// The limits that are set, in the Engine's units. The limit of memory and swap together is
    /// that of memory: without it the Engine would allow as much swap again.
    ///
    /// - Parameter swap: Memory and swap together in bytes, where something else is said.
    static func limits(_ resources: ResourceLimits, swap: Int? = nil) -> [String: Value] {
        var limits: [String: Value] = [:]
        if let cores = resources.cpuCores { limits["NanoCpus"] = .int(nano(cores)) }
        if let size = resources.memoryMin { limits["MemoryReservation"] = .int(size << 20) }
        if let size = resources.memoryMax {
            limits["Memory"] = .int(size << 20)
            limits["MemorySwap"] = .int(swap ?? size << 20)
        }
        return limits
    }

    /// Says the cores as a share of time: Podman 5.4 takes no notice of the other way in a change.
    static func useQuota(_ limits: inout [String: Value]) {
        guard case .int(let nano)? = limits.removeValue(forKey: "NanoCpus") else { return }
        let period = 100_000
        limits["CpuPeriod"] = .int(period)
        limits["CpuQuota"] = .int(nano / (1_000_000_000 / period))
    }

    /// Netavark, Podman's network, takes 0.0.0.0 for an address like others, which nothing is sent
    /// to; where none is said it publishes on all.
    private func publishAddress(_ port: PortAssignment) -> String {
        let address = port.address ?? settings.publishAddress
        return isForPodman && address == "0.0.0.0" ? "" : address
    }

    private var portBindings: Value {
        .map(
            Dictionary(
                ports.map { port in
                    let binding = Value.texts([
                        "HostIp": publishAddress(port), "HostPort": String(port.outside),
                    ])
                    return (port.inside.text, Value.list([binding]))
                }, uniquingKeysWith: { first, _ in first }))
    }

    /// A missing directory is never made, because a mount of type bind refuses it.
    private var mounts: [Value] {
        var mounts: [Value] = []
        if Self.isPersistent(config) {
            mounts.append(
                .map([
                    "Type": .string("volume"), "Target": .string(profile.home),
                    "Source": .string(
                        DockerName.volume(swarm: settings.swarm, name: request.ownership.name)),
                    // It stands by now; where somebody removed it since, it is made anew as pal's.
                    "VolumeOptions": .map(["Labels": .texts(request.ownership.labels)]),
                ]))
        }
        if let path = config.workspacePath {
            mounts.append(
                .texts(["Type": "bind", "Source": path, "Target": profile.projectFolder]))
        }
        return mounts + specifics.mounts.map(\.value)
    }

    /// The Engine's own check, where the spec sets anything of `health`.
    private var healthCheck: Value? {
        let (health, command) = (config.health, specifics.healthCommand)
        if command == HealthCommand.none { return .map(["Test": .strings(["NONE"])]) }
        guard health != HealthConfig() || command != nil || specifics.healthRetries != nil
        else { return nil }
        var check: [String: Value] = [
            "Interval": nanoseconds(health.interval, orSeconds: 30),
            "Timeout": nanoseconds(health.timeout, orSeconds: 5),
            "StartPeriod": nanoseconds(health.grace, orSeconds: 30),
            "Retries": .int(specifics.healthRetries ?? 3),
        ]
        if let command {
            check["Test"] = .strings(command.test)
        } else if let path = profile.readinessPath, let port = profile.port {
            let url = Self.shellQuoted("http://127.0.0.1:\(port)\(path)")
            check["Test"] = .strings(["CMD-SHELL", Self.checkScript(url)])
        }
        return .map(check)
    }

    private static func checkScript(_ url: String) -> String {
        "if command -v curl >/dev/null; then curl -fsS -o /dev/null \(url); "
            + "elif command -v wget >/dev/null; then wget -q -O /dev/null \(url); "
            + "else echo 'the image has neither curl nor wget; remove health from the spec'; "
            + "exit 1; fi"
    }

    private static func shellQuoted(_ text: String) -> String {
        "'"
            + text.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: "'\\''")
            + "'"
    }

    private func nanoseconds(_ span: TimeSpan?, orSeconds seconds: Int) -> Value {
        .int((span?.milliseconds ?? seconds * 1000) * 1_000_000)
    }
}

extension Value {
    static func strings(_ texts: [String]) -> Value { .list(texts.map { .string($0) }) }
    static func texts(_ texts: [String: String]) -> Value { .map(texts.mapValues { .string($0) }) }
}

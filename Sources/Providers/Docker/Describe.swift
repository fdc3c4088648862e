import PalModel
public import PalProvider

extension DockerProvider: DescribingProvider {
    /// Two calls for each container: itself, and its image, whose own settings are no settings of
    /// the container's.
    public func describeForeign() async throws(ProviderFailure) -> [ForeignInstance] {
        let answer = try await engine.send(
            EngineCall("GET", "/containers/json", query: [("all", "1")]))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the containers", changesSomething: false)
        }
        let ids = try answer.decoded(as: [ContainerSummary].self).filter {
            $0.labels?[DockerLabel.swarm] == nil
        }.map(\.id)
        let results = await bounded(ids, atOnce: Self.inspections) { id in
            await Result<ForeignInstance?, ProviderFailure>.catching { () throws(ProviderFailure) in
                try await describe(id)
            }
        }
        var found: [ForeignInstance] = []
        for result in results {
            if let one = try result.get() { found.append(one) }
        }
        return found.sorted { ($0.name, $0.providerInstanceId) < ($1.name, $1.providerInstanceId) }
    }

    private func describe(_ id: String) async throws(ProviderFailure) -> ForeignInstance? {
        guard let container = try await raw("/containers/\(id)/json") else { return nil }
        let image = container.text("Image").map { "/images/\($0.encodedPath)/json" }
        var usual: Value?
        if let image { usual = try await raw(image) }
        return ForeignContainer(
            container: container, image: usual ?? .null, isPodmans: engine.isPodman
        ).instance
    }

    private func raw(_ path: String) async throws(ProviderFailure) -> Value? {
        let answer = try await look(at: path)
        if answer.status == 404 { return nil }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "inspect \(path)", changesSomething: false)
        }
        return try answer.decoded(as: Value.self)
    }
}

/// A container of somebody else's as the Engine describes it, and its image. Pure.
struct ForeignContainer {
    let container: Value
    let image: Value
    /// Whether it stands at Podman, which gives something of its own to every container.
    let isPodmans: Bool
    private(set) var remarks: [String] = []

    init(container: Value, image: Value, isPodmans: Bool) {
        (self.container, self.image, self.isPodmans) = (container, image, isPodmans)
    }

    /// What a spec would say.
    var instance: ForeignInstance? {
        guard let id = container.text("Id"), let name = container.text("Name") else { return nil }
        var copy = self
        let config = copy.config()
        return ForeignInstance(
            providerInstanceId: id, name: name.hasPrefix("/") ? String(name.dropFirst()) : name,
            isRunning: container["State.Running"] == .bool(true), config: config,
            environment: environment, mounts: copy.mounts(), remarks: copy.remarks)
    }

    private mutating func config() -> InstanceConfig {
        var config = InstanceConfig(name: "")
        config.image = container.text("Config.Image")
        if let command = own("Cmd"), !command.isEmpty { config.command = command }
        var specific: [String: Value] = [:]
        if let entry = own("Entrypoint"), !entry.isEmpty {
            specific["entrypoint"] = .strings(entry)
        }
        if let user = container.text("Config.User"), user != image.text("Config.User") {
            specific["user"] = .string(user)
        }
        config.labels = labels
        readLimits(&config)
        config.network.ports = ports()
        readNetwork(&specific)
        readHost(&specific)
        remarkOnTheRest()
        config.specific = specific.isEmpty ? nil : specific
        return config
    }

    /// A list of the container's that is not just its image's.
    private func own(_ key: String) -> [String]? {
        let words = container.texts("Config.\(key)")
        return words == image.texts("Config.\(key)") ? nil : words
    }

    private var environment: [String: String] {
        let usual = Set(image.texts("Config.Env") ?? [])
        let pairs = (container.texts("Config.Env") ?? []).filter { !usual.contains($0) }.map {
            line -> (String, String) in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 }).filter { !isGiven($0, $1) }
    }

    /// Whether a variable is one that Podman gives to every container.
    private func isGiven(_ name: String, _ value: String) -> Bool {
        let given = [
            "container": "podman", "TERM": "xterm", "HOSTNAME": container.text("Config.Hostname"),
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        return isPodmans && given[name] == value
    }

    private var labels: [String: String]? {
        guard case .map(let all)? = container["Config"]?["Labels"] else { return nil }
        var usual: [String: Value] = [:]
        if case .map(let labels)? = image["Config"]?["Labels"] { usual = labels }
        let own = all.filter { key, value in
            usual[key] != value && !key.hasPrefix("com.docker.compose.")
                && !key.hasPrefix("desktop.docker.io/")
        }.compactMapValues { String($0) }
        return own.isEmpty ? nil : own
    }

    // MARK: Limits

    private mutating func readLimits(_ config: inout InstanceConfig) {
        if let nano = container.number("HostConfig.NanoCpus"), nano > 0 {
            config.resources.cpuCores = CreateBody.cores(nano: nano)
        } else if let quota = container.number("HostConfig.CpuQuota"), quota > 0 {
            let period = container.number("HostConfig.CpuPeriod") ?? 0
            config.resources.cpuCores = Double(quota) / Double(period > 0 ? period : 100_000)
        }
        config.resources.memoryMax = mebibytes("Memory")
        config.resources.memoryMin = mebibytes("MemoryReservation")
    }

    private mutating func mebibytes(_ key: String) -> Int? {
        guard let bytes = container.number("HostConfig.\(key)"), bytes > 0 else { return nil }
        guard bytes % (1 << 20) == 0 else {
            remarks.append("\(key) of \(bytes) bytes is no whole number of MiB: not carried over")
            return nil
        }
        return bytes >> 20
    }

    // MARK: Places

    private mutating func ports() -> [PortMapping]? {
        guard case .map(let bindings)? = container["HostConfig"]?["PortBindings"] else {
            return nil
        }
        var ports: [PortMapping] = []
        for (key, value) in bindings.sorted(by: { $0.key < $1.key }) {
            guard let inside = PortKey(key), case .list(let entries) = value,
                let first = entries.first
            else { continue }
            if entries.count > 1 { remarks.append("port \(key) is published more than once") }
            if let address = first.text("HostIp"), !["", "127.0.0.1"].contains(address) {
                remarks.append(
                    "port \(key) is published on \(address): pal publishes on 127.0.0.1, or on "
                        + "bindAddress of the provider in pal.yaml")
            } else if first.text("HostIp") ?? "" == "" {
                remarks.append(
                    "port \(key) is published on every address: after its first replacement on "
                        + "127.0.0.1 only, or on bindAddress of the provider in pal.yaml")
            }
            let outside = first.text("HostPort").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            ports.append(
                PortMapping(
                    internal: inside.port, external: outside,
                    protocol: inside.kind == "udp" ? "udp" : nil))
        }
        return ports.isEmpty ? nil : ports
    }

    private mutating func mounts() -> [ForeignMount] {
        guard case .list(let entries)? = container["Mounts"] else { return tmpfs }
        let mounts = entries.compactMap { entry -> ForeignMount? in
            guard let target = entry.text("Destination"), let kind = entry.text("Type"),
                ["bind", "volume"].contains(kind)
            else { return nil }
            return ForeignMount(
                kind: kind, source: entry.text(kind == "volume" ? "Name" : "Source"),
                target: target, isReadOnly: entry["RW"] == .bool(false))
        }
        return mounts + tmpfs
    }

    private var tmpfs: [ForeignMount] {
        guard case .map(let entries)? = container["HostConfig"]?["Tmpfs"] else { return [] }
        return entries.keys.sorted().map { ForeignMount(kind: "tmpfs", source: nil, target: $0) }
    }

    private mutating func readNetwork(_ specific: inout [String: Value]) {
        let mode = container.text("HostConfig.NetworkMode") ?? "default"
        if mode == "host" { specific["networkMode"] = .string("host") }
        if mode.hasPrefix("container:") || mode == "none" {
            remarks.append("network mode '\(mode)': not carried over")
            return
        }
        guard mode != "host" else { return }
        specific["network"] = .string(["default", "bridge"].contains(mode) ? "bridge" : mode)
        if case .map(let networks)? = container["NetworkSettings"]?["Networks"], networks.count > 1
        {
            remarks.append(
                "it is in the networks \(networks.keys.sorted().joined(separator: ", ")): only "
                    + "'\(mode)' is carried over")
        }
    }

    // MARK: The rest of what a spec has

    private mutating func readHost(_ specific: inout [String: Value]) {
        for (key, name) in [
            ("capAdd", "CapAdd"), ("capDrop", "CapDrop"), ("securityOpt", "SecurityOpt"),
            ("dns", "Dns"), ("extraHosts", "ExtraHosts"),
        ] {
            guard let words = container.texts("HostConfig.\(name)"), !words.isEmpty else {
                continue
            }
            let short = name.hasPrefix("Cap") ? words.map(Self.capability) : words
            specific[key] = .strings(short)
        }
        if container["HostConfig.Privileged"] == .bool(true) {
            specific["privileged"] = .bool(true)
        }
        if container["HostConfig.Init"] == .bool(true) { specific["init"] = .bool(true) }
        if let size = container.number("HostConfig.ShmSize"), size != 64 << 20, size >= 1 << 20 {
            specific["shmSize"] = .int(size >> 20)
        }
        if let policy = container.text("HostConfig.RestartPolicy.Name"),
            policy != "unless-stopped"
        {
            specific["restart"] = .string(policy.isEmpty ? "no" : policy)
        }
        if case .list(let devices)? = container["HostConfig"]?["Devices"], !devices.isEmpty {
            specific["devices"] = .strings(
                devices.compactMap { device in
                    guard let host = device.text("PathOnHost"),
                        let inside = device.text("PathInContainer")
                    else { return nil }
                    return "\(host):\(inside):\(device.text("CgroupPermissions") ?? "rwm")"
                })
        }
        if case .list(let limits)? = container["HostConfig"]?["Ulimits"], !limits.isEmpty {
            specific["ulimits"] = ulimits(limits)
        }
    }

    private mutating func ulimits(_ limits: [Value]) -> Value? {
        guard !isPodmans else {
            remarks.append(
                "ulimits: not carried over, because Podman does not tell the container's own from "
                    + "those that it gives to all; set specific.ulimits to what is meant")
            return nil
        }
        let pairs = limits.compactMap { limit -> (String, Value)? in
            guard let name = limit.text("Name"), let soft = limit["Soft"], let hard = limit["Hard"]
            else { return nil }
            return (name, .map(["soft": soft, "hard": hard]))
        }
        return .map(Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    private static func capability(_ name: String) -> String {
        name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
    }

    private mutating func remarkOnTheRest() {
        for (key, what) in [
            ("PidMode", "the host's or another's processes"), ("UTSMode", "another host name"),
            ("UsernsMode", "another user namespace"), ("IpcMode", "shared memory of others"),
        ] {
            let mode = container.text("HostConfig.\(key)") ?? ""
            guard !["", "private", "shareable"].contains(mode) else { continue }
            remarks.append("\(key) '\(mode)' (\(what)): not carried over")
        }
        if container["HostConfig.ReadonlyRootfs"] == .bool(true) {
            remarks.append("a root file system that is read-only: not carried over")
        }
        if container["HostConfig.AutoRemove"] == .bool(true) {
            remarks.append("it was started with --rm: the Engine deletes it when it stops")
        }
        if let directory = container.text("Config.WorkingDir"),
            directory != image.text("Config.WorkingDir") ?? ""
        {
            remarks.append("the working directory '\(directory)': set it in the image")
        }
        if let check = container["Config"]?["Healthcheck"], check != .null,
            check != image["Config"]?["Healthcheck"]
        {
            remarks.append("its health check: not carried over; health.path has pal ask")
        }
    }
}

extension Value {
    fileprivate func text(_ path: String) -> String? { self[path].flatMap { String($0) } }
    fileprivate func number(_ path: String) -> Int? { self[path].flatMap { Int($0) } }
    /// A list of texts; nil where there is none.
    fileprivate func texts(_ path: String) -> [String]? { self[path].flatMap { [String]($0) } }
}

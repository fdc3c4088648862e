import PalModel
import PalProvider

/// A container of somebody else's as the Engine describes it, and its image. Pure.
struct ForeignContainer {
    let container: Value
    let image: Value
    /// What its Engine gives to every container.
    let defaults: EngineDefaults
    /// What a spec for this provider may say of its host.
    let policy: HostPolicy
    /// Its Engine's networks by their ids.
    let networkNames: [String: String]
    var remarks: [String] = []
    /// Paths of what is carried over where that depends on what stands there.
    var carried: Set<String> = []

    init(
        container: Value, image: Value, defaults: EngineDefaults, policy: HostPolicy,
        networkNames: [String: String]
    ) {
        (self.container, self.image, self.defaults) = (container, image, defaults)
        (self.policy, self.networkNames) = (policy, networkNames)
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
        config.labels = labels
        readLimits(&config, &specific)
        readPorts(&config, &specific)
        readNetwork(&specific)
        readHealth(&config, &specific)
        readConfig(&specific)
        readHost(&specific)
        remarkOnTheRest()
        config.specific = specific.isEmpty ? nil : specific
        return config
    }

    /// A list of the container's that is not just its image's.
    func own(_ key: String) -> [String]? {
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
        return defaults.isPodman && given[name] == value
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
}

extension Value {
    func text(_ path: String) -> String? { self[path].flatMap { String($0) } }
    func number(_ path: String) -> Int? { self[path].flatMap { Int($0) } }
    /// A list of texts; nil where there is none.
    func texts(_ path: String) -> [String]? { self[path].flatMap { [String]($0) } }
}

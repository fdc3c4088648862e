import PalModel
import PalProvider

/// What a spec's `specific` may say to Docker; `SpecificsTable` says what each key takes.
struct Specifics: Sendable, Hashable {
    /// Another path for the editor's home, where persistent storage is mounted.
    var home: String?
    /// Another folder for `workspacePath`.
    var projectFolder: String?
    /// An existing network to join instead of the swarm's own.
    var network: String?
    /// When the image is pulled.
    var pull: PullPolicy
    /// Whether an instance is replaced when its image's tag moves.
    var followTag: Bool
    /// Further mounts, in the order of the spec.
    var mounts: [ExtraMount]
    /// The entry point instead of the image's.
    var entrypoint: [String]?
    /// Where its logs go, instead of where the Engine sends those of all.
    var logDriver: String?
    /// What the driver of its logs is told.
    var logOptions: [String: String]
    /// The platform of the image, such as `linux/amd64`.
    var platform: String?
    /// Whether it has the host's network in the place of one of its own.
    var hasHostNetwork: Bool
    /// The driver of the home's volume; the Engine's own where nil.
    var volumeDriver: String?
    /// What that driver is told.
    var volumeOptions: [String: String]

    private let values: [String: Value]

    /// Reads what is good; `problems` says what is not.
    init(_ config: InstanceConfig) {
        let values = config.specific ?? [:]
        let text: (String) -> String? = { key in values[key].flatMap { String($0) } }
        self.values = values
        home = text("home")
        projectFolder = text("projectFolder")
        network = text("network")
        pull = text(ImageKeys.pull).flatMap { PullPolicy(rawValue: $0) } ?? .missing
        followTag = config.specific?[ImageKeys.followTag] == .bool(true)
        mounts = (values["mounts"].flatMap { [Value]($0) } ?? []).compactMap(ExtraMount.init(_:))
        entrypoint = values["entrypoint"].flatMap { [String]($0) }
        logDriver = values["logging"]?["driver"].flatMap { String($0) }
        logOptions = values["logging"]?["options"].flatMap { [String: String]($0) } ?? [:]
        platform = text("platform")
        hasHostNetwork = text("networkMode") == "host" || network == "host"
        volumeDriver = text("volumeDriver")
        volumeOptions = values["volumeOptions"].flatMap { [String: String]($0) } ?? [:]
    }

    /// The texts of a key that holds a list of them.
    func texts(_ key: String) -> [String] { values[key].flatMap { [String]($0) } ?? [] }

    /// Whether a key that is true or false is true.
    func isSet(_ key: String) -> Bool { values[key].flatMap { Bool($0) } ?? false }

    /// What the volume's driver is told. One that the spec names is told the size, in GiB; the
    /// Engine's own has no such option, but on some file systems.
    func driverOptions(size: Int?) -> [String: String] {
        guard let volumeDriver, volumeDriver != "local", let size else { return volumeOptions }
        return ["size": "\(size)G"].merging(volumeOptions) { _, own in own }
    }

    /// What the Engine is told beside `HostConfig`, in its units and words.
    var containerConfig: [String: Value] {
        var config: [String: Value] = [:]
        for (key, name) in EngineWords.texts + [("hostname", "Hostname")] {
            config[name] = values[key].flatMap { String($0) }.map { .string($0) }
        }
        if isSet("tty") { config["Tty"] = .bool(true) }
        if isSet("stdinOpen") { config["OpenStdin"] = .bool(true) }
        if let span = values["stopTimeout"].flatMap({ TimeSpan($0) }) {
            config["StopTimeout"] = .int((span.milliseconds + 999) / 1000)
        }
        return config
    }

    /// What the Engine runs to see how it is; nil where that is pal's choice.
    var healthCommand: HealthCommand? { values["healthCheck"].flatMap(HealthCommand.init(_:)) }
    /// How many failures of that make it unhealthy.
    var healthRetries: Int? { values["healthCheck"]?["retries"].flatMap { Int($0) } }

    /// The keys by which it shares what is the host's alone.
    var hostNamespaces: [String] {
        ["pidMode", "ipcMode", "utsMode", "usernsMode"].filter { values[$0] == .string("host") }
    }

    /// An address of its own in the network that it is made in.
    var ipAddress: String? { values["ipAddress"].flatMap { String($0) } }

    /// Whether it has the host's name in the place of one of its own.
    var hasHostName: Bool { values["utsMode"] == .string("host") }

    /// Further networks.
    var networks: [NetworkEnd] {
        (values["networks"].flatMap { [Value]($0) } ?? []).compactMap(NetworkEnd.init(_:))
    }

    /// Whether it asks for an address that no other can have.
    var hasOwnAddress: Bool { ipAddress != nil || networks.contains { $0.address != nil } }

    /// Where single ports are published, as it is said: a port may stand there twice.
    var saidPortAddresses: [(port: PortKey, address: String)] {
        let said = values["portAddresses"].flatMap { [String: String]($0) } ?? [:]
        return said.sorted { $0.key < $1.key }.compactMap { key, address in
            PortKey(key).map { ($0, address) }
        }
    }

    /// Where single ports are published, by the port inside.
    var portAddresses: [PortKey: String] {
        Dictionary(
            saidPortAddresses.map { ($0.port, $0.address) }, uniquingKeysWith: { first, _ in first }
        )
    }

    /// Memory and swap together, in bytes; -1 for without a limit.
    var memorySwap: Int? {
        values["memorySwap"].flatMap { Int($0) }.map { $0 < 0 ? -1 : $0 << 20 }
    }

    /// What `HostConfig` says of them, in the Engine's units and words.
    var hostConfig: [String: Value] {
        var host: [String: Value] = [:]
        for (key, name) in EngineWords.flags {
            host[name] = values[key].flatMap { Bool($0) }.map { .bool($0) }
        }
        for (key, name) in EngineWords.hostTexts {
            host[name] = values[key].flatMap { String($0) }.map { .string($0) }
        }
        for (key, name) in EngineWords.numbers + [("pidsLimit", "PidsLimit")] {
            host[name] = values[key]
        }
        host["Runtime"] = values["runtime"].flatMap { String($0) }.map { .string($0) }
        if let sysctls = values["sysctls"].flatMap({ [String: String]($0) }) {
            host["Sysctls"] = .texts(sysctls)
        }
        if values["logging"] != nil {
            host["LogConfig"] = .map([
                "Type": .string(logDriver ?? ""), "Config": .texts(logOptions),
            ])
        }
        if let gpus = values["gpus"].flatMap(GPURequest.init(_:)) {
            host["DeviceRequests"] = .list([gpus.engineValue])
        }
        if let size = values["shmSize"].flatMap({ Int($0) }) { host["ShmSize"] = .int(size << 20) }
        for (key, name) in EngineWords.lists where values[key] != nil {
            host[name] = .strings(texts(key))
        }
        if values["devices"] != nil { host["Devices"] = .list(texts("devices").map(Self.device)) }
        if case .map(let limits)? = values["ulimits"] {
            host["Ulimits"] = .list(
                limits.sorted { $0.key < $1.key }.map { Self.ulimit($0.key, $0.value) })
        }
        return host
    }

    /// `/dev/kvm`, `/dev/a:/dev/b`, `/dev/a:/dev/b:rw`.
    private static func device(_ text: String) -> Value {
        let parts = text.split(separator: ":").map(String.init)
        return .texts([
            "PathOnHost": parts[0], "PathInContainer": parts.count > 1 ? parts[1] : parts[0],
            "CgroupPermissions": parts.count > 2 ? parts[2] : "rwm",
        ])
    }

    /// A number is both limits.
    private static func ulimit(_ name: String, _ value: Value) -> Value {
        let both = Int(value)
        return .map([
            "Name": .string(name),
            "Soft": .int(both ?? value["soft"].flatMap { Int($0) } ?? 0),
            "Hard": .int(both ?? value["hard"].flatMap { Int($0) } ?? 0),
        ])
    }

    /// The restart policy: instances come back after a reboot without pal, and stay down when they
    /// were stopped, unless the spec says otherwise.
    var restartPolicy: Value {
        let said = values["restart"].flatMap { String($0) }.flatMap(RestartPolicy.init(_:))
        return (said ?? RestartPolicy(name: "unless-stopped")).engineValue
    }
}

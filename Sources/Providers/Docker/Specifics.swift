import PalModel
import PalProvider

/// What a spec's `specific` may say to Docker; `SpecificsTable` says what each key takes.
struct Specifics: Sendable, Hashable {
    /// Another path for the editor's home, where persistent storage is mounted.
    var home: String?
    /// Another folder for `workspacePath`.
    var projectFolder: String?
    /// The user inside, as `docker run --user` takes it.
    var user: String?
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
        user = text("user")
        network = text("network")
        pull = text(ImageKeys.pull).flatMap { PullPolicy(rawValue: $0) } ?? .missing
        followTag = config.specific?[ImageKeys.followTag] == .bool(true)
        mounts = (values["mounts"].flatMap { [Value]($0) } ?? []).compactMap(ExtraMount.init(_:))
        entrypoint = values["entrypoint"].flatMap { [String]($0) }
        platform = text("platform")
        hasHostNetwork = text("networkMode") == "host" || network == "host"
        volumeDriver = text("volumeDriver")
        volumeOptions = values["volumeOptions"].flatMap { [String: String]($0) } ?? [:]
    }

    /// The texts of a key that holds a list of them.
    func texts(_ key: String) -> [String] { values[key].flatMap { [String]($0) } ?? [] }

    /// Whether a key that is true or false is true.
    func isSet(_ key: String) -> Bool { values[key].flatMap { Bool($0) } ?? false }

    /// What `HostConfig` says of them, in the Engine's units and words.
    var hostConfig: [String: Value] {
        var host: [String: Value] = [:]
        if isSet("privileged") { host["Privileged"] = .bool(true) }
        if let flag = values["init"].flatMap({ Bool($0) }) { host["Init"] = .bool(flag) }
        if let size = values["shmSize"].flatMap({ Int($0) }) { host["ShmSize"] = .int(size << 20) }
        for (key, name) in Self.lists where values[key] != nil {
            host[name] = .strings(texts(key))
        }
        if values["devices"] != nil { host["Devices"] = .list(texts("devices").map(Self.device)) }
        if case .map(let limits)? = values["ulimits"] {
            host["Ulimits"] = .list(
                limits.sorted { $0.key < $1.key }.map { Self.ulimit($0.key, $0.value) })
        }
        return host
    }

    private static let lists = [
        ("capAdd", "CapAdd"), ("capDrop", "CapDrop"), ("dns", "Dns"),
        ("extraHosts", "ExtraHosts"), ("securityOpt", "SecurityOpt"),
    ]

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
        .map(["Name": values["restart"] ?? .string("unless-stopped")])
    }
}

/// A mount that a spec adds.
struct ExtraMount: Sendable, Hashable {
    enum Kind: String, Sendable { case bind, volume, tmpfs }

    var kind: Kind
    /// A path on the Engine's host, or a volume's name; nil for memory and for a nameless volume.
    var source: String?
    var target: String
    var isReadOnly: Bool
    /// The size of memory in MiB.
    var size: Int?

    init?(_ value: Value) {
        guard let kind = value["type"].flatMap({ String($0) }).flatMap(Kind.init(rawValue:)),
            let target = value["target"].flatMap({ String($0) })
        else { return nil }
        self.kind = kind
        self.target = target
        source = value["source"].flatMap { String($0) }
        isReadOnly = value["readOnly"].flatMap { Bool($0) } ?? false
        size = value["size"].flatMap { Int($0) }
    }

    /// As the Engine takes it.
    var value: Value {
        var entry: [String: Value] = [
            "Type": .string(kind.rawValue), "Target": .string(target),
            "ReadOnly": .bool(isReadOnly),
        ]
        if let source { entry["Source"] = .string(source) }
        if let size { entry["TmpfsOptions"] = .map(["SizeBytes": .int(size << 20)]) }
        return .map(entry)
    }
}

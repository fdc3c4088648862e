internal import FoundationEssentials
import PalEditors
import PalModel
import PalProvider

/// The body of a machine's creation, from a request and what was chosen for it. Pure.
struct MachineBody: Sendable {
    var request: CreateRequest
    var settings: FlySettings
    var ports: [FlyPort]
    var home: Home
    var furnishing: Furnishing

    private var config: InstanceConfig { request.config }
    private var profile: EditorProfile { EditorProfile(for: request.config) }
    private var specifics: FlySpecifics { FlySpecifics(request.config) }

    /// GiB of a home whose spec says nothing.
    static let usualStorage = 10

    /// Whether the home is a volume.
    static func isPersistent(_ config: InstanceConfig) -> Bool {
        config.resources.storagePersistent ?? true
    }

    /// The machine's size. Fly.io's own smallest has too little memory for an editor.
    static func guest(_ config: InstanceConfig) -> Value {
        let kind = FlySpecifics(config).cpuKind
        let cores = config.resources.cpuCores.map { Int($0) } ?? 1
        return .map([
            "cpu_kind": .string(kind.rawValue), "cpus": .int(cores),
            "memory_mb": .int(config.resources.memoryMax ?? usualMemory(config, kind, cores)),
        ])
    }

    private static func usualMemory(
        _ config: InstanceConfig, _ kind: FlySpecifics.CPUKind, _ cores: Int
    ) -> Int {
        let least = (config.editor ?? .codeServer) == .custom ? 256 : 1024
        return max(least, cores * (kind == .shared ? 256 : 2048))
    }

    /// The whole body.
    var value: Value {
        let owner = request.ownership
        var body: [String: Value] = [
            "name": .string(FlyName.machine(swarm: settings.swarm, name: owner.name)),
            "region": .string(home.region),
            "config": machine,
        ]
        if !request.starts { body["skip_launch"] = .bool(true) }
        return .map(body)
    }

    private var machine: Value {
        var machine: [String: Value] = [
            "image": .string(EditorProfile.image(for: config)), "guest": Self.guest(config),
            "env": .map(environment.mapValues { .string($0) }),
            "metadata": .map(metadata.mapValues { .string($0) }),
            "restart": .map(["policy": .string(specifics.restart)]),
            "services": .list(services), "auto_destroy": .bool(false),
            "stop_config": .map(["signal": .string("SIGTERM"), "timeout": .string("10s")]),
        ]
        if !start.isEmpty { machine["init"] = .map(start) }
        if let checks { machine["checks"] = checks }
        if let volume = home.volume {
            machine["mounts"] = .list([
                .map(["volume": .string(volume), "path": .string(profile.home)])
            ])
        }
        if !furnishing.files.isEmpty { machine["files"] = .list(furnishing.files.map(Self.file)) }
        return .map(machine)
    }

    /// What the machine runs instead of what its image says.
    private var start: [String: Value] {
        var start: [String: Value] = [:]
        if let entrypoint = specifics.entrypoint ?? EditorLock.entrypoint(for: config) {
            start["entrypoint"] = .list(entrypoint.map { .string($0) })
        }
        if let command = config.command { start["cmd"] = .list(command.map { .string($0) }) }
        if let swap = specifics.swap { start["swap_size_mb"] = .int(swap) }
        return start
    }

    /// The variables that are pal's own or hold secrets: none of them is part of what a spec says.
    private var ownVariables: [String: String] {
        var own = EditorLock.environment(for: config, id: request.ownership.id)
        own.merge(furnishing.variables) { _, secret in secret }
        if let port = config.network.port { own["PORT"] = String(port) }
        return own.filter { config.env?[$0.key] == nil || furnishing.variables[$0.key] != nil }
    }

    /// Variables that pal sets itself where a spec does not, or that decide what opens the editor.
    static let reservedVariables = EditorLock.variables + ["PORT"]

    private var environment: [String: String] {
        (config.env ?? [:]).merging(ownVariables) { _, own in own }
    }

    private var metadata: [String: String] {
        var metadata = config.labels ?? [:]
        metadata.merge(FlyMark.metadata(request.ownership)) { _, pal in pal }
        metadata[FlyMark.provider] = settings.name
        metadata[FlyMark.editorPort] = profile.port.map { String($0) }
        metadata[FlyMark.lock] = EditorLock(for: config)?.rawValue
        metadata[FlyMark.folder] = (config.editor ?? .codeServer) == .custom ? nil : profile.home
        if home.volume != nil {
            metadata[FlyMark.storage] = String(config.resources.storageSize ?? Self.usualStorage)
            metadata[FlyMark.homeOwner] = specifics.homeOwner
        }
        metadata[FlyMark.starts] = request.starts ? "yes" : nil
        metadata[FlyMark.stopMode] = specifics.stopMode.rawValue
        metadata[FlyMark.ownVariables] = ownVariables.keys.sorted().joined(separator: ",")
        return metadata
    }

    /// One service for each port. It is Fly.io's proxy that speaks TLS. pal alone starts and stops
    /// machines: an editor that is stopped for want of traffic loses what runs in its terminals.
    private var services: [Value] {
        ports.map { port in
            var handlers: [Value] = []
            if !port.isUDP, !specifics.rawPorts.contains(port.inside) {
                handlers = [.string("tls"), .string("http")]
            }
            return .map([
                "protocol": .string(port.isUDP ? "udp" : "tcp"),
                "internal_port": .int(port.inside),
                "autostart": .bool(false), "autostop": .string("off"),
                "ports": .list([
                    .map(["port": .int(port.outside), "handlers": .list(handlers)])
                ]),
            ])
        }
    }

    /// The check that readiness follows; nil where a machine that runs is ready.
    private var checks: Value? {
        guard let path = profile.readinessPath, let port = profile.port else { return nil }
        let health = config.health
        return .map([
            "editor": .map([
                "type": .string("http"), "port": .int(port), "method": .string("GET"),
                "path": .string(path), "interval": Self.span(health.interval, orSeconds: 15),
                "timeout": Self.span(health.timeout, orSeconds: 5),
                "grace_period": Self.span(health.grace, orSeconds: 5),
            ])
        ])
    }

    private static func span(_ span: TimeSpan?, orSeconds seconds: Int) -> Value {
        .string("\(span?.milliseconds ?? seconds * 1000)ms")
    }

    private static func file(_ file: PlacedFile) -> Value {
        .map([
            "guest_path": .string(file.path), "mode": .int(file.mode),
            "raw_value": .string(Data(file.content.bytes).base64EncodedString()),
        ])
    }
}

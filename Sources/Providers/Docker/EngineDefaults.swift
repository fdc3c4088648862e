import PalModel

/// What an Engine gives to a container of which nobody said anything. Pure.
struct EngineDefaults: Sendable {
    let isPodman: Bool
    /// What stands at a path of a container's description, by that path; several where it depends.
    private let usual: [String: [Value]]

    /// - Parameter info: What the Engine says of itself.
    init(_ info: Value, isPodman: Bool) {
        self.isPodman = isPodman
        func said(_ key: String, or other: String) -> Value {
            info[key].flatMap { String($0) }.flatMap { $0.isEmpty ? nil : .string($0) }
                ?? .string(other)
        }
        // Whose namespace of cgroups it has follows from their version.
        let hasOwnCgroups = info["CgroupVersion"] == .string("2")
        var usual: [String: [Value]] = [
            "HostConfig.CgroupnsMode": [.string(hasOwnCgroups ? "private" : "host")],
            "HostConfig.IpcMode": [.string("private")],
            "HostConfig.LogConfig.Type": [said("LoggingDriver", or: "json-file")],
            "HostConfig.Runtime": [said("DefaultRuntime", or: "runc")],
            "HostConfig.ShmSize": [.int(64 << 20)],
            "HostConfig.MemorySwappiness": [.int(-1)],
            "HostConfig.VolumeDriver": [.string("local")],
            "HostConfig.Isolation": [.string("default")],
        ]
        if isPodman {
            usual.merge(Self.podmans) { _, podmans in podmans }
        }
        self.usual = usual
    }

    /// Of Podman 4.3: it shows what it gave as if somebody had said it.
    private static let podmans: [String: [Value]] = [
        "Config.WorkingDir": [.string("/")],
        "Config.StopSignal": [.string("15"), .string("SIGTERM")],
        "HostConfig.Runtime": [.string("oci"), .string("crun"), .string("runc")],
        "HostConfig.LogConfig.Type": [
            .string("json-file"), .string("k8s-file"), .string("journald"),
        ],
        "HostConfig.PidMode": [.string("private")],
        "HostConfig.IpcMode": [.string("private"), .string("shareable")],
        "HostConfig.UTSMode": [.string("private")],
        "HostConfig.PidsLimit": [.int(2048)],
        "HostConfig.ShmSize": [.int(65_536_000), .int(64 << 20)],
        "HostConfig.CgroupnsMode": [.string("host"), .string("private")],
    ]

    /// Whether it gives memory at a place to every container whose root cannot be written.
    func givesMemory(at target: String, to container: Value) -> Bool {
        isPodman && container["HostConfig.ReadonlyRootfs"] == .bool(true)
            && ["/run", "/tmp", "/var/tmp"].contains(target)
    }

    /// Whether it gives that to every container.
    func gives(_ path: String, _ value: Value) -> Bool { usual[path]?.contains(value) ?? false }
}

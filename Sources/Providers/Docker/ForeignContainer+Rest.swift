import PalModel

/// What no spec says: everything that is set and is not read is named.
extension ForeignContainer {
    mutating func remarkOnTheRest() {
        if container["HostConfig.AutoRemove"] == .bool(true) {
            remarks.append("it was started with --rm: the Engine deletes it when it stops")
        }
        if container["HostConfig.MaskedPaths"] == .list([]),
            container["HostConfig.Privileged"] != .bool(true)
        {
            remarks.append("systempaths=unconfined: not carried over")
        }
        if own("Entrypoint") == nil, container.texts("Config.Entrypoint") == nil,
            image.texts("Config.Entrypoint")?.isEmpty == false
        {
            remarks.append("that its image's entry point is cleared: not carried over")
        }
        remarkOnMounts()
        if (image["Config"] ?? .null) == .null {
            remarks.append(
                "its image is gone, so that what it gave cannot be told from what was said: look "
                    + "through env, command, specific.entrypoint and labels")
        }
        // Podman writes its own things there.
        let own: Set<String> = defaults.isPodman ? ["Annotations"] : []
        remarkOnOthers(in: "HostConfig", than: Self.readOfHost.union(own))
        remarkOnOthers(in: "Config", than: Self.readOfConfig)
    }

    private mutating func remarkOnMounts() {
        let others: [String: [Value]] = [
            "VolumeOptions.DriverConfig": [.map(["Name": .string("local")])]
        ]
        guard case .list(let mounts)? = container["HostConfig"]?["Mounts"] else { return }
        for mount in mounts {
            let target = mount.text("Target") ?? ""
            for options in ["BindOptions", "VolumeOptions", "TmpfsOptions"] {
                guard case .map(let entries)? = mount[options] else { continue }
                for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                    let path = "\(options).\(key)"
                    if Self.readOfMounts.contains(path) || value.saysNothing
                        || others[path]?.contains(value) == true
                    {
                        continue
                    }
                    remarks.append("\(key) of the mount at \(target): not carried over")
                }
            }
        }
    }

    private mutating func remarkOnOthers(in part: String, than read: Set<String>) {
        guard case .map(let entries)? = container[part] else { return }
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) where !read.contains(key) {
            guard !value.saysNothing, !carried.contains("\(part).\(key)"),
                !defaults.gives("\(part).\(key)", value),
                value != image[part]?[key]
            else { continue }
            let what = Self.words[key].map { " (\($0))" } ?? ""
            remarks.append("\(key) \(value.brief)\(what): not carried over")
        }
    }

    private static let words = [
        "PidMode": "the host's or another's processes", "UTSMode": "another host name",
        "UsernsMode": "another user namespace", "IpcMode": "shared memory of others",
        "PublishAllPorts": "whatever its image exposes; name the ports in network.ports",
    ]

    private static let readOfMounts = [
        "TmpfsOptions.SizeBytes", "BindOptions.Propagation", "VolumeOptions.NoCopy",
    ]

    /// What is carried over, or has a remark of its own.
    private static let readOfHost: Set<String> = [
        "AutoRemove", "Binds", "CapAdd", "CapDrop", "CpuPeriod", "CpuQuota", "DeviceCgroupRules",
        "DeviceRequests", "Devices", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "GroupAdd",
        "Init", "LogConfig", "Memory",
        "MemoryReservation", "MemorySwap", "Mounts", "NanoCpus", "NetworkMode", "PidsLimit",
        "PortBindings", "Privileged", "ReadonlyRootfs", "RestartPolicy", "Runtime", "SecurityOpt",
        "ShmSize", "Sysctls", "Tmpfs", "Ulimits",
        // What these bring stands among the mounts, or is said above; or nothing comes of it: the
        // size of the terminal that it was started from, where its id was written to.
        "VolumesFrom", "MaskedPaths", "ReadonlyPaths", "ConsoleSize", "ContainerIDFile",
    ]

    private static let readOfConfig: Set<String> = [
        "Cmd", "Domainname", "Entrypoint", "Env", "Healthcheck", "Hostname", "Image", "Labels",
        "OpenStdin",
        "StopSignal", "StopTimeout", "Tty", "User", "WorkingDir",
        // Anonymous volumes stand among the mounts. The rest says how somebody started it, or what
        // a build is to do with its image.
        "Volumes", "ExposedPorts", "AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce",
        "ArgsEscaped", "OnBuild", "Shell", "CreateCommand",
    ]
}

extension Value {
    /// Whether it is what stands where nobody said anything.
    var saysNothing: Bool {
        switch self {
        case .null, .bool(false), .int(0), .string(""): true
        case .list(let items): items.isEmpty
        case .map(let entries): entries.values.allSatisfy(\.saysNothing)
        default: false
        }
    }

    /// Short enough for a sentence.
    fileprivate var brief: String {
        switch self {
        case .string(let text): "'\(text)'"
        case .int, .double, .bool: canonicalJSON
        default: "that it has"
        }
    }
}

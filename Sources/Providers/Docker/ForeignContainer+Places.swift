import PalModel
import PalProvider

/// What it may use, and where it is reached.
extension ForeignContainer {
    // MARK: Limits

    mutating func readLimits(_ config: inout InstanceConfig) {
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
        wholeMebibytes(container.number("HostConfig.\(key)"), key)
    }

    private mutating func wholeMebibytes(_ bytes: Int?, _ what: String) -> Int? {
        guard let bytes, bytes > 0 else { return nil }
        guard bytes % (1 << 20) == 0 else {
            remarks.append("\(what) of \(bytes) bytes is no whole number of MiB: not carried over")
            return nil
        }
        return bytes >> 20
    }

    // MARK: Places

    mutating func ports() -> [PortMapping]? {
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

    mutating func mounts() -> [ForeignMount] {
        guard case .list(let entries)? = container["Mounts"] else { return memory() }
        var mounts: [ForeignMount] = []
        for entry in entries {
            guard let target = entry.text("Destination"), let kind = entry.text("Type") else {
                continue
            }
            // Memory is read below: of its size nothing stands here.
            if kind == "tmpfs" { continue }
            guard ["bind", "volume"].contains(kind) else {
                remarks.append("a mount of type '\(kind)' at \(target): not carried over")
                continue
            }
            noteOptions(of: entry, at: target)
            mounts.append(
                ForeignMount(
                    kind: kind, source: entry.text(kind == "volume" ? "Name" : "Source"),
                    target: target, isReadOnly: entry["RW"] == .bool(false)))
        }
        return mounts + memory()
    }

    /// `Z` and `z` label for SELinux, and `rw` and `ro` are read elsewhere.
    private mutating func noteOptions(of entry: Value, at target: String) {
        let spread = entry.text("Propagation") ?? ""
        if entry.text("Mode")?.contains("nocopy") == true {
            remarks.append("'nocopy' of the mount at \(target): not carried over")
        }
        if !["", "private", "rprivate"].contains(spread) {
            remarks.append("'\(spread)' of the mount at \(target): not carried over")
        }
    }

    /// What `--tmpfs` and `--mount type=tmpfs` made.
    private mutating func memory() -> [ForeignMount] {
        var mounts: [ForeignMount] = []
        if case .map(let entries)? = container["HostConfig"]?["Tmpfs"] {
            for (target, options) in entries.sorted(by: { $0.key < $1.key }) {
                if defaults.givesMemory(at: target, to: container) { continue }
                mounts.append(memory(at: target, String(options) ?? ""))
            }
        }
        if case .list(let entries)? = container["HostConfig"]?["Mounts"] {
            for entry in entries where entry.text("Type") == "tmpfs" {
                guard let target = entry.text("Target") else { continue }
                mounts.append(
                    ForeignMount(
                        kind: "tmpfs", source: nil, target: target,
                        isReadOnly: entry["ReadOnly"] == .bool(true),
                        size: wholeMebibytes(
                            entry.number("TmpfsOptions.SizeBytes"), "the size of \(target)")))
            }
        }
        return mounts
    }

    private mutating func memory(at target: String, _ options: String) -> ForeignMount {
        var mount = ForeignMount(kind: "tmpfs", source: nil, target: target)
        // What the Engine gives anyway, and what Podman shows of its own.
        let usual = ["", "rw", "noexec", "nosuid", "nodev", "rprivate", "tmpcopyup", "mode=0"]
        for option in options.split(separator: ",").map(String.init) {
            if option == "ro" {
                mount.isReadOnly = true
            } else if option.hasPrefix("size="), let size = MemorySize.bytes(option.dropFirst(5)) {
                mount.size = wholeMebibytes(size, "the size of \(target)")
            } else if !usual.contains(option) {
                remarks.append("'\(option)' of the memory at \(target): not carried over")
            }
        }
        return mount
    }

    mutating func readNetwork(_ specific: inout [String: Value]) {
        let mode = container.text("HostConfig.NetworkMode") ?? "default"
        if mode == "host" { specific["networkMode"] = .string("host") }
        if mode.hasPrefix("container:") {
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
}

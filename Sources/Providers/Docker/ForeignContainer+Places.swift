import PalModel
import PalProvider

/// What it may use, and where it is reached.
extension ForeignContainer {
    // MARK: Limits

    mutating func readLimits(
        _ config: inout InstanceConfig, _ specific: inout [String: Value]
    ) {
        if let nano = container.number("HostConfig.NanoCpus"), nano > 0 {
            config.resources.cpuCores = CreateBody.cores(nano: nano)
        } else if let quota = container.number("HostConfig.CpuQuota"), quota > 0 {
            let period = container.number("HostConfig.CpuPeriod") ?? 0
            config.resources.cpuCores = Double(quota) / Double(period > 0 ? period : 100_000)
        }
        config.resources.memoryMax = mebibytes("Memory")
        config.resources.memoryMin = mebibytes("MemoryReservation")
        readSwap(&specific, isLimited: config.resources.memoryMax != nil)
    }

    /// The Engine allows as much swap again as memory where nothing is said; pal allows none unless
    /// its spec does.
    private mutating func readSwap(_ specific: inout [String: Value], isLimited: Bool) {
        let memory = container.number("HostConfig.Memory") ?? 0
        guard let both = container.number("HostConfig.MemorySwap"), both != 0,
            both != memory
        else { return }
        if isLimited, both == -1 {
            specific["memorySwap"] = .int(-1)
        } else if isLimited, both % (1 << 20) == 0 {
            specific["memorySwap"] = .int(both >> 20)
        } else {
            remarks.append("MemorySwap \(both): not carried over; with a limit there is no swap")
        }
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

    mutating func readPorts(_ config: inout InstanceConfig, _ specific: inout [String: Value]) {
        guard case .map(let bindings)? = container["HostConfig"]?["PortBindings"] else { return }
        var ports: [PortMapping] = []
        var addresses: [String: Value] = [:]
        for (key, value) in bindings.sorted(by: { $0.key < $1.key }) {
            guard let inside = PortKey(key), case .list(let entries) = value,
                let first = entries.first
            else { continue }
            guard ["tcp", "udp"].contains(inside.kind) else {
                remarks.append("port \(key): not carried over")
                continue
            }
            if entries.count > 1 { remarks.append("port \(key) is published more than once") }
            let address = first.text("HostIp").flatMap { $0.isEmpty ? nil : $0 } ?? "0.0.0.0"
            if address != policy.publishAddress {
                if DockerSettings.isIPv4(address), policy.allowsPublishing(at: address) {
                    addresses[inside.kind == "tcp" ? String(inside.port) : key] = .string(address)
                } else {
                    let place = address == "0.0.0.0" ? "every address" : address
                    remarks.append(
                        "port \(key) is published on \(place): after its first replacement on "
                            + "\(policy.publishAddress) only; specific.portAddresses says "
                            + "otherwise, where pal.yaml allows it")
                }
            }
            let outside = first.text("HostPort").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            ports.append(
                PortMapping(
                    internal: inside.port, external: outside,
                    protocol: inside.kind == "udp" ? "udp" : nil))
        }
        config.network.ports = ports.isEmpty ? nil : ports
        if !addresses.isEmpty { specific["portAddresses"] = .map(addresses) }
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
            var mount = ForeignMount(
                kind: kind, source: entry.text(kind == "volume" ? "Name" : "Source"),
                target: target, isReadOnly: entry["RW"] == .bool(false))
            // `Z` and `z` label for SELinux, and `rw` and `ro` are read above.
            mount.isWithoutCopy =
                kind == "volume"
                && (entry.text("Mode")?.contains("nocopy") == true || isMadeWithoutCopy(target))
            mount.propagation = entry.text("Propagation").flatMap {
                kind == "bind" && !["", "rprivate"].contains($0) ? $0 : nil
            }
            mounts.append(mount)
        }
        return mounts + memory()
    }

    private func isMadeWithoutCopy(_ target: String) -> Bool {
        guard case .list(let entries)? = container["HostConfig"]?["Mounts"] else { return false }
        return entries.contains {
            $0.text("Target") == target && $0["VolumeOptions.NoCopy"] == .bool(true)
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
        let mode = networkMode
        if mode == "host" { specific["networkMode"] = .string("host") }
        if mode.hasPrefix("container:") {
            remarks.append("network mode '\(mode)': not carried over")
            return
        }
        // What Podman without root has instead of networks.
        if defaults.isPodman, ["pasta", "slirp4netns"].contains(mode.prefix { $0 != ":" }) {
            remarks.append("network mode '\(mode)': not carried over, it joins the swarm's network")
            return
        }
        guard mode != "host" else { return }
        var ends = networkEnds()
        let isUsual = ["default", "bridge"].contains(mode)
        // Podman calls every network of that kind a bridge.
        let first =
            ends[mode] != nil || !isUsual
            ? mode : ["bridge", "podman"].first { ends[$0] != nil } ?? ends.keys.min() ?? mode
        let own = ends.removeValue(forKey: first)
        specific["network"] = .string(isUsual && first == "podman" ? "bridge" : first)
        if specific["network"] == .string("default") { specific["network"] = .string("bridge") }
        if let own, own.isUserDefined, first != "podman" {
            if !own.aliases.isEmpty { specific["aliases"] = .strings(own.aliases) }
            specific["ipAddress"] = own.address.map { .string($0) }
        }
        let further = ends.values.sorted { $0.name < $1.name }
        if !further.isEmpty { specific["networks"] = .list(further.map(\.value)) }
    }

    /// The network that it was made in.
    private var networkMode: String {
        container.text("HostConfig.NetworkMode").map(networkName) ?? "default"
    }

    /// A network's name, also where somebody gave its id, or the beginning of that.
    private func networkName(_ said: String) -> String {
        guard said.count >= 12, !networkNames.values.contains(said) else { return said }
        return networkNames.first { $0.key.hasPrefix(said) }?.value ?? said
    }

    /// How it is in its networks, by their names.
    private mutating func networkEnds() -> [String: NetworkEnd] {
        guard case .map(let networks)? = container["NetworkSettings"]?["Networks"] else {
            return [:]
        }
        let id = container.text("Id") ?? ""
        let given = [
            container.text("Name")?.dropFirst().description, container.text("Config.Hostname"),
        ]
        var ends: [String: NetworkEnd] = [:]
        for (said, end) in networks.sorted(by: { $0.key < $1.key }) {
            let network = networkName(said)
            let aliases = (end.texts("Aliases") ?? []).filter {
                !id.hasPrefix($0) && !given.contains($0)
            }
            let addresses = ["IPv4Address", "IPv6Address"].compactMap { version in
                end.text("IPAMConfig.\(version)").flatMap { $0.isEmpty ? nil : $0 }
            }
            for other in addresses.dropFirst() {
                remarks.append("its own address \(other) in '\(network)': not carried over")
            }
            for key in ["Links", "DriverOpts", "GwPriority"] {
                guard let value = end[key], !value.saysNothing else { continue }
                remarks.append("\(key) in network '\(network)': not carried over")
            }
            ends[network] = NetworkEnd(name: network, aliases: aliases, address: addresses.first)
        }
        return ends
    }
}

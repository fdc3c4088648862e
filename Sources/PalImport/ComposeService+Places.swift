import PalModel
import PalProvider
import PalSpecs

/// Ports, mounts and networks.
extension ComposeService {
    // MARK: Ports

    mutating func readPorts(_ pair: Node.Pair) {
        var ports: [PortMapping] = []
        for item in pair.value.sequence ?? [] {
            if item.mapping != nil {
                long(item).map { ports.append($0) }
            } else if let line = text(item) {
                ports += short(line, item)
            }
        }
        if !ports.isEmpty { config.network.ports = ports }
    }

    private mutating func long(_ item: Node) -> PortMapping? {
        guard let inside = item["target"].flatMap({ text($0) }).flatMap({ Int($0) }) else {
            remark(item, "a port without a target; not carried over")
            return nil
        }
        let published = item["published"].flatMap { text($0) }
        let outside = published.flatMap { Int($0) }
        if let published, outside == nil, !published.isEmpty {
            remark(item, "of the ports '\(published)' pal chooses none; it takes any free one")
        }
        remarkOnOthers(
            than: ["target", "published", "protocol", "host_ip"], in: item, "ports")
        let port = mapping(inside, outside, item["protocol"].flatMap { text($0) }, item)
        if port != nil { noteAddress(item["host_ip"].flatMap { text($0) }, item) }
        return port
    }

    /// `[ADDRESS:][OUTSIDE:]INSIDE[/PROTOCOL]`, each of the two perhaps a range.
    private mutating func short(_ line: String, _ item: Node) -> [PortMapping] {
        let halves = line.split(separator: "/", maxSplits: 1).map(String.init)
        var parts = (halves.first ?? "").split(
            separator: ":", omittingEmptySubsequences: false
        ).map(String.init)
        let inside = parts.popLast().flatMap(Self.range)
        let outsideText = parts.popLast() ?? ""
        let outside = outsideText.isEmpty ? nil : Self.range(outsideText)
        guard let inside, outsideText.isEmpty || outside?.count == inside.count else {
            remark(item, "port '\(line)' is not understood; not carried over")
            return []
        }
        let kind = halves.count > 1 ? halves[1] : nil
        var ports: [PortMapping] = []
        for (index, port) in inside.enumerated() {
            mapping(port, outside.map { $0[$0.startIndex + index] }, kind, item)
                .map { ports.append($0) }
        }
        if !ports.isEmpty {
            noteAddress(parts.isEmpty ? nil : parts.joined(separator: ":"), item)
        }
        return ports
    }

    private static func range(_ text: String) -> [Int]? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            (1...65535).contains(first), (first...65535).contains(last), last - first < 1000
        else { return nil }
        return Array(first...last)
    }

    private mutating func mapping(
        _ inside: Int, _ outside: Int?, _ kind: String?, _ item: Node
    ) -> PortMapping? {
        guard [nil, "tcp", "udp"].contains(kind) else {
            remark(item, "port \(inside) speaks \(kind ?? ""); not carried over")
            return nil
        }
        return PortMapping(
            internal: inside, external: outside, protocol: kind == "udp" ? kind : nil)
    }

    /// - Parameter address: Nil for every one, as Compose does it where none is said.
    private mutating func noteAddress(_ address: String?, _ item: Node) {
        guard address != "127.0.0.1" else { return }
        let what =
            address.map { "the address \($0) of a port is not carried over" }
            ?? "Compose publishes a port on every address"
        remark(
            item,
            "\(what): pal publishes on 127.0.0.1, or on bindAddress of the provider in pal.yaml; "
                + "specific.portAddresses says otherwise, where pal.yaml allows it")
    }

    // MARK: Mounts

    mutating func readVolumes(_ pair: Node.Pair) {
        for item in pair.value.sequence ?? [] {
            if item.mapping != nil {
                readLongVolume(item)
            } else if let line = text(item) {
                readShortVolume(line, item)
            }
        }
    }

    private mutating func readShortVolume(_ line: String, _ item: Node) {
        let parts = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), !parts.contains("") else {
            return remark(item, "volume '\(line)' is not understood; not carried over")
        }
        guard parts.count > 1 else {
            return spec.mount("volume", nil, parts[0])
        }
        let options = parts.count > 2 ? parts[2].split(separator: ",") : []
        var (propagation, isWithoutCopy) = (String?.none, false)
        for option in options.map(String.init) where !["ro", "rw", "z", "Z"].contains(option) {
            if ForeignMount.propagations.contains(option) {
                propagation = option
            } else if option == "nocopy" {
                isWithoutCopy = true
            } else {
                remark(item, "'\(option)' of volume '\(line)' is not carried over")
            }
        }
        let isPath = parts[0].hasPrefix("/") || parts[0].hasPrefix(".") || parts[0].hasPrefix("~")
        spec.mount(
            isPath ? "bind" : "volume",
            isPath ? scope.absolute(parts[0]) : scope.volume(parts[0]), parts[1],
            isReadOnly: options.contains("ro"), propagation: isPath ? propagation : nil,
            isWithoutCopy: !isPath && isWithoutCopy)
    }

    private mutating func readLongVolume(_ item: Node) {
        guard let target = item["target"].flatMap({ text($0) }),
            let kind = item["type"].flatMap({ text($0) }),
            ["bind", "volume", "tmpfs"].contains(kind)
        else { return remark(item, "a mount of an unknown type; not carried over") }
        remarkOnOthers(
            than: ["type", "source", "target", "read_only", "tmpfs", "bind", "volume"], in: item,
            "volumes")
        remarkOnOthers(than: ["size"], in: item["tmpfs"], "volumes.tmpfs")
        remarkOnOthers(than: ["propagation"], in: item["bind"], "volumes.bind")
        remarkOnOthers(than: ["nocopy"], in: item["volume"], "volumes.volume")
        let source = item["source"].flatMap { text($0) }
        let readOnly = item["read_only"].flatMap { text($0) }?.lowercased()
        if let readOnly, !["true", "false"].contains(readOnly) {
            remark(
                item, "read_only '\(readOnly)' is neither true nor false: it is mounted read-only")
        }
        let sizeText = item["tmpfs"]?["size"].flatMap { text($0) }
        let size = sizeText.flatMap(Sizes.mebibytes)
        if let sizeText, size == nil {
            remark(
                item, "tmpfs.size '\(sizeText)' is less than a MiB, or no size: it has no limit")
        }
        spec.mount(
            kind,
            source.map { kind == "bind" ? scope.absolute($0) : scope.volume($0) }, target,
            isReadOnly: ![nil, "false"].contains(readOnly), size: size,
            propagation: item["bind"]?["propagation"].flatMap { text($0) },
            isWithoutCopy: item["volume"]?["nocopy"].flatMap { text($0) }?.lowercased() == "true")
    }

    mutating func readTmpfs(_ pair: Node.Pair) {
        for line in texts(pair.value) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count > 1 { remark(pair.key, "options of tmpfs '\(line)': not carried over") }
            spec.mount("tmpfs", nil, String(parts.first ?? ""))
        }
    }

    // MARK: Networks

    mutating func readHosts(_ pair: Node.Pair) {
        let lines =
            pair.value.mapping == nil
            ? texts(pair.value) : pairs(pair.value).map { "\($0.name):\($0.value ?? "")" }
        let hosts = lines.map { line in
            // Compose takes NAME=ADDRESS too.
            line.contains(":") ? line : line.split(separator: "=").joined(separator: ":")
        }
        if !hosts.isEmpty { config.setSpecific("extraHosts", .list(hosts.map { .string($0) })) }
    }

    /// What stands beside the project is joined as well. The project's own networks are one: the
    /// swarm's, where names of its own go along.
    mutating func readNetworks(_ pair: Node.Pair) {
        let ends =
            pair.value.mapping?.map { ($0.key.text, $0.value) }
            ?? (pair.value.sequence ?? []).map { ($0.scalar?.text ?? "", $0) }
        for (name, end) in ends {
            let aliases = (end["aliases"].map { texts($0) } ?? []).map { Value.string($0) }
            let address = (end["ipv4_address"] ?? end["ipv6_address"]).flatMap { text($0) }
            remarkOnOthers(
                than: ["aliases", "ipv4_address", "ipv6_address"], in: end, "networks.\(name)")
            if end["ipv4_address"] != nil, let second = end["ipv6_address"] {
                remark(second, "networks.\(name).ipv6_address: not carried over beside the other")
            }
            guard let external = scope.externalNetwork(name) else {
                for alias in aliases { config.addSpecific("aliases", alias) }
                if address != nil {
                    remark(
                        end,
                        "the address in '\(name)': not carried over; the instances of a swarm "
                            + "share one network, which chooses its addresses")
                }
                continue
            }
            var entry: [String: Value] = ["name": .string(external)]
            if !aliases.isEmpty { entry["aliases"] = .list(aliases) }
            entry["ipAddress"] = address.map { .string($0) }
            config.addSpecific("networks", .map(entry))
        }
    }

    /// The host's in the place of its own, or one that others take part in.
    mutating func readNamespace(_ pair: Node.Pair, _ key: String) {
        let known = key == "ipcMode" ? ["host", "private", "shareable", "none"] : ["host"]
        guard let mode = text(pair.value), !mode.isEmpty else { return }
        guard known.contains(mode) else {
            return remark(pair.key, "\(pair.key.text): '\(mode)' is not carried over")
        }
        config.setSpecific(key, .string(mode))
    }

    mutating func readNetworkMode(_ pair: Node.Pair) {
        switch text(pair.value) {
        case "host": config.setSpecific("networkMode", .string("host"))
        case let mode? where ["bridge", "none"].contains(mode):
            config.setSpecific("network", .string(mode))
        case let mode?: remark(pair.key, "network_mode: '\(mode)' is not carried over")
        case nil: break
        }
    }
}

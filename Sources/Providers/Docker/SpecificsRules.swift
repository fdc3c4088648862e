import PalEditors
public import PalModel
import PalProvider

extension SpecificsTable {
    /// What is wrong with a config's `specific` beside single values: the rules between them.
    static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        guard let specific = config.specific else { return [] }
        let specifics = Specifics(config)
        return ulimitProblems(specific) + mountProblems(config, specifics)
            + networkProblems(config, specifics) + volumeProblems(config, specifics)
            + entryProblems(specifics) + gpuProblems(specific) + endProblems(config, specific)
            + checkProblems(config, specific) + memoryProblems(config, specifics)
            + portProblems(config, specifics)
    }

    private static func ulimitProblems(_ specific: [String: Value]) -> [ConfigProblem] {
        guard case .map(let limits)? = specific["ulimits"] else { return [] }
        let pair = Shape.object([
            .init("soft", .integer(-1...Int.max), required: true, ""),
            .init("hard", .integer(-1...Int.max), required: true, ""),
        ])
        return limits.sorted { $0.key < $1.key }.flatMap { name, value -> [ConfigProblem] in
            if Int(value).map({ $0 >= -1 }) == true { return [] }
            return pair.problems(of: value, at: [.key("specific"), .key("ulimits"), .key(name)])
                .map { ConfigProblem(FieldProblem.text(of: $0.path), $0.message) }
        }
    }

    private static func gpuProblems(_ specific: [String: Value]) -> [ConfigProblem] {
        guard let gpus = specific["gpus"], GPURequest(gpus) == nil else { return [] }
        return [
            ConfigProblem("specific.gpus", "specific.gpus must be \(GPURequest.expectation)")
        ]
    }

    /// How long it may take to end, and where nothing can be written: neither fits everything.
    private static func endProblems(
        _ config: InstanceConfig, _ specific: [String: Value]
    ) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if let span = specific["stopTimeout"].flatMap({ TimeSpan($0) }),
            !(1000...3_600_000).contains(span.milliseconds)
        {
            problems.append(
                ConfigProblem(
                    "specific.stopTimeout", "specific.stopTimeout must be from 1s to 1h"))
        }
        if specific["readOnly"] == .bool(true), Furnishing.isNeeded(config) {
            problems.append(
                ConfigProblem(
                    "specific.readOnly",
                    "with specific.readOnly pal cannot write to \(EditorLock.directory), where "
                        + "secrets and the editor's password go; remove it, or have no secret but "
                        + "those with 'as: env' and an editor that needs no password of pal's"))
        }
        let hasRoom = Specifics(config).mounts.contains { $0.target == "/tmp" && !$0.isReadOnly }
        if specific["readOnly"] == .bool(true), config.extensions?.isEmpty == false, !hasRoom {
            problems.append(
                ConfigProblem(
                    "specific.readOnly",
                    "with specific.readOnly extensions cannot be installed without a /tmp; add "
                        + "{ type: tmpfs, target: /tmp } to specific.mounts"))
        }
        return problems
    }

    private static func mountProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        for (index, mount) in specifics.mounts.enumerated() {
            let path = "specific.mounts[\(index)]"
            func problem(_ text: String) { problems.append(ConfigProblem(path, "\(path)\(text)")) }
            switch (mount.kind, mount.source) {
            case (.bind, let source?) where TextRule.absolutePath.accepts(source): break
            case (.bind, _):
                problem(".source must be \(TextRule.absolutePath.expectation) for type: bind")
            case (.volume, let source?) where !DockerName.isValid(source):
                problem(".source must be the name of a volume for type: volume")
            case (.volume, let source?) where source.hasPrefix("pal_"):
                problem(".source is a name that pal gives to volumes itself; use another one")
            case (.tmpfs, _?): problem(".source means nothing for type: tmpfs; remove it")
            default: break
            }
            if mount.size != nil, mount.kind != .tmpfs {
                problem(".size is for type: tmpfs only; remove it")
            }
            if mount.propagation != nil, mount.kind != .bind {
                problem(".propagation is for type: bind only; remove it")
            }
            if mount.isWithoutCopy, mount.kind != .volume {
                problem(".noCopy is for type: volume only; remove it")
            }
        }
        return problems + hidingProblems(config, specifics)
    }

    /// What pal writes into a container must not land in a volume, nor be hidden by a mount.
    private static func hidingProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard Furnishing.isNeeded(config) else { return [] }
        let named = [
            ("specific.home", specifics.home),
            ("specific.projectFolder", specifics.projectFolder),
        ]
        let targets =
            named.compactMap { key, target in target.map { (key, $0) } }
            + specifics.mounts.enumerated().map { ("specific.mounts[\($0)].target", $1.target) }
        return targets.filter { HostPath.isAt($0.1, orAbove: EditorLock.directory) }.map {
            ConfigProblem(
                $0.0,
                "\($0.0) '\($0.1)' would lie over \(EditorLock.directory), where pal puts "
                    + "secrets and the editor's password; choose another place")
        }
    }

    private static func networkProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard specifics.hasHostNetwork else {
            return endProblems(specifics) + replicaProblems(config, specifics)
        }
        var problems = ["networks", "aliases", "ipAddress"].filter { config.specific?[$0] != nil }
            .map {
                ConfigProblem(
                    "specific.\($0)",
                    "with the host's network there is no other; remove specific.\($0)")
            }
        if let network = specifics.network, network != "host" {
            problems.append(
                ConfigProblem(
                    "specific.network",
                    "specific.network and networkMode: host exclude each other; remove one"))
        }
        if !(config.network.ports ?? []).isEmpty {
            problems.append(
                ConfigProblem(
                    "network.ports",
                    "with the host's network every port inside is one outside; "
                        + "remove network.ports"))
        }
        return problems
    }

    private static func replicaProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard let replicas = config.replicas, replicas > 1, specifics.hasOwnAddress else {
            return []
        }
        return [
            ConfigProblem(
                specifics.ipAddress == nil ? "specific.networks" : "specific.ipAddress",
                "\(replicas) replicas cannot share one ipAddress; remove it")
        ]
    }

    /// The Engine's own networks know no names, and none of them is a second one.
    private static func endProblems(_ specifics: Specifics) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if let network = specifics.network, ["bridge", "default", "none"].contains(network) {
            for (key, isSaid) in [
                ("aliases", !specifics.texts("aliases").isEmpty),
                ("ipAddress", specifics.ipAddress != nil),
                ("networks", network == "none" && !specifics.networks.isEmpty),
            ] where isSaid {
                problems.append(
                    ConfigProblem(
                        "specific.\(key)",
                        "specific.\(key) means nothing in the network '\(network)'; remove it, or "
                            + "name another in specific.network"))
            }
        }
        var seen: Set<String> = specifics.network.map { [$0] } ?? []
        for (index, end) in specifics.networks.enumerated() {
            let path = "specific.networks[\(index)]"
            if !seen.insert(end.name).inserted {
                problems.append(
                    ConfigProblem(path, "\(path): it is in '\(end.name)' already; remove one"))
            }
            if ["host", "none", "default"].contains(end.name) {
                problems.append(
                    ConfigProblem(path, "\(path): '\(end.name)' is no further network; remove it"))
            } else if !end.isUserDefined, !end.aliases.isEmpty || end.address != nil {
                problems.append(
                    ConfigProblem(
                        path,
                        "\(path): in '\(end.name)' there are no names and addresses of "
                            + "one's own; remove them"))
            }
        }
        return problems
    }

    private static func checkProblems(
        _ config: InstanceConfig, _ specific: [String: Value]
    ) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if let check = specific["healthCheck"] {
            let path = "specific.healthCheck"
            let isOff = check["disabled"] == .bool(true)
            // The path is pal's own business, too.
            var times = config.health
            times.path = nil
            if isOff,
                check["command"] != nil || check["retries"] != nil
                    || times != HealthConfig()
            {
                problems.append(
                    ConfigProblem(
                        path,
                        "\(path): what is disabled has no command, retries or times; "
                            + "remove these, or 'disabled'"))
            } else if !isOff, check["command"] != nil, HealthCommand(check) == nil {
                problems.append(
                    ConfigProblem(
                        "\(path).command",
                        "\(path).command must be a line for the shell, or a list of a program and "
                            + "its arguments"))
            }
        }
        if Specifics(config).hasHostName, specific["hostname"] != nil {
            problems.append(
                ConfigProblem(
                    "specific.hostname",
                    "with utsMode: host its name is the host's; remove specific.hostname"))
        }
        return problems
    }

    private static func memoryProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard let both = specifics.memorySwap else { return [] }
        let why: String
        if let memory = config.resources.memoryMax {
            if both == -1 || both >= memory << 20 { return [] }
            why = "counts memory too, so that it must be at least resources.memory.max, or -1"
        } else {
            why = "needs resources.memory.max, which says how much of it is memory"
        }
        return [ConfigProblem("specific.memorySwap", "specific.memorySwap \(why)")]
    }

    private static func portProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        let wanted = WantedPort.all(config, editorPort: EditorProfile(for: config).port)
        let published = Set(wanted.map(\.inside))
        var seen: Set<PortKey> = []
        return specifics.saidPortAddresses.compactMap { port, _ in
            let isFirst = seen.insert(port).inserted
            if isFirst, published.contains(port) { return nil }
            return ConfigProblem(
                "specific.portAddresses",
                isFirst
                    ? "specific.portAddresses: port \(port.text) is not published; add it to "
                        + "network.ports, or remove it"
                    : "specific.portAddresses: port \(port.text) stands there twice; remove one")
        }
    }

    private static func volumeProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard specifics.volumeDriver != nil || !specifics.volumeOptions.isEmpty,
            !CreateBody.isPersistent(config)
        else { return [] }
        return [
            ConfigProblem(
                "specific.volumeDriver",
                "without persistent storage there is no volume; remove "
                    + "specific.volumeDriver and specific.volumeOptions")
        ]
    }

    private static func entryProblems(_ specifics: Specifics) -> [ConfigProblem] {
        guard let entry = specifics.entrypoint, entry.first?.isEmpty ?? true else { return [] }
        return [
            ConfigProblem(
                "specific.entrypoint", "specific.entrypoint names no program; add one or remove it")
        ]
    }
}

extension DockerProvider {
    /// Not where both would write to one mounted directory or volume, have one address, or share
    /// the host's ports.
    public func canStandBeside(_ config: InstanceConfig) -> Bool {
        let specifics = Specifics(config)
        return !specifics.hasHostNetwork && !specifics.hasOwnAddress
            && !specifics.mounts.contains {
                $0.kind != .tmpfs && $0.source != nil && !$0.isReadOnly
            }
    }
}

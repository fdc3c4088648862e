import PalEditors
public import PalModel
public import PalProvider

extension DockerProvider {
    /// Limits change while it runs; everything else makes a new container, and the volume with the
    /// home is mounted again.
    public func getCapabilities() -> Capabilities { Self.capabilities }

    private static let capabilities = Capabilities(
        fields: fields,
        features: [
            .events, .storage, .followedLogs, .interactive, .adoption, .description, .metrics,
        ],
        maximumConcurrentCalls: 8, steeringKeys: ImageKeys.all)

    private static let fields: [String: FieldSupport] = {
        var fields: [String: FieldSupport] = [
            "resources.storage.size": .notEnforced(
                "Docker's own volumes have no size limit; a driver in specific.volumeDriver is "
                    + "told the size, else watch the disk of the Engine's host"),
            "region": .fixed("remove it, or configure a provider for that region"),
        ]
        for path in ["resources.cpu.cores", "resources.memory.min", "resources.memory.max"] {
            fields[path] = .honoured(.live)
        }
        for path in replacing { fields[path] = .honoured(.replace) }
        return fields
    }()

    private static let replacing = [
        "image", "editor", "command", "workspacePath", "env", "labels", "network.port",
        "network.ports", "health.path", "health.interval", "health.timeout", "health.grace",
        "resources.storage.persistent", "secrets", "extensions", "specific",
    ]

    /// As the table says, but for three kinds of change: the Engine lifts no limit of a running
    /// container, and an old Podman changes none; a home that is not persistent any more leaves its
    /// data behind; and some of `specific` only steers pal.
    public func classify(_ change: FieldChange) -> ChangeClass {
        switch change.path {
        case "resources.cpu.cores", "resources.memory.min", "resources.memory.max":
            change.to == nil || !engine.changesLimits ? .replace : .live
        case "resources.storage.persistent":
            change.to == .bool(false) ? .replaceLosingData : .replace
        case "specific":
            ImageKeys.areAll(that: change) ? .live : .replace
        default:
            if case .honoured(let usual) = Self.capabilities.support(for: change.path) {
                usual
            } else {
                .live
            }
        }
    }

    /// See `SpecificsTable`.
    public var specificKeys: [Shape.Member]? { SpecificsTable.keys }

    /// A tag that moved is followed where the spec says so.
    public func follows(_ change: FieldChange, _ config: InstanceConfig) -> Bool {
        change.path == "image" && Specifics(config).followTag
    }

    /// Refuses what does not go together in `specific`, and what the Engine's units cannot say.
    public func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem] {
        var problems = SpecificsTable.problems(config) + Furnishing.problems(config)
        problems += ExtensionList.problems(config)
        if problems.isEmpty { problems += settings.policy.problems(config) }
        let editorPort = EditorProfile(for: config).port.map { PortKey($0) }
        if !settings.isLocal, let editorPort,
            Specifics(config).portAddresses[editorPort]?.hasPrefix("127.") == true
        {
            problems.append(
                ConfigProblem(
                    "specific.portAddresses",
                    "specific.portAddresses: on another machine's loopback pal cannot reach the "
                        + "editor; choose an address that it can"))
        }
        problems += EditorProfile.problems(config)
        if let cores = config.resources.cpuCores,
            CreateBody.cores(nano: CreateBody.nano(cores)) != cores
        {
            problems.append(
                ConfigProblem(
                    "resources.cpu.cores", "resources.cpu.cores may have at most 9 decimals"))
        }
        if let size = config.resources.memoryMax, size < 6 {
            problems.append(
                ConfigProblem(
                    "resources.memory.max", "resources.memory.max must be at least 6 MiB on Docker")
            )
        }
        return problems
    }
}

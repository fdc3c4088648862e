public import PalModel
public import PalProvider

extension DockerProvider {
    /// Limits change while it runs; everything else makes a new container, and the volume with the
    /// home is mounted again.
    public func getCapabilities() -> Capabilities { Self.capabilities }

    private static let capabilities = Capabilities(
        fields: fields, features: [.events, .storage, .followedLogs], maximumConcurrentCalls: 8)

    private static let fields: [String: FieldSupport] = {
        var fields: [String: FieldSupport] = [
            "resources.storage.size": .notEnforced(
                "Docker's local volumes have no size limit; watch the disk of the Engine's host"),
            "secrets": .unsupported("secrets on docker come with a later release; remove them"),
            "extensions": .unsupported(
                "extensions on docker come with a later release; install them in the image, or in "
                    + "the editor: its home is kept"),
            // An instance cannot move: validation accepts the provider's own region only.
            "region": .honoured(.live),
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
        "resources.storage.persistent", "specific",
    ]

    /// As the table says, but for two kinds of change: the Engine lifts no limit of a running
    /// container, and a home that is not persistent any more leaves its data behind.
    public func classify(_ change: FieldChange) -> ChangeClass {
        switch change.path {
        case "resources.cpu.cores", "resources.memory.min", "resources.memory.max":
            change.to == nil ? .replace : .live
        case "resources.storage.persistent":
            change.to == .bool(false) ? .replaceLosingData : .replace
        default:
            if case .honoured(let usual) = Self.capabilities.support(for: change.path) {
                usual
            } else {
                .live
            }
        }
    }

    /// Refuses another region, unknown `specific` keys, and what the Engine's units cannot say.
    public func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem] {
        var problems = Specifics.problems(config)
        if let other = config.region, other != region {
            problems.append(
                ConfigProblem(
                    "region",
                    "region '\(other)' is not that of provider '\(name)' ('\(region)'); remove it, "
                        + "or configure a provider for that region"))
        }
        if config.health.path != nil, EditorProfile(for: config).port == nil {
            problems.append(
                ConfigProblem(
                    "health.path",
                    "health.path needs to know which port to ask: set network.port, since "
                        + "editor: custom has none of its own"))
        }
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

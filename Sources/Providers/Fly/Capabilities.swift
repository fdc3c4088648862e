import PalEditors
public import PalModel
public import PalProvider

extension FlyProvider {
    /// Most of a machine changes by a restart that keeps its id and its volume; what pal cannot
    /// read back from it makes a new machine, to which the volume is bound again.
    public func getCapabilities() -> Capabilities { Self.capabilities }

    private static let capabilities = Capabilities(
        fields: fields, features: [.storage, .followedLogs], maximumConcurrentCalls: 64,
        told: ["region"], tellsStreamsApart: false)

    private static let fields: [String: FieldSupport] = {
        var fields: [String: FieldSupport] = [
            "resources.memory.min": .notEnforced(
                "a machine has its memory to itself: resources.memory.max is what it gets"),
            "workspacePath": .unsupported(
                "there is no directory of yours at Fly.io; clone into the home, or put the files "
                    + "into the image"),
            "extensions": .unsupported(
                "pal installs none in machines of Fly.io yet; put them into the image, or install "
                    + "them in the editor: the home keeps them"),
        ]
        for path in restarting { fields[path] = .honoured(.restart) }
        for path in replacing { fields[path] = .honoured(.replace) }
        return fields
    }()

    private static let restarting = [
        "image", "env", "resources.cpu.cores", "resources.memory.max", "resources.storage.size",
    ]

    private static let replacing = [
        "region", "editor", "command", "labels", "network.port", "network.ports", "health.path",
        "health.interval", "health.timeout", "health.grace", "resources.storage.persistent",
        "secrets", "specific",
    ]

    /// As the table says, but for what a volume cannot do: move to another region, shrink, or stay
    /// where the home is not persistent any more; for what is not said any more, which only a new
    /// machine has its usual value of; and for variables that say how the editor is opened.
    public func classify(_ change: FieldChange) -> ChangeClass {
        switch change.path {
        case "region":
            // What is not to be anywhere stays where it is.
            return change.to == nil || change.to == change.from ? .live : .replaceLosingData
        case "resources.storage.size":
            let old = change.from.flatMap { Int($0) } ?? 0
            let new = change.to.flatMap { Int($0) } ?? old
            return new < old ? .replaceLosingData : .restart
        case "resources.storage.persistent":
            return change.to == .bool(false) ? .replaceLosingData : .replace
        case "image", "resources.cpu.cores", "resources.memory.max":
            return change.to == nil ? .replace : .restart
        case "env":
            return MachineBody.reservedVariables.contains {
                change.from?[$0] != change.to?[$0]
            } ? .replace : .restart
        default:
            guard case .honoured(let usual) = Self.capabilities.support(for: change.path) else {
                return .live
            }
            return usual
        }
    }

    /// See `FlySpecifics`.
    public var specificKeys: [Shape.Member]? { FlySpecifics.keys }

    /// Refuses what Fly.io's machines cannot be.
    public func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem] {
        var problems = Furnishing.problems(config)
        if problems.isEmpty { problems += MachineSize.problems(config) }
        if let region = config.region, !FlyName.isRegion(region) {
            problems.append(
                ConfigProblem(
                    "region",
                    "'\(region)' is no region of Fly.io; name one such as fra "
                        + "(https://fly.io/docs/reference/regions/)"))
        }
        problems += EditorProfile.problems(config)
        if !MachineBody.isPersistent(config), config.resources.storageSize != nil {
            problems.append(
                ConfigProblem(
                    "resources.storage.size",
                    "resources.storage.size is that of the volume, which "
                        + "resources.storage.persistent: false leaves out; remove one of the two"))
        }
        let isUDPPossible = settings.addresses.contains("v4")
        for port in config.network.ports ?? []
        where port.protocol == "udp" && (port.external != port.internal || !isUDPPossible) {
            problems.append(
                ConfigProblem(
                    "network.ports",
                    "port \(port.internal)/udp needs external: \(port.internal) and a dedicated "
                        + "IPv4 address (ips: [v6, v4] of provider '\(name)' in pal.yaml): Fly.io "
                        + "passes UDP on in no other way"))
        }
        let own = (config.labels ?? [:]).keys.filter {
            $0.hasPrefix(FlyMark.prefix) || $0.hasPrefix("fly_")
        }
        problems += own.sorted().map {
            ConfigProblem("labels", "the label '\($0)' is pal's or Fly.io's own; rename it")
        }
        if MachineBody.isPersistent(config), config.name.count > FlyName.longestWithVolume {
            problems.append(
                ConfigProblem(
                    "name",
                    "'\(config.name)' has \(config.name.count) characters, and the name of a "
                        + "volume at Fly.io has room for \(FlyName.longestWithVolume); shorten it, "
                        + "or set resources.storage.persistent: false"))
        }
        return problems
    }

    /// One volume can be in one machine, and a machine changes in place where it can.
    public func canStandBeside(_ config: InstanceConfig) -> Bool { false }

    /// Whoever may read the app can read what is in a machine's config.
    public func warnings(_ config: InstanceConfig) -> [Condition] {
        let secrets = (config.secrets ?? [:]).keys.sorted().map { name in
            Condition(
                .exposed, reason: "SecretInMachineConfig",
                message: "secret '\(name)' is part of the machine's config, which whoever may read "
                    + "the app at Fly.io can read")
        }
        return EditorLock.warnings(config) + secrets
    }
}

/// The sizes that machines have
/// (https://fly.io/docs/machines/guides-examples/machine-sizing/).
enum MachineSize {
    /// The MiB that a machine can have, in steps of 256.
    static func memory(_ kind: FlySpecifics.CPUKind, cores: Int) -> ClosedRange<Int> {
        kind == .shared ? (256 * cores)...(2048 * cores) : (2048 * cores)...(8192 * cores)
    }

    static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        let cores = config.resources.cpuCores ?? 1
        if cores.rounded() != cores || !(1...16).contains(cores) {
            problems.append(
                ConfigProblem(
                    "resources.cpu.cores",
                    "resources.cpu.cores must be a whole number from 1 to 16 on Fly.io"))
            return problems
        }
        guard let memory = config.resources.memoryMax else { return problems }
        let kind = FlySpecifics(config).cpuKind
        let range = self.memory(kind, cores: Int(cores))
        if memory % 256 != 0 || !range.contains(memory) {
            problems.append(
                ConfigProblem(
                    "resources.memory.max",
                    "resources.memory.max must be a multiple of 256 from \(range.lowerBound) to "
                        + "\(range.upperBound) MiB with \(Int(cores)) \(kind.rawValue) "
                        + "core\(cores == 1 ? "" : "s") of Fly.io"))
        }
        return problems
    }
}

import PalModel
import PalProvider

extension Capabilities {
    /// What a process provider honours.
    ///
    /// The fields that are hashed (`hashedFields`) are part of the label's meaning: keep them.
    /// - Parameter cgroups: What can be limited on this machine; all where it is not known yet.
    static func process(_ cgroups: CgroupSupport?) -> Capabilities {
        let cpu = cgroups == nil || cgroups?.cpuBase != nil
        let memory = cgroups == nil || cgroups?.memoryBase != nil
        let memoryLimit: FieldSupport =
            memory ? .honoured(.live) : .notEnforced(CgroupSupport.reason("memory"))
        return Capabilities(
            fields: [
                "region": .fixed("all run on this machine; remove it"),
                "editor": .honoured(.restart),
                "command": .honoured(.restart),
                "workspacePath": .honoured(.restart),
                "env": .honoured(.restart),
                "labels": .honoured(.live),
                "network.port": .honoured(.restart),
                "network.ports": .honoured(.live),
                "health.path": .honoured(.live),
                "health.interval": .honoured(.live),
                "health.timeout": .honoured(.live),
                "health.grace": .honoured(.live),
                "specific": .honoured(.live),
                "resources.cpu.cores":
                    cpu ? .honoured(.live) : .notEnforced(CgroupSupport.reason("cpu")),
                "resources.memory.min": memoryLimit,
                "resources.memory.max": memoryLimit,
                "resources.storage.size": .notEnforced(
                    "a directory has no size limit; use a file system with quotas"),
                "resources.storage.persistent": .honoured(.replace),
                "image": .unsupported(
                    "a process runs no image; remove 'image', or use 'provider: docker'"),
                "extensions": .unsupported(
                    "extensions are not installed on a process; install them in the editor, "
                        + "they are kept in its persistent home"),
                "secrets": .unsupported(
                    "secrets are not handed to a process yet; have the command read them itself"),
            ],
            features: [.events, .storage, .followedLogs, .interactive, .metrics],
            maximumConcurrentCalls: 8)
    }
}

/// The rules of a process provider that no table says.
enum ProcessRules {
    static func classify(_ change: FieldChange) -> ChangeClass {
        if change.path == "resources.storage.persistent" {
            // What was persistent is lost with the new object; what was not is not missed.
            return change.to.flatMap({ Bool($0) }) == false ? .replaceLosingData : .replace
        }
        // The class does not depend on what the machine can limit.
        guard case .honoured(let change) = Capabilities.process(nil).support(for: change.path)
        else { return .live }
        return change
    }

    static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if config.command?.first?.isEmpty ?? (config.command != nil) {
            problems.append(
                ConfigProblem("command", "command names no program; add one or remove 'command'"))
        }
        if config.editor == .custom, config.command == nil {
            problems.append(
                ConfigProblem("editor", "editor 'custom' needs a 'command' that starts it"))
        }
        if config.health.path != nil, EditorProfile.declaredPort(config) == .none {
            problems.append(
                ConfigProblem("health.path", "health.path needs network.port: nothing to ask"))
        }
        return problems + portProblems(config)
    }

    private static func portProblems(_ config: InstanceConfig) -> [ConfigProblem] {
        (config.network.ports ?? []).compactMap { port in
            guard let outside = port.external, outside != port.internal else { return nil }
            return ConfigProblem(
                "network.ports",
                "port \(port.internal) cannot be \(outside) outside: a process has no network of "
                    + "its own; remove 'external' or use 'provider: docker'")
        }
    }
}

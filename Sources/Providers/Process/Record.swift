import FoundationEssentials
import PalModel

/// What an instance is, as `instance.json` holds it. Later releases must be able to read it.
struct InstanceRecord: Sendable, Hashable, Codable {
    /// Tells this object from an earlier one with the same name and generation.
    var unique: String
    var ownership: Ownership
    /// What the user set, as it is now to be run.
    var config: InstanceConfig
    /// The editor's or command's port; nil where it has none.
    var port: Int?
    var createdAt: Date
    var updatedAt: Date

    /// `alice.1.5f0c9b…`: the instance directory and the unique part.
    var providerInstanceId: String {
        "\(ownership.name).\(ownership.generation).\(unique)"
    }

    /// Unset means yes.
    var isPersistent: Bool { config.resources.storagePersistent ?? true }

    /// Every port that the instance declares or was given.
    var ports: Set<Port> {
        let further = (config.network.ports ?? []).map {
            Port(number: $0.internal, isUDP: $0.protocol == "udp")
        }
        return Set(further + (port.map { [Port(number: $0)] } ?? []))
    }
}

/// What a run does, as `launch.json` holds it: all that the supervisor knows.
struct LaunchFile: Sendable, Hashable, Codable {
    /// Names the run in every other file, and in the environment of its processes.
    var run: String
    /// Absolute.
    var executable: String
    /// With the program's name first.
    var arguments: [String]
    var environment: [String: String]
    /// The working directory.
    var directory: String
    /// Between the request to end and the kill, in milliseconds.
    var stopTimeout: Int
    var cgroup: CgroupPlace?
    /// Whether the run may go on outside of its cgroup: only where it has no limits.
    var mayLeaveCgroup: Bool
    /// Bytes of one log file.
    var logLimit: Int
    /// The editor that runs; nil for a command of the user's own.
    var editor: Editor?
    /// The path that answers 200 when the editor serves.
    var readinessPath: String?

    /// The variable by which every process of a run is known.
    static let marker = "PAL_RUN"
}

/// The processes of a run, as `run.json` holds it.
struct RunFile: Sendable, Hashable, Codable {
    var run: String
    var supervisor: ProcessIdentity
    /// Nil where the program could not be started.
    var child: ProcessIdentity?
    var startedAt: Date
}

/// That a run shall end, as `stop.json` holds it.
struct StopFile: Sendable, Hashable, Codable {
    var run: String
    var at: Date
    /// Between the request to end and the kill, in milliseconds; 0 kills at once.
    var grace: Int
}

/// How a run ended, as `exit.json` holds it.
struct ExitFile: Sendable, Hashable, Codable {
    var run: String
    var code: Int?
    var signal: Int?
    var isOutOfMemory: Bool
    /// Whether it was asked to end.
    var wasRequested: Bool
    var at: Date
    /// Why the program could not be started, where that is so.
    var message: String?

    var report: ExitReport {
        ExitReport(code: code, signal: signal, isOutOfMemory: isOutOfMemory, at: at)
    }
}

/// Whose storage a directory is, as `storage.json` holds it.
struct StorageRecord: Sendable, Hashable, Codable {
    var swarm: String
    var name: String
    /// pal's id of the instance that used it last.
    var id: String
    var createdAt: Date
}

extension Editor {
    /// What people call it.
    var title: String {
        switch self {
        case .codeServer: "code-server"
        case .openvscodeServer: "openvscode-server"
        case .vscode: "code serve-web"
        case .custom: "custom"
        }
    }
}

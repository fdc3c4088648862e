import PalFiles

/// Where one provider keeps its files on this machine.
///
///     <root>/instances/<name>.<generation>/   one directory per instance, see `InstanceFiles`
///     <root>/storage/<name>/                  persistent storage, see `StorageFiles`
///     <root>/lock                             held while ports are chosen and names are taken
struct Layout: Sendable, Hashable {
    let root: String

    var instances: String { RealPath.join(root, "instances") }
    var storage: String { RealPath.join(root, "storage") }
    var lock: String { RealPath.join(root, "lock") }

    /// A name is a DNS label, so the dot cannot be part of it.
    func instance(_ name: String, generation: Int) -> InstanceFiles {
        InstanceFiles(directory: RealPath.join(instances, "\(name).\(generation)"))
    }

    func storage(_ name: String) -> StorageFiles {
        StorageFiles(directory: RealPath.join(storage, name))
    }

    /// What starts with a dot is being made or being deleted, and is no instance.
    static func isInstanceDirectory(_ name: String) -> Bool { !name.hasPrefix(".") }
}

/// The files of one instance. Only the owner can read them.
struct InstanceFiles: Sendable, Hashable {
    let directory: String

    /// What the instance is: written before it is visible, rewritten by updates.
    var record: String { file("instance.json") }
    /// What the present or last run was asked to do: written before the supervisor starts.
    var launch: String { file("launch.json") }
    /// The processes of the run: written by the supervisor.
    var run: String { file("run.json") }
    /// That the run was asked to end: written before anybody is signalled.
    var stop: String { file("stop.json") }
    /// How the run ended: written by the supervisor.
    var exit: String { file("exit.json") }
    /// Locked by whoever starts the instance, then by its supervisor for as long as it lives.
    var lock: String { file(Self.lockName) }
    /// The newest lines; older ones are in `log.1` and `log.2`.
    var log: String { file("log") }
    /// The editor's password or token.
    var password: String { file("password") }
    /// The configuration of an editor that reads its password from one.
    var editorConfig: String { file("editor.yaml") }
    /// The home of an instance whose storage is not persistent.
    var home: String { file("home") }

    static let lockName = "supervisor.lock"

    private func file(_ name: String) -> String { RealPath.join(directory, name) }
}

/// The persistent storage of the instances of one name.
struct StorageFiles: Sendable, Hashable {
    let directory: String

    /// Whose storage it is.
    var record: String { RealPath.join(directory, "storage.json") }
    /// The `HOME` of the instance's processes.
    var home: String { RealPath.join(directory, "home") }
}

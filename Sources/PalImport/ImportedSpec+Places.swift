import PalModel

/// What an editor's own places are, among all that is mounted and published.
extension ImportedSpec {
    /// Adds a mount; a directory that is mounted at the project folder is the workspace.
    mutating func mount(
        _ kind: String, _ source: String?, _ target: String, isReadOnly: Bool = false,
        size: Int? = nil, propagation: String? = nil, isWithoutCopy: Bool = false
    ) {
        if kind == "bind", !isReadOnly, propagation == nil,
            target == EditorImage.projectFolder(config),
            config.workspacePath == nil
        {
            config.workspacePath = source
            return
        }
        var entry: [String: Value] = ["type": .string(kind), "target": .string(target)]
        if let source { entry["source"] = .string(source) }
        if isReadOnly { entry["readOnly"] = .bool(true) }
        if let size { entry["size"] = .int(size) }
        entry["propagation"] = propagation.map { .string($0) }
        if isWithoutCopy { entry["noCopy"] = .bool(true) }
        config.addSpecific("mounts", .map(entry))
    }

    /// Whether something is mounted at the editor's home.
    var holdsHome: Bool {
        guard case .list(let mounts)? = config.specific?["mounts"] else { return false }
        let home = EditorImage.home(config)
        return mounts.contains { $0["target"].flatMap { String($0) } == home }
    }

    /// Settles what follows from all the rest.
    ///
    /// What holds the home already goes on holding it: pal then mounts no volume of its own there.
    /// An editor that pal does not know listens on the first port that is published.
    mutating func finish() {
        if holdsHome { config.resources.storagePersistent = false }
        guard config.editor == .custom, config.network.port == nil,
            let first = config.network.ports?.first
        else { return }
        config.network.port = first.internal
    }
}

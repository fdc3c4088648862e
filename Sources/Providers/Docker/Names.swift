/// The names of what pal makes at an Engine: the same for the same swarm and instance, so that a
/// second attempt meets what the first one made.
enum DockerName {
    /// The container of an instance. One name for all generations, so that the Engine itself keeps
    /// a second one from being made.
    static func container(swarm: String, name: String) -> String { "pal_\(swarm)_\(name)" }

    /// The container of a generation that is made while another one stands.
    static func container(swarm: String, name: String, beside generation: Int) -> String {
        "\(container(swarm: swarm, name: name))_\(generation)"
    }

    /// The volume with an instance's home.
    static func volume(swarm: String, name: String) -> String { "pal_\(swarm)_\(name)_home" }

    /// The network that the instances of a swarm share.
    static func network(swarm: String) -> String { "pal_\(swarm)" }

    /// Whether the Engine takes a name: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
    static func isValid(_ name: String) -> Bool {
        guard name.utf8.count > 1, let first = name.utf8.first, isAlphanumeric(first)
        else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}

/// The labels that the provider adds to pal's own: what it has to know of a container without the
/// spec that made it.
enum DockerLabel {
    /// The editor's port inside.
    static let editorPort = "pal.editor-port"
    /// The path that is probed for readiness; missing where an instance that runs is ready.
    static let probePath = "pal.probe-path"
    /// What opens the editor, as `EditorLock` names it; never the password.
    static let lock = "pal.lock"
    /// The folder that the editor opens.
    static let folder = "pal.folder"
    /// The file whose presence says that the container was finished.
    static let marker = "pal.marker"
    /// What its spec says of memory and swap together, in bytes; -1 for without a limit.
    static let memorySwap = "pal.memory-swap"
    /// The further networks that it is to be in, with spaces between them.
    static let networks = "pal.networks"
    /// The editor and the extensions that it is to have.
    static let extensions = "pal.extensions"
    /// The swarm, on networks too.
    static let swarm = "pal.swarm"
}

import PalModel

/// The names of what pal makes at Fly.io: the same for the same swarm and instance, so that a
/// second attempt meets what the first one made.
enum FlyName {
    /// The machine of an instance. One name for all generations: Fly.io itself keeps a second one
    /// from being made.
    static func machine(swarm: String, name: String) -> String { "pal-\(swarm)-\(name)" }

    /// The volume with an instance's home. A volume has no labels and 30 characters: it begins with
    /// a mark of the swarm, so that the volumes of others in the same app are told apart.
    static func volume(_ settings: FlySettings, name: String) -> String {
        prefix(settings) + name.replacing("-", with: "_")
    }

    /// The longest name of an instance that keeps a volume.
    static let longestWithVolume = 22

    /// The instance that a volume belongs to; nil where it is not the provider's.
    static func owner(ofVolume name: String, _ settings: FlySettings) -> String? {
        let prefix = prefix(settings)
        guard name.hasPrefix(prefix), name.count > prefix.count else { return nil }
        return String(name.dropFirst(prefix.count)).replacing("_", with: "-")
    }

    /// `p`, six hexadecimal digits and `_`.
    private static func prefix(_ settings: FlySettings) -> String {
        "p\(Digest.sha256("\(settings.swarm)/\(settings.name)").prefix(6))_"
    }

    /// Region codes have three letters.
    static func isRegion(_ text: String) -> Bool {
        text.utf8.count == 3 && text.utf8.allSatisfy { (0x61...0x7A).contains($0) }
    }

    static func isApp(_ text: String) -> Bool {
        text.utf8.count <= 63 && TextRule.isDNSLabel(text)
    }

    static let appRule = TextRule(
        expectation: "the name of an app: lower-case letters, digits and hyphens, at most 63",
        pattern: nil, accepts: isApp)
}

/// What the provider writes into a machine's metadata: `_` where pal's labels have `.` and `-`.
enum FlyMark {
    private static let ownership = [
        "pal.swarm": "pal_swarm", "pal.name": "pal_name", "pal.id": "pal_id",
        "pal.generation": "pal_generation", "pal.spec-hash": "pal_spec_hash",
    ]

    /// The provider's name: several may share an app, each for its own instances.
    static let provider = "pal_provider"
    /// The editor's port inside.
    static let editorPort = "pal_editor_port"
    /// What opens the editor, as `EditorLock` names it; never the password.
    static let lock = "pal_lock"
    /// The folder that the editor opens.
    static let folder = "pal_folder"
    /// The variables that the spec does not set, with commas between them.
    static let ownVariables = "pal_own_variables"
    /// How many GiB of storage were asked for: the volume may have become larger since.
    static let storage = "pal_storage_gb"
    /// Who is to own the home, as long as it was not given to them.
    static let homeOwner = "pal_home_owner"
    /// Whether it was made to be started at once.
    static let starts = "pal_starts"
    /// What a stop is, as `stopMode` says.
    static let stopMode = "pal_stop_mode"
    /// What begins so is no label of a user's.
    static let prefix = "pal_"

    /// The marks as metadata.
    static func metadata(_ ownership: Ownership) -> [String: String] {
        ownership.labels.reduce(into: [:]) { $0[Self.ownership[$1.key] ?? $1.key] = $1.value }
    }

    /// Reads the marks; nil where one is missing or malformed: then the machine is not pal's.
    static func ownership(_ metadata: [String: String]) -> Ownership? {
        Ownership(labels: ownership.compactMapValues { metadata[$0] })
    }
}

internal import PalEditors
public import PalModel

/// What an import made of somebody else's description.
public struct Imported: Sendable {
    /// The specs, in the order of the source.
    public var specs: [ImportedSpec] = []
    /// What did not come along, and what is different now, each with its place.
    public var remarks: [Diagnostic] = []

    /// Nothing yet.
    public init() {}
}

/// One spec, and the secrets that must not stand in it.
public struct ImportedSpec: Sendable, Hashable {
    /// What is to be declared. Its `secrets` name `hidden` files once those are written.
    public var config: InstanceConfig
    /// Values that stood in the open and look like secrets, by variable. Whoever writes the spec
    /// keeps each in a file that only its owner can read, and refers to that.
    public var hidden: [String: String] = [:]

    /// A spec without secrets.
    public init(_ config: InstanceConfig) { self.config = config }

    /// Takes a variable: into `env`, or into `hidden` where it looks like a secret.
    public mutating func take(_ variable: String, _ value: String) {
        if Self.isSecret(variable), !value.isEmpty {
            hidden[variable] = value
        } else {
            config.env = (config.env ?? [:]).merging([variable: value]) { $1 }
        }
    }

    /// Refers to a hidden value by the file that it was written to.
    ///
    /// code-server's own password is not handed over as a variable: pal gives it in a file that
    /// code-server reads. Of what else runs nobody knows that it would.
    public mutating func refer(_ variable: String, toFile path: String) {
        var reference: [String: Value] = ["fromFile": .string(path)]
        let isCodeServer = (config.editor ?? .codeServer) == .codeServer
        if !isCodeServer || !Self.editorPasswords.contains(variable) {
            reference["as"] = .string("env")
        }
        guard let secret = SecretReference(.map(reference)) else { return }
        config.secrets = (config.secrets ?? [:]).merging([variable: secret]) { $1 }
    }

    private static let editorPasswords = ["PASSWORD", "HASHED_PASSWORD"]
    private static let words = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "CREDENTIAL"]

    /// Whether a variable's name says that its value is a secret.
    static func isSecret(_ variable: String) -> Bool {
        let name = variable.uppercased()
        // FILE__PASSWORD and PASSWORD_FILE name a file.
        guard !name.hasSuffix("_FILE"), !name.hasPrefix("FILE__") else { return false }
        return words.contains { name.contains($0) } || name.hasSuffix("_KEY")
            || name.hasSuffix("_API_KEY")
    }
}

/// The source of an import cannot be read at all.
public struct ImportFailure: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to do, with the place where there is one.
    public var description: String
    /// Makes one of a sentence.
    public init(_ description: String) { self.description = description }
}

extension InstanceConfig {
    /// Sets one of the platform's own settings.
    mutating func setSpecific(_ key: String, _ value: Value) {
        specific = (specific ?? [:]).merging([key: value]) { $1 }
    }

    /// Adds to a list among the platform's own settings.
    mutating func addSpecific(_ key: String, _ value: Value) {
        guard case .list(let items)? = specific?[key] else {
            return setSpecific(key, .list([value]))
        }
        setSpecific(key, .list(items + [value]))
    }
}

/// How editors' images are known, and what each needs said that is not its editor's usual way.
enum EditorImage {
    /// The editor that an image serves, by its name.
    static func editor(_ image: String) -> Editor {
        EditorProfile.editor(ofImage: image) ?? .custom
    }

    /// Writes down what the image is.
    static func describe(_ config: inout InstanceConfig) {
        let image = config.image ?? ""
        let editor = editor(image)
        if editor != .codeServer { config.editor = editor }
        if EditorProfile.isLinuxServer(image) {
            config.network.port = 8443
            config.health.path = "/healthz"
            config.setSpecific("home", .string("/config"))
        }
    }

    /// Where the home is inside, where that is known.
    static func home(_ config: InstanceConfig) -> String { EditorProfile(for: config).home }

    /// Where `workspacePath` is mounted.
    static func projectFolder(_ config: InstanceConfig) -> String {
        EditorProfile(for: config).projectFolder
    }
}

public import PalModel
public import PalProvider

/// A file that pal puts into an instance before its first start.
public struct PlacedFile: Sendable, Hashable {
    /// Absolute, inside.
    public var path: String
    /// What is in it.
    public var content: SecretValue
    /// As Swarm's secrets: the image's user, whoever that is, must be able to read it.
    public var mode = 0o444

    /// Makes one of its parts.
    public init(path: String, content: SecretValue, mode: Int = 0o444) {
        self.path = path
        self.content = content
        self.mode = mode
    }
}

/// What is handed to a new instance beside its own settings: the secrets and what opens its editor,
/// as files that are there before its start. They are in no argument, label or variable.
public struct Furnishing: Sendable {
    /// The files, in the order in which they are written; empty where none is needed.
    public let files: [PlacedFile]
    /// The secrets that the spec wants as variables.
    public let variables: [String: String]

    /// - Parameter generated: The password or token that pal keeps; nil where it keeps none.
    /// - Throws: A configuration error for a value that no variable can hold.
    public init(
        _ config: InstanceConfig, secrets: [String: SecretValue], generated: SecretValue?
    ) throws(ProviderFailure) {
        var files: [PlacedFile] = []
        var variables: [String: String] = [:]
        for (name, value) in secrets.sorted(by: { $0.key < $1.key }) {
            guard config.secrets?[name]?.as == "env" else {
                files.append(PlacedFile(path: "\(EditorLock.directory)/\(name)", content: value))
                continue
            }
            guard let text = value.text else {
                throw .invalid(
                    "secret '\(name)' of '\(config.name)' is no text, and a variable can hold "
                        + "nothing else; remove 'as: env'")
            }
            variables[name] = text
        }
        files += try EditorLock.files(for: config, generated: generated, secrets: secrets)
        self.files = files
        self.variables = variables
    }

    /// Whether an instance of this config gets files.
    public static func isNeeded(_ config: InstanceConfig) -> Bool {
        if config.secrets?.contains(where: { $0.value.as != "env" }) == true { return true }
        return EditorLock(for: config)?.isGenerated ?? false
    }

    /// What is wrong with a config's secrets by their names.
    public static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        (config.secrets ?? [:]).sorted { $0.key < $1.key }.flatMap { name, secret in
            var problems: [ConfigProblem] = []
            if name.utf8.count > longestName {
                problems.append(
                    ConfigProblem(
                        "secrets",
                        "the name of secret '\(name.prefix(20))…' is longer than "
                            + "\(longestName) characters; shorten it"))
            }
            if secret.as == "env", config.env?[name] != nil {
                problems.append(
                    ConfigProblem(
                        "secrets",
                        "'\(name)' is both in env and a secret with as: env; "
                            + "remove one of the two"))
            }
            return problems
        }
    }

    /// A name in an archive of the kind ustar, without the directory in front of it.
    private static let longestName = 100
}

public import PalModel
import PalProvider

/// What opens the editor of an image, and how the editor is told: by files and variables only, so
/// that no argument shows it. `EditorProfile` has each editor's way.
public enum EditorLock: String, Sendable, Hashable {
    /// A password that pal generated.
    case password
    /// A token that pal generated.
    case token
    /// The spec's secret `PASSWORD` or `HASHED_PASSWORD`.
    case secret
    /// What the spec's `env`, `command` or entry point says, or the image by itself.
    case own

    /// Every variable that decides how an editor is opened, or that tells it.
    public static let variables = Editor.allCases.map { EditorProfile.of($0) }.flatMap {
        let cookie = $0.cookieVariable.map { [$0] } ?? []
        guard case .configFile(let variable, let passwords, _) = $0.opening else { return cookie }
        return passwords.keys.sorted() + [variable] + cookie
    }

    /// Where pal's own files are inside; names with a hyphen are no secret's.
    public static let directory = "/run/secrets"
    private static let configFile = directory + "/pal-code-server.yaml"
    private static let tokenFile = directory + "/pal-connection-token"

    /// What opens the editor of a config; nil for one that pal has no table entry for.
    public init?(for config: InstanceConfig) {
        let arguments = config.command ?? []
        let hasOwnEntrypoint = config.specific?["entrypoint"] != nil
        switch EditorProfile(for: config).opening {
        case .unknown: return nil
        case .configFile(let variable, let passwords, let winning):
            let secrets = passwords.keys.compactMap { config.secrets?[$0] }
            let isOpenedByVariable = Self.readsVariablesAlone(config)
            if ([variable] + passwords.keys).contains(where: { config.env?[$0] != nil })
                || Self.says(winning, arguments)
            {
                self = .own
            } else if secrets.contains(where: { !isOpenedByVariable || $0.as == "env" }) {
                self = .secret
            } else {
                self = isOpenedByVariable ? .own : .password
            }
        case .tokenFile(_, let argument?):
            let isOwn = hasOwnEntrypoint || arguments.contains { $0.hasPrefix(argument) }
            self = isOwn ? .own : .token
        case .tokenFile(_, nil):
            self = hasOwnEntrypoint || config.command != nil ? .own : .token
        }
    }

    /// Whether one of these arguments is there, with the value that it must have.
    private static func says(_ winning: [String: String?], _ arguments: [String]) -> Bool {
        zip(arguments, arguments.dropFirst() + [""]).contains { argument, next in
            winning.contains { name, value in
                guard let value else { return argument == name || argument.hasPrefix(name + "=") }
                return argument == "\(name)=\(value)" || argument == name && next == value
            }
        }
    }

    /// linuxserver.io's image starts code-server with flags that win over any file.
    private static func readsVariablesAlone(_ config: InstanceConfig) -> Bool {
        EditorProfile.isLinuxServer(EditorProfile.image(for: config))
    }

    /// Whether pal keeps the password or token.
    public var isGenerated: Bool { self == .password || self == .token }

    /// The variables that tell the editor: none of them secret, and all of them pal's own, so that
    /// they are no part of what a spec says.
    public static func environment(for config: InstanceConfig, id: String) -> [String: String] {
        let profile = EditorProfile(for: config)
        var environment: [String: String] = [:]
        if let cookie = profile.cookieVariable { environment[cookie] = id }
        if let variable = readConfigFile(config)?.variable { environment[variable] = configFile }
        return environment
    }

    /// How an editor is told that reads a configuration file of pal's; nil for others.
    private static func readConfigFile(
        _ config: InstanceConfig
    ) -> (variable: String, passwords: [String: String])? {
        guard case .configFile(let variable, let passwords, _) = EditorProfile(for: config).opening
        else { return nil }
        switch EditorLock(for: config) {
        case .password: return (variable, passwords)
        case .secret:
            let isFile = passwords.keys.contains {
                config.secrets?[$0].map { $0.as != "env" } ?? false
            }
            return isFile ? (variable, passwords) : nil
        default: return nil
        }
    }

    /// The entry point in the place of the image's; nil where the image's own will do.
    public static func entrypoint(for config: InstanceConfig) -> [String]? {
        let profile = EditorProfile(for: config)
        guard EditorLock(for: config) == .token, case .tokenFile(let program, _) = profile.opening
        else { return nil }
        let script =
            "exec \(program) --host 0.0.0.0 --port \(profile.port ?? 0) "
            + #"--connection-token-file \#(tokenFile) "$@""#
        return ["/bin/sh", "-c", script, "--"]
    }

    /// The files that tell the editor.
    ///
    /// - Parameters:
    ///   - generated: The password or token that pal keeps; nil where it keeps none.
    ///   - secrets: The values of the spec's secrets.
    static func files(
        for config: InstanceConfig, generated: SecretValue?, secrets: [String: SecretValue]
    ) throws(ProviderFailure) -> [PlacedFile] {
        if EditorLock(for: config) == .token {
            return generated.map { [PlacedFile(path: tokenFile, content: $0)] } ?? []
        }
        guard let passwords = readConfigFile(config)?.passwords else { return [] }
        var lines = ["auth: password"]
        if let password = generated?.text {
            lines.append("password: \(Value.string(password).canonicalJSON)")
        }
        for (name, key) in passwords.sorted(by: { $0.key < $1.key }) {
            guard generated == nil, config.secrets?[name]?.as != "env", let value = secrets[name]
            else { continue }
            guard let text = value.text, !text.isEmpty, !text.contains(where: \.isNewline) else {
                throw .invalid(
                    "secret '\(name)' of '\(config.name)' must be one line of text, because "
                        + "code-server takes it as its password; correct the value")
            }
            // JSON's quotes are YAML's.
            lines.append("\(key): \(Value.string(text).canonicalJSON)")
        }
        lines.append("cert: false")
        let content = SecretValue(lines.joined(separator: "\n") + "\n")
        return [PlacedFile(path: configFile, content: content)]
    }

    /// What a person should know of how a config's editor is opened.
    public static func warnings(_ config: InstanceConfig) -> [Condition] {
        guard readsVariablesAlone(config),
            !["PASSWORD", "HASHED_PASSWORD"].contains(where: {
                config.secrets?[$0]?.as == "env"
            }),
            !["PASSWORD", "HASHED_PASSWORD", "FILE__PASSWORD", "FILE__HASHED_PASSWORD"].contains(
                where: { config.env?[$0] != nil })
        else { return [] }
        return [
            Condition(
                .exposed, reason: "EditorWithoutPassword",
                message: "linuxserver.io's image asks for no password unless it is a variable: "
                    + "whoever reaches its port has the editor; add "
                    + "secrets: { PASSWORD: { fromEnv: NAME, as: env } }")
        ]
    }
}

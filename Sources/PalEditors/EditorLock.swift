public import PalModel
import PalProvider

/// What opens the editor of an image, and how the editor is told: by files and variables only, so
/// that no argument shows it.
///
/// - code-server reads a configuration file that `CODE_SERVER_CONFIG` names. A variable `PASSWORD`
///   or `HASHED_PASSWORD` wins over what is in it.
/// - openvscode-server and `code serve-web` read a token from a file that an argument names. The
///   image of the first begins with `--without-connection-token`, which they do not take beside it:
///   so pal's entry point stands in the place of the image's.
public enum EditorLock: String, Sendable, Hashable {
    /// A password that pal generated.
    case password
    /// A token that pal generated.
    case token
    /// The spec's secret `PASSWORD` or `HASHED_PASSWORD`.
    case secret
    /// What the spec's `env`, `command` or entry point says.
    case own

    /// The secrets that code-server takes in the place of a generated password, with the key of its
    /// configuration file.
    private static let passwordKeys = [
        "PASSWORD": "password", "HASHED_PASSWORD": "hashed-password",
    ]
    private static let ownVariables = ["PASSWORD", "HASHED_PASSWORD", "CODE_SERVER_CONFIG"]

    /// Every variable that decides how an editor is opened, or that tells it.
    public static let variables = ownVariables + ["CODE_SERVER_COOKIE_SUFFIX"]

    /// Where pal's own files are inside; names with a hyphen are no secret's.
    public static let directory = "/run/secrets"
    private static let configFile = directory + "/pal-code-server.yaml"
    private static let tokenFile = directory + "/pal-connection-token"

    /// What opens the editor of a config; nil for one that pal has no table entry for.
    public init?(for config: InstanceConfig) {
        switch config.editor ?? .codeServer {
        case .codeServer:
            if Self.ownVariables.contains(where: { config.env?[$0] != nil })
                || Self.saysHowToOpen(config.command ?? [])
            {
                self = .own
            } else if Self.passwordKeys.keys.contains(where: { config.secrets?[$0] != nil }) {
                self = .secret
            } else {
                self = .password
            }
        case .openvscodeServer:
            let arguments = config.command ?? []
            let isOwn =
                Self.hasOwnEntrypoint(config)
                || arguments.contains { $0.hasPrefix("--without-connection-token") }
            self = isOwn ? .own : .token
        case .vscode:
            // There is no usual image: a command of the spec's own is the whole of it.
            let isOwn = config.command != nil || Self.hasOwnEntrypoint(config)
            self = isOwn ? .own : .token
        case .custom: return nil
        }
    }

    /// Arguments win over the configuration file, and over the variable that names it.
    private static func saysHowToOpen(_ arguments: [String]) -> Bool {
        zip(arguments, arguments.dropFirst() + [""]).contains { argument, next in
            argument == "--auth=none" || (argument == "--auth" && next == "none")
                || argument == "--config" || argument.hasPrefix("--config=")
        }
    }

    private static func hasOwnEntrypoint(_ config: InstanceConfig) -> Bool {
        config.specific?["entrypoint"] != nil
    }

    /// Whether pal keeps the password or token.
    public var isGenerated: Bool { self == .password || self == .token }

    /// The variables that tell the editor: none of them secret, and all of them pal's own, so that
    /// they are no part of what a spec says. Cookies are kept by host and not by port, so each
    /// instance gets a name of its own for them.
    public static func environment(for config: InstanceConfig, id: String) -> [String: String] {
        guard (config.editor ?? .codeServer) == .codeServer else { return [:] }
        var environment = ["CODE_SERVER_COOKIE_SUFFIX": id]
        if readsConfigFile(config) { environment["CODE_SERVER_CONFIG"] = configFile }
        return environment
    }

    private static func readsConfigFile(_ config: InstanceConfig) -> Bool {
        switch EditorLock(for: config) {
        case .password: true
        case .secret:
            passwordKeys.keys.contains { config.secrets?[$0].map { $0.as != "env" } ?? false }
        default: false
        }
    }

    /// The entry point in the place of the image's; nil where the image's own will do.
    public static func entrypoint(for config: InstanceConfig) -> [String]? {
        guard EditorLock(for: config) == .token else { return nil }
        let program: String
        switch config.editor {
        case .openvscodeServer:
            program =
                #""${OPENVSCODE_SERVER_ROOT:-/home/.openvscode-server}/bin/openvscode-server""#
        case .vscode: program = "code serve-web --accept-server-license-terms"
        default: return nil
        }
        let port = EditorProfile(for: config).port ?? 0
        let script =
            "exec \(program) --host 0.0.0.0 --port \(port) "
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
        guard readsConfigFile(config) else { return [] }
        var lines = ["auth: password"]
        if let password = generated?.text {
            lines.append("password: \(Value.string(password).canonicalJSON)")
        }
        for (name, key) in passwordKeys.sorted(by: { $0.key < $1.key }) {
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
}

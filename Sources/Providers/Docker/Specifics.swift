import PalModel
import PalProvider

/// What a spec's `specific` may say to Docker.
struct Specifics: Sendable, Hashable {
    /// Another path for the editor's home, where persistent storage is mounted.
    var home: String?
    /// Another folder for `workspacePath`.
    var projectFolder: String?
    /// The user inside, as `docker run --user` takes it.
    var user: String?
    /// An existing network to join instead of the swarm's own.
    var network: String?

    private static let keys = ["home", "network", "projectFolder", "user"]

    /// Reads what is good; `problems` says what is not.
    init(_ config: InstanceConfig) {
        let text: (String) -> String? = { key in config.specific?[key].flatMap { String($0) } }
        home = text("home")
        projectFolder = text("projectFolder")
        user = text("user")
        network = text("network")
    }

    /// Everything that is wrong with a config's `specific`.
    static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        (config.specific ?? [:]).sorted { $0.key < $1.key }.compactMap { key, value in
            problem(key, value).map { ConfigProblem("specific.\(key)", $0) }
        }
    }

    private static func problem(_ key: String, _ value: Value) -> String? {
        guard keys.contains(key) else {
            let hint =
                Suggestion.nearest(to: key, among: keys).map { "; did you mean '\($0)'?" }
                ?? "; docker knows \(keys.joined(separator: ", "))"
            return "unknown key 'specific.\(key)'\(hint)"
        }
        guard case .string(let text) = value, !text.isEmpty else {
            return "specific.\(key) must be a text, not \(value.kindName)"
        }
        if key == "home" || key == "projectFolder" {
            guard TextRule.absolutePath.accepts(text) else {
                return "specific.\(key) must be \(TextRule.absolutePath.expectation)"
            }
        }
        if key == "network", !DockerName.isValid(text) {
            return "specific.network must be the name of a Docker network, not '\(text)'"
        }
        return nil
    }
}

public import PalModel
public import PalProvider

/// What pal knows of an editor's usual image: the one table behind ports, mounts and readiness.
public struct EditorProfile: Sendable, Hashable {
    /// The port that the editor listens on inside; nil where none is known: then none is published.
    public var port: Int?
    /// The home of the editor's user: what persistent storage is mounted at.
    public var home: String
    /// The folder that `workspacePath` is mounted at.
    public var projectFolder: String
    /// The path that answers 200 without a login as soon as the editor serves; nil where none is
    /// known: then an instance that runs is ready.
    public var readinessPath: String?

    /// The profile of an editor.
    ///
    /// code-server's `/healthz` needs no login and does not count as activity. openvscode-server
    /// and `code serve-web` have no such path; their `/version` answers before the login.
    public static func of(_ editor: Editor) -> EditorProfile {
        switch editor {
        case .codeServer:
            EditorProfile(
                port: 8080, home: "/home/coder", projectFolder: "/home/coder/project",
                readinessPath: "/healthz")
        case .openvscodeServer:
            EditorProfile(
                port: 3000, home: "/home/workspace", projectFolder: "/home/workspace/project",
                readinessPath: "/version")
        case .vscode:
            EditorProfile(
                port: 8000, home: "/home/vscode", projectFolder: "/home/vscode/project",
                readinessPath: "/version")
        case .custom:
            EditorProfile(
                port: nil, home: "/home/coder", projectFolder: "/home/coder/project",
                readinessPath: nil)
        }
    }

    /// The image that people use for an editor; nil where there is none.
    static func usualImage(of editor: Editor) -> String? {
        switch editor {
        case .codeServer: "codercom/code-server:latest"
        case .openvscodeServer: "gitpod/openvscode-server:latest"
        case .vscode, .custom: nil
        }
    }

    /// The image that is used: the editor's usual one where a spec names none.
    public static func image(for config: InstanceConfig) -> String {
        config.image ?? usualImage(of: config.editor ?? .codeServer)
            ?? "codercom/code-server:latest"
    }

    /// The profile for a config: the editor's, with what the config says otherwise. Of `specific`
    /// it reads `home` and `projectFolder`.
    public init(for config: InstanceConfig) {
        self = .of(config.editor ?? .codeServer)
        home = config.specific?["home"].flatMap { String($0) } ?? home
        projectFolder = config.specific?["projectFolder"].flatMap { String($0) } ?? projectFolder
        port = config.network.port ?? port
        readinessPath = config.health.path ?? readinessPath
    }

    private init(port: Int?, home: String, projectFolder: String, readinessPath: String?) {
        self.port = port
        self.home = home
        self.projectFolder = projectFolder
        self.readinessPath = readinessPath
    }

    /// What is wrong with what a config says of its editor.
    public static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if config.editor == .vscode, config.image == nil {
            problems.append(
                ConfigProblem(
                    "image", "editor: vscode has no usual image; set image to one with 'code'"))
        }
        if config.health.path != nil, EditorProfile(for: config).port == nil {
            problems.append(
                ConfigProblem(
                    "health.path",
                    "health.path needs to know which port to ask: set network.port, since "
                        + "editor: custom has none of its own"))
        }
        return problems
    }
}

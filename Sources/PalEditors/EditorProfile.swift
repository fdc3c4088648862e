public import PalModel
public import PalProvider

/// What pal knows of an editor and of its usual image: the one table behind ports, mounts, flags,
/// variables and readiness.
public struct EditorProfile: Sendable, Hashable {
    /// The port that the editor listens on inside; nil where none is known: then none is published.
    public var port: Int?
    /// The argument that says another port; nil where the variable `PORT` does.
    public var portArgument: String?
    /// The home of the editor's user: what persistent storage is mounted at.
    public var home: String
    /// The folder that `workspacePath` is mounted at.
    public var projectFolder: String
    /// The path that answers 200 without a login as soon as the editor serves; nil where none is
    /// known: then an instance that runs is ready.
    public var readinessPath: String?
    /// The image that people use; nil where there is none.
    public var usualImage: String?
    /// The program that installs extensions, as a shell finds it inside; nil where none does.
    public var extensionsProgram: String?
    /// The variable that says what its cookies' names end with: cookies are kept by host and not by
    /// port, so each instance gets a name of its own for them.
    var cookieVariable: String?
    /// How the editor is told what opens it.
    var opening = Opening.unknown

    /// How an editor is told what opens it.
    enum Opening: Sendable, Hashable {
        /// pal does not know the editor.
        case unknown
        /// By a configuration file that a variable names.
        ///
        /// - passwords: The variables that win over what is in it, which are secrets' names as
        ///   well, with the file's keys for them.
        /// - arguments: What wins over the variable; each takes a value behind it or none.
        case configFile(variable: String, passwords: [String: String], arguments: [String: String?])
        /// By a file with a token that an argument names, so that pal's entry point stands in the
        /// place of the image's.
        ///
        /// - program: As a shell finds it inside, with the arguments that it always gets.
        /// - ownArgument: What the image's entry point goes before; a command with it is left
        ///   alone. Nil where there is no usual image: any command of the spec's is the whole.
        case tokenFile(program: String, ownArgument: String?)
    }

    /// The row of an editor.
    ///
    /// code-server's `/healthz` needs no login and does not count as activity. openvscode-server
    /// and `code serve-web` have no such path; their `/version` answers before the login.
    public static func of(_ editor: Editor) -> EditorProfile {
        switch editor {
        case .codeServer: codeServer
        case .openvscodeServer: openvscodeServer
        case .vscode: serveWeb
        case .custom: EditorProfile(home: "/home/coder", projectFolder: "/home/coder/project")
        }
    }

    private static let codeServer = EditorProfile(
        port: 8080, home: "/home/coder", projectFolder: "/home/coder/project",
        readinessPath: "/healthz", usualImage: "codercom/code-server:latest",
        extensionsProgram: "code-server", cookieVariable: "CODE_SERVER_COOKIE_SUFFIX",
        opening: .configFile(
            variable: "CODE_SERVER_CONFIG",
            passwords: ["PASSWORD": "password", "HASHED_PASSWORD": "hashed-password"],
            arguments: ["--auth": "none", "--config": nil]))

    private static let openvscodeProgram =
        #""${OPENVSCODE_SERVER_ROOT:-/home/.openvscode-server}/bin/openvscode-server""#

    private static let openvscodeServer = EditorProfile(
        port: 3000, portArgument: "--port", home: "/home/workspace",
        projectFolder: "/home/workspace/project", readinessPath: "/version",
        usualImage: "gitpod/openvscode-server:latest", extensionsProgram: openvscodeProgram,
        opening: .tokenFile(
            program: openvscodeProgram, ownArgument: "--without-connection-token"))

    private static let serveWeb = EditorProfile(
        port: 8000, home: "/home/vscode", projectFolder: "/home/vscode/project",
        readinessPath: "/version",
        opening: .tokenFile(
            program: "code serve-web --accept-server-license-terms", ownArgument: nil))

    /// The editor that an image serves, by its name; nil for an image of something else. One of
    /// linuxserver.io's is set up in a way of its own.
    public static func editor(ofImage image: String) -> Editor? {
        let name = (image.split(separator: "@").first ?? "").split(separator: "/").last ?? ""
        if name.hasPrefix("openvscode-server") { return .openvscodeServer }
        return name.hasPrefix("code-server") && !isLinuxServer(image) ? .codeServer : nil
    }

    /// Whether it is linuxserver.io's image of code-server: another port, another home, and a
    /// password from variables alone.
    public static func isLinuxServer(_ image: String) -> Bool {
        image.contains("linuxserver/code-server")
    }

    /// The image that is used: the editor's usual one where a spec names none.
    public static func image(for config: InstanceConfig) -> String {
        config.image ?? of(config.editor ?? .codeServer).usualImage
            ?? codeServer.usualImage ?? ""
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

extension EditorProfile {
    /// The profile for a config: the editor's, with what the config says otherwise. Of `specific`
    /// it reads `home` and `projectFolder`.
    public init(for config: InstanceConfig) {
        self = .of(config.editor ?? .codeServer)
        home = config.specific?["home"].flatMap { String($0) } ?? home
        projectFolder = config.specific?["projectFolder"].flatMap { String($0) } ?? projectFolder
        port = config.network.port ?? port
        readinessPath = config.health.path ?? readinessPath
    }
}

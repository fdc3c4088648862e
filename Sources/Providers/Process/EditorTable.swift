import PalFiles
import PalModel

/// What pal knows of an editor's program: flags, port, readiness.
///
/// All of them listen on loopback only. No password or token is ever an argument: those can be
/// read by every user of the machine.
struct EditorProfile: Sendable, Hashable {
    var editor: Editor
    /// The name on `PATH`.
    var program: String
    var port: Int
    /// Answers 200 without a login as soon as the editor serves.
    var readinessPath: String

    /// In the order in which they are looked for where a spec names none.
    static let all = [
        EditorProfile(
            editor: .codeServer, program: "code-server", port: 8080, readinessPath: "/healthz"),
        EditorProfile(
            editor: .openvscodeServer, program: "openvscode-server", port: 3000,
            readinessPath: "/version"),
        EditorProfile(
            editor: .vscode, program: "code", port: 8000, readinessPath: "/version"),
    ]

    static func of(_ editor: Editor) -> EditorProfile? { all.first { $0.editor == editor } }

    /// How an instance comes to its port.
    enum DeclaredPort: Hashable, Sendable {
        /// It serves nothing that pal knows of.
        case none
        /// Exactly this one.
        case fixed(Int)
        /// The first free one from here on.
        case from(Int)
    }

    /// The port that a config asks for. A command has one only where the spec says so.
    static func declaredPort(_ config: InstanceConfig) -> DeclaredPort {
        if let port = config.network.port { return .fixed(port) }
        if let profile = config.editor.flatMap(of) { return .from(profile.port) }
        return config.command == nil ? .from(all[0].port) : .none
    }

    /// The arguments, without the program's name.
    func arguments(port: Int, folder: String, cookieSuffix: String, _ files: InstanceFiles)
        -> [String]
    {
        switch editor {
        case .codeServer, .custom:
            [
                "--config", files.editorConfig, "--bind-addr", "127.0.0.1:\(port)",
                "--auth", "password", "--cookie-suffix", cookieSuffix,
                "--disable-update-check", folder,
            ]
        case .openvscodeServer:
            serverArguments(port, files) + ["--default-folder", folder]
        case .vscode:
            ["serve-web"] + serverArguments(port, files)
        }
    }

    private func serverArguments(_ port: Int, _ files: InstanceFiles) -> [String] {
        [
            "--host", "127.0.0.1", "--port", String(port),
            "--connection-token-file", files.password, "--accept-server-license-terms",
        ]
    }

    /// The file that code-server reads its password from.
    static func codeServerConfig(password: String) -> String {
        "auth: password\npassword: \(password)\ncert: false\n"
    }
}

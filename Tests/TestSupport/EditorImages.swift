import FoundationEssentials
import PalHTTP

/// Images that behave as code-server's, openvscode-server's and one with `code serve-web` do, as
/// far as pal relies on it.
///
/// No registry can be asked here, so that their programs are scripts, written after the documented
/// behaviour of the real ones: which flags they refuse, where they read a password, a token or
/// extensions, what they answer, and that they run as a user of their own. They check what they are
/// given, and end where the real one would.
public enum EditorImages {
    /// As `codercom/code-server`.
    public static let codeServer = local("pal-tests-code-server:3")
    /// As `gitpod/openvscode-server`.
    public static let openVSCodeServer = local("pal-tests-openvscode-server:1")
    /// As an image that somebody put VS Code's own command into.
    public static let serveWeb = local("pal-tests-serve-web:1")

    /// Podman has more than one registry, and looks for a name without one in all of them.
    private static func local(_ name: String) -> String {
        DockerEngine.isPodman ? "localhost/" + name : name
    }

    /// Makes them where they are missing, once in a process. Whoever changes what is in them
    /// changes their tags.
    public static func ensure() async throws { try await made.value }

    private static let made = Task {
        let engine = DockerEngine.endpoint
        try await loadCodeServer(at: DockerEngine.socketPath)
        let entry = [
            "/bin/sh", "-c",
            "exec ${OPENVSCODE_SERVER_ROOT}/bin/openvscode-server --host 0.0.0.0 "
                + "--without-connection-token \"${@}\"", "--",
        ]
        try await load(
            openVSCodeServer, into: engine, home: "home/workspace", entry: entry,
            environment: "OPENVSCODE_SERVER_ROOT=/home/.openvscode-server"
        ) {
            for directory in ["home/.openvscode-server", "home/.openvscode-server/bin"] {
                $0.add(directory + "/", type: "5", mode: 0o755)
            }
            $0.add(
                "home/.openvscode-server/bin/openvscode-server",
                Array(openVSCodeProgram.utf8), mode: 0o755)
            $0.add("bin/answer", Array(openVSCodeAnswer.utf8), mode: 0o755)
        }
        try await load(serveWeb, into: engine, home: "home/vscode", entry: ["/bin/code"]) {
            $0.add("bin/code", Array(serveWebProgram.utf8), mode: 0o755)
            $0.add("bin/answer", Array((serveWebDownload + openVSCodeAnswer).utf8), mode: 0o755)
        }
    }

    /// Makes the first of them at another Engine than that of the tests.
    public static func loadCodeServer(at socket: String) async throws {
        let engine = Endpoint.unixSocket(path: socket)
        try await load(codeServer, into: engine, home: "home/coder", entry: ["/entrypoint"]) {
            $0.add("entrypoint", Array(codeServerEntry.utf8), mode: 0o755)
            $0.add("bin/code-server", Array(codeServerProgram.utf8), mode: 0o755)
            $0.add("bin/answer", Array(codeServerAnswer.utf8), mode: 0o755)
        }
    }

    private static func load(
        _ image: String, into endpoint: Endpoint, home: String, entry: [String],
        environment: String? = nil, _ fill: (inout Tar) -> Void
    ) async throws {
        let client = HTTPClient()
        defer { client.shutdown() }
        let found = try await client.send(
            HTTPRequest("GET", "/v1.41/images/\(image)/json"), to: endpoint)
        if found.status == 200 { return }
        guard let busybox = try? Data(contentsOf: URL(filePath: "/bin/busybox")) else {
            throw TestFailure("there is no /bin/busybox; install Debian's busybox-static")
        }
        var archive = Tar()
        for directory in ["bin", "tmp", "proc", "sys", "dev", "etc", "home", "run"] {
            archive.add(directory + "/", type: "5", mode: directory == "tmp" ? 0o1777 : 0o755)
        }
        archive.add(home + "/", type: "5", mode: 0o755, owner: 1000)
        archive.add("bin/busybox", [UInt8](busybox), mode: 0o755)
        for applet in applets { archive.add("bin/\(applet)", type: "2", link: "busybox") }
        archive.add("etc/passwd", Array("coder:x:1000:1000::/\(home):/bin/sh\n".utf8))
        fill(&archive)
        var changes = [
            "ENTRYPOINT \(json(entry))", "USER 1000", "WORKDIR /\(home)", "ENV HOME=/\(home)",
        ]
        changes += environment.map { ["ENV \($0)"] } ?? []
        try await ImportedImage(image, archive.finished(), changes).make(at: endpoint)
    }

    private static func json(_ texts: [String]) -> String {
        let quoted = texts.map {
            "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return "[" + quoted.joined(separator: ",") + "]"
    }

    private static let applets = [
        "sh", "sleep", "echo", "cat", "ls", "kill", "id", "env", "true", "printf", "grep", "test",
        "touch", "head", "tail", "tr", "nc", "sed", "mkdir", "cut", "sha256sum", "rm", "stat",
        "ps", "wc",
    ]

    private static let codeServerEntry = """
        #!/bin/sh
        exec /bin/code-server --bind-addr 0.0.0.0:8080 . "$@"

        """
}

import FoundationEssentials
import PalHTTP

/// Images that behave as code-server's and openvscode-server's do, as far as pal relies on it.
///
/// No registry can be asked here, so that their programs are scripts, written after the documented
/// behaviour of the real ones: which flags they refuse, where they read a password, a token or
/// extensions, what they answer, and that they run as a user of their own. They check what they are
/// given, and end where the real one would.
public enum EditorImages {
    /// As `codercom/code-server`.
    public static let codeServer = "pal-tests-code-server:2"
    /// As `gitpod/openvscode-server`.
    public static let openVSCodeServer = "pal-tests-openvscode-server:1"

    /// Makes both where they are missing, once in a process. Whoever changes what is in them
    /// changes their tags.
    public static func ensure() async throws { try await made.value }

    private static let made = Task {
        let engine = Endpoint.unixSocket(path: "/var/run/docker.sock")
        try await load(codeServer, into: engine, home: "home/coder", entry: ["/entrypoint"]) {
            $0.add("entrypoint", Array(codeServerEntry.utf8), mode: 0o755)
            $0.add("bin/code-server", Array(codeServerProgram.utf8), mode: 0o755)
            $0.add("bin/answer", Array(codeServerAnswer.utf8), mode: 0o755)
        }
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
        let changes = [
            "ENTRYPOINT \(json(entry))", "USER 1000", "WORKDIR /\(home)", "ENV HOME=/\(home)",
        ]
        let all = (changes + (environment.map { ["ENV \($0)"] } ?? [])).map {
            "&changes=" + encoded($0)
        }
        let parts = image.split(separator: ":")
        let answer = try await client.send(
            HTTPRequest(
                "POST",
                "/v1.41/images/create?fromSrc=-&repo=\(parts[0])&tag=\(parts[1])\(all.joined())",
                headers: [("Content-Type", "application/x-tar")], body: archive.finished()),
            to: endpoint)
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200, !text.contains("errorDetail") else {
            throw TestFailure("the image \(image) was not imported: \(answer.status) \(text)")
        }
    }

    private static func json(_ texts: [String]) -> String {
        let quoted = texts.map {
            "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return "[" + quoted.joined(separator: ",") + "]"
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let hex = String(byte, radix: 16, uppercase: true)
            return hex.count == 1 ? "%0\(hex)" : "%\(hex)"
        }.joined()
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

import FoundationEssentials
public import PalHTTP

/// The image that every test runs: busybox with a web server in the place of an editor.
///
/// Made from this machine's static busybox, because no registry is asked. Its entry point serves
/// `/healthz`, `/version` and a page on `$PORT` (8080 where unset), says a line on each output, and
/// ends at once on SIGTERM. With arguments it runs them instead.
public enum BusyboxImage {
    /// What specs call it.
    public static let name = DockerEngine.isPodman ? Podman.image : "pal-tests:2"

    /// Makes it where it is missing, once in a process. Whoever changes what is in it changes its
    /// tag.
    public static func ensure() async throws { try await made.value }

    private static let made = Task {
        try await load(into: DockerEngine.endpoint)
    }

    /// Makes it at another Engine.
    public static func load(into endpoint: Endpoint) async throws {
        let client = HTTPClient()
        defer { client.shutdown() }
        let found = try await client.send(
            HTTPRequest("GET", "/v1.41/images/\(name)/json"), to: endpoint)
        if found.status == 200 { return }
        try await make(name, at: endpoint)
    }

    /// Makes an image of another name, with more in it where that is given.
    public static func make(
        _ name: String, extra: [UInt8] = [], at endpoint: Endpoint
    ) async throws {
        guard let busybox = try? Data(contentsOf: URL(filePath: "/bin/busybox")) else {
            throw TestFailure("there is no /bin/busybox; install Debian's busybox-static")
        }
        try await ImportedImage(
            name, tar([UInt8](busybox), extra), ["ENTRYPOINT [\"/entrypoint\"]"]
        ).make(at: endpoint)
    }

    private static let entryPoint = """
        #!/bin/sh
        if [ $# -gt 0 ]; then exec "$@"; fi
        trap 'exit 0' TERM INT
        httpd -f -p "${PORT:-8080}" -h /www &
        echo "serving on ${PORT:-8080}"
        echo "a line of errors" >&2
        wait

        """

    private static let applets = [
        "sh", "httpd", "sleep", "echo", "cat", "ls", "wget", "kill", "id", "hostname", "env",
        "true",
        "seq", "printf", "mount", "grep", "test", "touch", "head", "tr", "yes",
    ]

    private static func tar(_ busybox: [UInt8], _ extra: [UInt8]) -> [UInt8] {
        var archive = Tar()
        for directory in ["bin", "www", "tmp", "proc", "sys", "dev", "etc", "home", "home/coder"] {
            archive.add(directory + "/", type: "5", mode: 0o755)
        }
        archive.add("bin/busybox", busybox, mode: 0o755)
        for applet in applets { archive.add("bin/\(applet)", type: "2", link: "busybox") }
        archive.add("entrypoint", Array(entryPoint.utf8), mode: 0o755)
        archive.add("www/index.html", Array("hello\n".utf8))
        archive.add("www/healthz", Array("ok\n".utf8))
        archive.add("www/version", Array("1\n".utf8))
        archive.add("home/coder/from-image", Array("x\n".utf8))
        if !extra.isEmpty { archive.add("extra", extra) }
        return archive.finished()
    }
}

/// Just enough of ustar.
struct Tar {
    private var bytes: [UInt8] = []

    mutating func add(
        _ name: String, _ content: [UInt8] = [], type: String = "0", mode: Int = 0o644,
        link: String = "", owner: Int = 0
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(owner, 7), at: 108)
        put(octal(owner, 7), at: 116)
        put(octal(content.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put(String(repeating: " ", count: 8), at: 148)
        put(type, at: 156)
        put(link, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
        header[154] = 0
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}

import Foundation
import PalHTTP
public import Testing

/// Podman's service, without pal in between: to arrange things and to look.
public enum Podman {
    /// The path of its socket; `Tests/scripts/test.sh` starts it.
    public static let socketPath =
        ProcessInfo.processInfo.environment["PAL_TEST_PODMAN"] ?? "/run/podman/podman.sock"

    /// Whether this process can talk to it. In CI a missing one is a failure, not a reason to skip.
    public static let isHere =
        access(socketPath, R_OK | W_OK) == 0
        || Needs.areBinding

    /// What `DOCKER_HOST` must be for pal to find it.
    public static var host: String { "unix://\(socketPath)" }

    /// What specs call the image that every test runs: with a registry in front, because Podman has
    /// more than one, and with the tag that it gives to whatever is imported.
    public static let image = "localhost/pal-tests:latest"

    /// Makes the image, once in a process.
    public static func ensureImage() async throws { try await made.value }

    private static let made = Task {
        try await BusyboxImage.make(image, at: .unixSocket(path: socketPath))
    }

    private static let client = HTTPClient()

    /// Calls its API.
    /// - Returns: The answer's status.
    @discardableResult
    public static func call(
        _ method: String, _ path: String, body: [UInt8]? = nil
    ) async throws -> Int {
        try await send(method, path, body).status
    }

    private static func send(
        _ method: String, _ path: String, _ body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await client.send(
            HTTPRequest(
                method, "/v1.41" + path, headers: [("Content-Type", "application/json")],
                body: body, timeout: .seconds(60)),
            to: .unixSocket(path: socketPath))
    }

    /// Builds an image on the tests' own by some more lines of a Dockerfile.
    public static func build(_ name: String, _ lines: String) async throws {
        var archive = Tar()
        archive.add("Dockerfile", Array("FROM \(image)\n\(lines)\n".utf8))
        let answer = try await client.send(
            HTTPRequest(
                "POST", "/v1.41/build?t=\(name)",
                headers: [("Content-Type", "application/x-tar")], body: archive.finished(),
                timeout: .seconds(60)),
            to: .unixSocket(path: socketPath))
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200, !text.contains("\"error\"") else {
            throw TestFailure("the image was not built: \(answer.status) \(text)")
        }
    }

    /// How many containers, volumes and networks bear a swarm's name.
    public static func leftovers(of swarm: String) async throws -> [Int] {
        var counts: [Int] = []
        for path in ["/containers/json?all=1", "/volumes", "/networks"] {
            let text = String(decoding: try await send("GET", path).body, as: UTF8.self)
            counts.append(text.components(separatedBy: "\"pal_\(swarm)").count - 1)
        }
        return counts
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where there is no Podman, but not in CI.
    public static var needsPodman: Self {
        .enabled(if: Podman.isHere, "no Podman at \(Podman.socketPath)")
    }
}

import Foundation
import PalHTTP
public import Testing

/// A registry of a test's own: Debian's `docker-registry`, on a free port of loopback, where Docker
/// asks for no TLS.
public final class TestRegistry: Sendable {
    /// The program.
    public static let program = "/usr/bin/docker-registry"
    /// The one user of a registry with a password.
    public static let user = "pal"
    /// That user's password.
    public static let password = "open sesame"
    /// bcrypt of the password; nothing else is understood.
    private static let passwordFile =
        "pal:$2b$04$STW6t4iF3VIckMsSFzfyseMsWY6nD3YgonP08QCIbbTzCs82BsrsS\n"

    /// `127.0.0.1:port`: what stands in front of its images' names.
    public let address: String
    private let process: Process
    private let scratch: Scratch
    private let hasPassword: Bool
    private static let engine = DockerEngine.endpoint

    private init(_ process: Process, _ address: String, _ scratch: Scratch, _ hasPassword: Bool) {
        (self.process, self.address) = (process, address)
        (self.scratch, self.hasPassword) = (scratch, hasPassword)
    }

    /// Runs a test with a registry, and ends it afterwards.
    ///
    /// - Parameter hasPassword: Whether only the one user may push and pull.
    public static func run(
        hasPassword: Bool = false, _ body: (TestRegistry) async throws -> Void
    ) async throws {
        let registry = try await start(hasPassword: hasPassword)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(registry))
        } catch {
            result = .failure(error)
        }
        registry.process.terminate()
        registry.process.waitUntilExit()
        try await registry.forgetImages()
        try result.get()
    }

    private static func start(hasPassword: Bool) async throws -> TestRegistry {
        let scratch = try Scratch()
        var lines = [
            "version: 0.1", "storage: { filesystem: { rootdirectory: \(scratch["data"]) } }",
            "http: { addr: '127.0.0.1:0' }",
        ]
        if hasPassword {
            let file = try scratch.write(passwordFile, to: "passwords")
            lines.append("auth: { htpasswd: { realm: tests, path: \(file) } }")
        }
        let config = try scratch.write(lines.joined(separator: "\n") + "\n", to: "config.yml")
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = ["serve", config]
        process.standardOutput = FileHandle.nullDevice
        try scratch.write("", to: "log")
        process.standardError = try FileHandle(forWritingTo: URL(filePath: scratch["log"]))
        try process.run()
        for _ in 0..<600 {
            let log = try String(contentsOfFile: scratch["log"], encoding: .utf8)
            if let found = log.firstMatch(of: /listening on (127\.0\.0\.1:\d+)/) {
                return TestRegistry(process, String(found.1), scratch, hasPassword)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        process.terminate()
        throw TestFailure("\(program) did not start; install Debian's docker-registry")
    }

    /// The full name of an image here.
    public func name(_ image: String) -> String { "\(address)/\(image)" }

    /// Makes an image like `BusyboxImage`, different from every other, and pushes it.
    ///
    /// - Parameters:
    ///   - megabytes: How much more is in it, of bytes that no compression makes smaller.
    ///   - staysHere: Whether the Engine keeps it; else it has to be pulled.
    /// - Returns: The full name.
    @discardableResult
    public func push(
        _ image: String, megabytes: Int = 0, staysHere: Bool = false
    ) async throws -> String {
        let name = name(image)
        var generator = SystemRandomNumberGenerator()
        let extra = (0..<max(64, megabytes << 17)).flatMap { _ in
            withUnsafeBytes(of: generator.next()) { Array($0) }
        }
        try await BusyboxImage.make(name, extra: extra, at: Self.engine)
        let parts = name.split(separator: ":")
        let path = parts.dropLast().joined(separator: ":")
        let answer = try await call(
            "POST", "/images/\(path)/push?tag=\(parts.last ?? "")\(plain)",
            headers: [("X-Registry-Auth", login)])
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200, !text.contains("errorDetail") else {
            throw TestFailure("\(name) was not pushed: \(answer.status) \(text)")
        }
        if !staysHere { try await forget(name) }
        return name
    }

    /// Removes an image from the Engine.
    public func forget(_ name: String) async throws {
        let answer = try await call("DELETE", "/images/\(name)?force=1")
        guard answer.status == 200 || answer.status == 404 else {
            throw TestFailure("\(name) was not removed: \(answer.status)")
        }
    }

    /// Docker asks no TLS of loopback; Podman is told with each push.
    private var plain: String { DockerEngine.isPodman ? "&tlsVerify=false" : "" }

    /// The login as the Engine takes it.
    private var login: String {
        let json =
            hasPassword
            ? #"{"username":"\#(Self.user)","password":"\#(Self.password)"}"# : "{}"
        return Data(json.utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_")
    }

    /// Removes what the Engine keeps of this registry's images. Containers of them must be gone.
    private func forgetImages() async throws {
        struct Image: Decodable {
            var RepoTags: [String]?
            var RepoDigests: [String]?
        }
        var all = try await call("GET", "/images/json")
        // Podman's list fails where an image goes meanwhile.
        for _ in 0..<50 where all.status != 200 { all = try await call("GET", "/images/json") }
        for image in try JSONDecoder().decode([Image].self, from: Data(all.body)) {
            for name in (image.RepoTags ?? []) + (image.RepoDigests ?? [])
            where name.hasPrefix(address + "/") {
                _ = try await call("DELETE", "/images/\(name)?force=1")
            }
        }
    }

    private func call(
        _ method: String, _ path: String, headers: [(name: String, value: String)] = []
    ) async throws -> HTTPResponse {
        let client = HTTPClient()
        defer { client.shutdown() }
        return try await client.send(
            HTTPRequest(method, "/v1.41" + path, headers: headers, timeout: .seconds(120)),
            to: Self.engine)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where there is no Docker Engine or no registry to start, but not in CI.
    public static var needsRegistry: Self {
        .enabled(
            if: DockerEngine.isHere && Needs.has(TestRegistry.program),
            "no Docker Engine, or no \(TestRegistry.program)")
    }
}

import FoundationEssentials
import PalHTTP

/// An image made of an archive, without a registry.
struct ImportedImage {
    private let name: String
    private let archive: [UInt8]
    private let changes: [String]

    /// - Parameters:
    ///   - name: With a tag.
    ///   - archive: A tar of its files.
    ///   - changes: Lines of a Dockerfile.
    init(_ name: String, _ archive: [UInt8], _ changes: [String]) {
        (self.name, self.archive, self.changes) = (name, archive, changes)
    }

    /// Has an Engine make it.
    func make(at endpoint: Endpoint) async throws {
        let client = HTTPClient()
        defer { client.shutdown() }
        func call(_ path: String, _ body: [UInt8]? = nil) async throws -> HTTPResponse {
            try await client.send(
                HTTPRequest(
                    "POST", "/v1.41" + path, headers: [("Content-Type", "application/x-tar")],
                    body: body, timeout: .seconds(120)), to: endpoint)
        }
        let colon = name.lastIndex(of: ":") ?? name.endIndex
        let (repository, tag) = (name[..<colon], name[colon...].dropFirst())
        let lines = changes.map { "&changes=" + Self.encoded($0) }.joined()
        let made = try await call(
            "/images/create?fromSrc=-&repo=\(Self.encoded(repository))&tag=\(tag)\(lines)", archive)
        let text = String(decoding: made.body, as: UTF8.self)
        guard made.status == 200, !text.contains("errorDetail") else {
            throw TestFailure("the image \(name) was not imported: \(made.status) \(text)")
        }
        // Podman calls what it imports `latest`, whatever it was told.
        guard DockerEngine.isPodman, tag != "latest", let id = Self.id(in: text) else { return }
        let tagged = try await call(
            "/images/\(id)/tag?repo=\(Self.encoded(repository))&tag=\(tag)")
        guard tagged.status == 201 else {
            throw TestFailure("the image \(name) got no tag: \(tagged.status)")
        }
    }

    /// The id that the last line of an import tells.
    private static func id(in text: String) -> Substring? {
        text.matches(of: /sha256:[0-9a-f]{64}/).last?.output
    }

    private static func encoded(_ text: some StringProtocol) -> String {
        text.utf8.map { byte in
            let hex = String(byte, radix: 16, uppercase: true)
            return hex.count == 1 ? "%0\(hex)" : "%\(hex)"
        }.joined()
    }
}

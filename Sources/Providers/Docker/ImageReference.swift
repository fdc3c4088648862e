/// What a spec's `image` names: `registry:5000/team/image:tag@sha256:…`.
struct ImageReference: Sendable, Hashable {
    /// As the spec writes it.
    let text: String
    /// Without tag and digest.
    let name: String
    /// As written; nil where there is none.
    let tag: String?
    /// `sha256:` and digits; wins over the tag.
    let digest: String?

    init(_ text: String) {
        self.text = text
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        digest = parts.count > 1 ? String(parts[1]) : nil
        let named = parts.first ?? ""
        let path = named.lastIndex(of: "/").map { named[$0...] } ?? named[...]
        if let colon = path.lastIndex(of: ":") {
            name = String(named[..<colon])
            tag = String(named[named.index(after: colon)...])
        } else {
            name = String(named)
            tag = nil
        }
    }

    /// What is asked for of the name: never nothing, which would be every tag.
    var wanted: String { digest ?? tag ?? "latest" }

    /// Whether it is an image's own id, which no registry knows.
    var isID: Bool {
        func isHex(_ text: Substring) -> Bool {
            text.utf8.count == 64 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
        }
        if text.hasPrefix("sha256:") { return isHex(text.dropFirst(7)) }
        return isHex(text[...])
    }

    /// Whether the name can come to stand for another image.
    var canMove: Bool { digest == nil && !isID }

    /// The host of its registry, with a port where one is given. Docker Hub's is `docker.io`.
    var registry: String {
        guard let slash = name.firstIndex(of: "/") else { return Self.hub }
        let first = name[..<slash]
        guard first.contains(".") || first.contains(":") || first == "localhost" else {
            return Self.hub
        }
        return first == "index.docker.io" ? Self.hub : String(first)
    }

    static let hub = "docker.io"
}

/// `GET /images/{name}/json`: only what the provider reads.
struct ImageDetail: Decodable, Sendable, Hashable {
    var id: String
    /// `registry/name@sha256:…`, one for each name that it was pulled or pushed by.
    var digests: [String]?
    var size: Int?
    /// Such as `linux` and `arm64`, and `v8` where it says so much.
    var system: String?
    var architecture: String?
    var variant: String?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case digests = "RepoDigests"
        case size = "Size"
        case system = "Os"
        case architecture = "Architecture"
        case variant = "Variant"
    }

    /// Whether it is for a platform such as `linux/arm64`, as far as it says; for any where nil.
    func isMade(for platform: String?) -> Bool {
        guard let platform else { return true }
        let wanted = Platform(platform)
        let own = Platform(
            [system, architecture, variant].compactMap { $0 }.joined(separator: "/"))
        func fits(_ wish: String?, _ own: String?) -> Bool {
            guard let wish, let own, !own.isEmpty else { return true }
            return wish == own
        }
        guard fits(wanted.system, own.system), fits(wanted.architecture, own.architecture) else {
            return false
        }
        // An older variant runs on a newer one.
        guard let wish = wanted.variant, let variant = own.variant else { return true }
        return variant <= wish
    }

    /// The registry's digest of it under that name.
    func digest(of reference: ImageReference) -> String? {
        let all = (digests ?? []).compactMap { entry -> (name: Substring, digest: String)? in
            guard let at = entry.firstIndex(of: "@") else { return nil }
            return (entry[..<at], String(entry[entry.index(after: at)...]))
        }
        // Podman writes short names out.
        return all.first { $0.name == reference.name }?.digest
            ?? all.first { $0.name.hasSuffix("/" + reference.name) }?.digest
    }

    func pulled(as reference: ImageReference) -> PulledImage {
        PulledImage(id: id, digest: reference.digest ?? digest(of: reference), size: size)
    }
}

extension PulledImage {
    /// `the image x:1 at sha256:…, 120 MB, in 12 s`.
    func text(_ reference: ImageReference, _ time: Duration) -> String {
        let place = digest.map { " at \($0)" } ?? ""
        let amount = size.map { ", \(PullProgress.megabytes($0)) MB" } ?? ""
        return "the image \(reference.text)\(place)\(amount), in \(time.components.seconds) s"
    }
}

/// The words of a platform, in the way in which Docker writes them.
private struct Platform {
    var system: String?
    var architecture: String?
    var variant: String?

    private static let others: [String: [String]] = [
        "x86_64": ["amd64"], "x86-64": ["amd64"], "aarch64": ["arm64"], "i386": ["386"],
        "armhf": ["arm", "v7"], "armel": ["arm", "v6"],
    ]

    init(_ text: String) {
        let words = text.lowercased().split(separator: "/").map(String.init)
        system = words.first
        let rest = words.count > 1 ? (Self.others[words[1]] ?? [words[1]]) + words.dropFirst(2) : []
        architecture = rest.first
        variant = rest.count > 1 ? rest[1] : nil
    }
}

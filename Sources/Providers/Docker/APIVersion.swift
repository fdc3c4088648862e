import PalProvider

/// A version of the Engine's API.
struct APIVersion: Sendable, Hashable, Comparable {
    var major: Int
    var minor: Int

    /// The oldest that is spoken: Docker 19.03.
    static let oldest = APIVersion(major: 1, minor: 40)
    /// The newest that is spoken, whatever the Engine offers.
    static let newest = APIVersion(major: 1, minor: 44)

    /// From here on a command's terminal can have a size from its first moment.
    static let withConsoleSize = APIVersion(major: 1, minor: 42)

    var text: String { "\(major).\(minor)" }

    static func < (a: APIVersion, b: APIVersion) -> Bool {
        (a.major, a.minor) < (b.major, b.minor)
    }

    /// Reads `1.41`.
    init?(_ text: String) {
        let parts = text.split(separator: ".").map { Int($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.init(major: major, minor: minor)
    }

    /// Reads the beginning of a release's number, as `4.3` of `4.3.1`.
    init?(release: String) {
        self.init(release.split(separator: ".").prefix(2).joined(separator: "."))
    }

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The version to speak with an Engine that answered a ping so.
    static func settled(
        status: Int, offer: String?, at place: String
    ) throws(ProviderFailure) -> APIVersion {
        guard status == 200, let offer = offer.flatMap(APIVersion.init(_:)) else {
            throw .error(
                ProviderError(
                    .provider, .platformFailure,
                    "what listens at \(place) is not a Docker Engine, or not ready "
                        + "(a ping was answered with status \(status)); "
                        + "check DOCKER_HOST or specific.socketPath", isRetryable: true))
        }
        guard offer >= oldest else {
            throw .error(
                ProviderError(
                    .provider, .platformFailure,
                    "the Docker Engine at \(place) is too old: it speaks API \(offer.text), "
                        + "pal needs \(oldest.text) (Docker 19.03); update Docker",
                    isRetryable: false))
        }
        return min(offer, newest)
    }

    /// Whether a refusal is about the version: the Engine was exchanged meanwhile.
    static func isRefusal(_ message: String) -> Bool {
        message.contains("client version") && message.contains("is too ")
    }
}

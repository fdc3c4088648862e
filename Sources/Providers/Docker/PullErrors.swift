import PalProvider

extension ProviderError.Code {
    /// The registry, the network or the disk kept an image from being pulled.
    static let pullFailed = ProviderError.Code(rawValue: "PullFailed")
    /// The Engine's answer ended before the pull did, so that nothing is known of the registry.
    static let pullBrokeOff = ProviderError.Code(rawValue: "PullBrokeOff")
}

/// What the failures of a pull mean to the user. None of them says anything about the Engine: it
/// answered.
struct PullFailure {
    let image: ImageReference
    /// What was asked for; the Engine's own where nil.
    var platform: String?
    /// Whether credentials were sent along.
    let hasCredentials: Bool

    private var login: String {
        image.registry == ImageReference.hub ? "docker login" : "docker login \(image.registry)"
    }

    /// What to do about what the Engine says. Its words are the cause.
    func failure(_ said: String) -> ProviderFailure {
        var text = said.lowercased()
        // What containerd puts before that is a guess, made where the name contains a word.
        if let resolving = text.firstRange(of: "failed to resolve reference") {
            text = String(text[resolving.lowerBound...])
        }
        for (phrases, make) in Self.kinds where phrases.contains(where: { text.contains($0) }) {
            return make(self, said)
        }
        return broken("the image \(image.text) cannot be pulled: \(said); it is tried again", said)
    }

    private typealias Kind = (
        phrases: [String], make: @Sendable (PullFailure, String) -> ProviderFailure
    )

    /// The first that matches counts: the Engine says "denied" of what is not there, too.
    private static let kinds: [Kind] = [
        (
            [
                "toomanyrequests", "too many requests", "rate limit", "rate exceeded",
                "retry-after:",
            ], { $0.limited($1) }
        ),
        (["no space left"], { $0.full($1) }),
        (
            [
                "no matching manifest", "no match for platform", "match the specified platform",
                "no image found in",
            ], { $0.otherMachine($1) }
        ),
        // Docker's own store says "not found" as well.
        (
            ["content digest", "content store", "parent snapshot", "failed to extract layer"],
            { $0.notKept($1) }
        ),
        (
            [
                "access denied", "requested access to the resource is denied", "unauthorized",
                "authorization failed", "error from registry: denied", "denied: denied",
                "no basic auth", "authentication required", "403 forbidden",
                "incorrect username",
            ], { $0.denied($1) }
        ),
        (
            ["not found", "manifest unknown", "name unknown", "name invalid", "invalid reference"],
            { $0.missing($1) }
        ),
        (["http response to https client"], { $0.plain($1) }),
        (
            [
                "no such host", "connection refused", "dial tcp", "timeout", "deadline exceeded",
                "no route to host", "network is unreachable", "tls handshake", "x509",
                "server misbehaving", "connection reset", "eof",
            ], { $0.unreached($1) }
        ),
    ]

    private func missing(_ said: String) -> ProviderFailure {
        .instance(
            .imageMissing,
            "there is no image \(image.text) at \(image.registry); correct image in the spec, or "
                + "push it there", cause: said, isRetryable: false)
    }

    private func denied(_ said: String) -> ProviderFailure {
        let why =
            hasCredentials
            ? "the credentials that the docker command keeps for it are refused; log in again"
            : "nobody is logged in there; log in as the user that runs pal"
        return .instance(
            .imageMissing,
            "\(image.registry) does not give out the image \(image.text), or has none: \(why) "
                + "(\(login)), or correct image in the spec", cause: said, isRetryable: false)
    }

    private func limited(_ said: String) -> ProviderFailure {
        let more = hasCredentials ? "" : "; who is logged in (\(login)) gets more"
        return .error(
            ProviderError(
                .instance, .rateLimited,
                "\(image.registry) gives out no more images for now, so \(image.text) waits\(more)",
                cause: said, isRetryable: true, retryAfter: 60))
    }

    private func full(_ said: String) -> ProviderFailure {
        broken(
            "the disk of Docker's host is full, so the image \(image.text) cannot be pulled; make "
                + "room (docker system df shows what takes it, docker image prune frees some)",
            said)
    }

    private func notKept(_ said: String) -> ProviderFailure {
        broken(
            "the image \(image.text) came, and Docker's own store of images fails over it: "
                + "\(said); it is tried again; where that does not help, remove the image and "
                + "what is broken (docker image rm, docker system prune), or start Docker anew",
            said)
    }

    private func otherMachine(_ said: String) -> ProviderFailure {
        if let platform { return isFor(other: platform, said) }
        return .instance(
            .imageMissing,
            "the image \(image.text) is not made for this kind of machine; choose one that is",
            cause: said, isRetryable: false)
    }

    /// It is there, and not for what a spec asks for.
    func isFor(other platform: String, _ said: String? = nil) -> ProviderFailure {
        .instance(
            .imageMissing,
            "\(image.registry) has the image \(image.text), but not for \(platform); correct image "
                + "or specific.platform", cause: said, isRetryable: false)
    }

    private func plain(_ said: String) -> ProviderFailure {
        .instance(
            .pullFailed,
            "\(image.registry) speaks no TLS, so Docker does not pull \(image.text) from it; give "
                + "it a certificate, or add it to insecure-registries in Docker's daemon.json",
            cause: said, isRetryable: false)
    }

    private func unreached(_ said: String) -> ProviderFailure {
        broken(
            "Docker's host cannot reach \(image.registry), so the image \(image.text) is not "
                + "pulled; check the registry's name and the network there", said)
    }

    /// The stream of the pull ended before the pull.
    func cut(_ said: String) -> ProviderFailure {
        .instance(
            .pullBrokeOff,
            "the pull of the image \(image.text) broke off; it is tried again, and what came is "
                + "kept by Docker", cause: said, isRetryable: true)
    }

    /// Nothing was heard of it for very long.
    var stalled: ProviderFailure {
        broken(
            "the pull of the image \(image.text) stood still for \(Pulling.patienceText); it is "
                + "tried again", nil)
    }

    /// An id is not a name.
    var isNoName: ProviderFailure {
        .instance(
            .imageMissing,
            "this Docker does not have the image \(image.text), and an id cannot be pulled; name "
                + "it as registry/name:tag or registry/name@digest in the spec", isRetryable: false)
    }

    private func broken(_ message: String, _ said: String?) -> ProviderFailure {
        .instance(.pullFailed, message, cause: said, isRetryable: true)
    }
}

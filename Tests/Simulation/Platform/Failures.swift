import PalProvider

/// The failures of the simulated platforms, as their providers report them.
extension ProviderFailure {
    static func alreadyExists(_ name: String) -> ProviderFailure {
        instance(.alreadyExists, "\(name) exists already")
    }

    static func nameTaken(_ name: String) -> ProviderFailure {
        instance(.nameTaken, "\(name) is taken by something that is not pal's")
    }

    static let portTaken = instance(.portTaken, "the outside port is taken")
    static let imageMissing = instance(.imageMissing, "the image is not there", isRetryable: false)
    static let notThere = instance(.notFound, "there is no such object")

    static func wrongState(_ why: String) -> ProviderFailure { instance(.wrongState, why) }

    static func unreachable(_ provider: String) -> ProviderFailure {
        .error(
            ProviderError(
                .connection, .unreachable, "\(provider) does not answer", isRetryable: true))
    }

    static func platform(
        _ code: ProviderError.Code, _ message: String, after seconds: Double? = nil
    ) -> ProviderFailure {
        .error(ProviderError(.provider, code, message, isRetryable: true, retryAfter: seconds))
    }

    static func instance(
        _ code: ProviderError.Code, _ message: String, isRetryable: Bool = true
    ) -> ProviderFailure {
        .error(ProviderError(.instance, code, message, isRetryable: isRetryable))
    }
}

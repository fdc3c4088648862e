import PalHTTP
import PalProvider

extension EngineClient {
    /// What a missing answer means.
    ///
    /// - Parameter changesSomething: Whether the call would have changed something.
    func failure(_ error: HTTPError, changesSomething: Bool) -> ProviderFailure {
        if changesSomething, error.mayHaveTakenEffect {
            return .ambiguous("Docker's answer was lost: \(error.message)")
        }
        let remedy =
            "start Docker (systemctl start docker), or name another provider in the spec "
            + "(provider: process)"
        switch error.kind {
        case .cannotConnect(.missingSocket):
            return .connection(
                .unreachable,
                "Docker does not run or is not installed (there is no \(endpoint)); \(remedy)")
        case .cannotConnect(.permissionDenied):
            return .connection(
                .notPermitted,
                "this user may not use Docker's socket \(endpoint); add the user to the group "
                    + "docker (usermod -aG docker USER) and log in again, or name another provider "
                    + "in the spec (provider: process)", isRetryable: false)
        case .cannotConnect(.refused):
            return .connection(
                .unreachable, "Docker does not run: nothing listens at \(endpoint); \(remedy)")
        case .cannotConnect:
            return .connection(
                .unreachable,
                "Docker cannot be reached at \(endpoint); check DOCKER_HOST and the network",
                cause: error.message)
        case .timedOut:
            return .connection(
                .timedOut, "Docker did not answer in time at \(endpoint); it is tried again",
                cause: error.message)
        case .cancelled:
            return .connection(.cancelled, "the call to Docker was cancelled")
        case .invalidRequest:
            return .invalid("Docker cannot be called: \(error.message)")
        case .tls:
            return .connection(
                .notPermitted,
                "the Docker Engine at \(endpoint) and pal do not accept each other's certificates; "
                    + "check ca.pem, cert.pem, key.pem, and the name in the Engine's certificate",
                cause: error.message, isRetryable: false)
        case .broken, .tooLarge:
            // Over TLS 1.3 a refused certificate shows only when the connection is used.
            let hint =
                endpoint.description.hasPrefix("https:")
                ? ". Where it breaks each time, the Engine does not accept pal's certificate: "
                    + "check cert.pem and key.pem" : ""
            return .connection(
                .unreachable,
                "the connection to Docker at \(endpoint) broke; it is tried again\(hint)",
                cause: error.message)
        }
    }
}

extension ProviderFailure {
    /// The failure for a status that a call has no own meaning for.
    ///
    /// A gateway's 5xx says nothing about what became of the call behind it. The Engine's own 500
    /// is a failure that it knows of.
    static func unexpected(
        _ answer: EngineAnswer, doing what: String, changesSomething: Bool
    ) -> ProviderFailure {
        if changesSomething, answer.status > 500 {
            return .ambiguous(
                "Docker answered \(answer.status) when asked to \(what): \(answer.message)")
        }
        let isRetryable = answer.status >= 500 || answer.status == 429 || answer.status == 409
        let isLimited = answer.status == 429
        return .error(
            ProviderError(
                changesSomething && !isLimited ? .instance : .provider,
                isLimited ? .rateLimited : .platformFailure,
                "Docker failed to \(what): \(answer.message)", isRetryable: isRetryable))
    }
}

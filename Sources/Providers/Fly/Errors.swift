import PalProvider

extension ProviderError.Code {
    /// The region has no room for such a machine.
    static let noCapacity = ProviderError.Code(rawValue: "NoCapacity")
    /// Somebody else works on the machine.
    static let busy = ProviderError.Code(rawValue: "Busy")
    /// The volume is still bound to a machine that goes.
    static let volumeBusy = ProviderError.Code(rawValue: "VolumeBusy")
}

extension ProviderFailure {
    /// The failure for a status that a call has no own meaning for.
    ///
    /// 408 and 5xx say nothing about what became of a change.
    static func unexpected(
        _ answer: FlyAnswer, doing what: String, changesSomething: Bool
    ) -> ProviderFailure {
        let said = answer.message
        if changesSomething, answer.status == 408 || answer.status >= 500 {
            return .ambiguous("Fly.io answered \(answer.status) when asked to \(what): \(said)")
        }
        if isFull(answer) {
            return full("Fly.io has no room to \(what): \(said)", answer)
        }
        switch answer.status {
        case 403:
            return .connection(
                .notPermitted,
                "the token may not \(what): \(said); one of 'fly tokens create org' may",
                cause: answer.cause, isRetryable: false)
        case 404: return .notFound("Fly.io cannot \(what): it is not there (\(said))")
        case 409, 412:
            return .instance(
                .busy, "Fly.io does not \(what) now: \(said); it is tried again",
                cause: answer.cause, isRetryable: true)
        case 400, 422:
            return .instance(
                .invalidConfig, "Fly.io refuses to \(what): \(said); correct the spec",
                cause: answer.cause, isRetryable: false)
        default:
            return .error(
                ProviderError(
                    changesSomething ? .instance : .provider, .platformFailure,
                    "Fly.io failed to \(what): \(said)", cause: answer.cause,
                    isRetryable: answer.status >= 500 || answer.status == 408))
        }
    }

    /// Capacity comes and goes, so it is tried again; what helps at once is a person's to choose.
    private static func full(_ message: String, _ answer: FlyAnswer) -> ProviderFailure {
        .instance(
            .noCapacity, "\(message); it is tried again. Another region or a smaller size helps",
            cause: answer.cause, isRetryable: true)
    }

    private static func isFull(_ answer: FlyAnswer) -> Bool {
        guard [409, 412, 422].contains(answer.status) else { return false }
        let words = ["insufficient_capacity", "volume_placement_capacity"]
        return answer.word.map { words.contains($0) } ?? false
            || answer.message.contains("no capacity") || answer.message.contains("insufficient ")
    }
}

import PalProvider

/// The answer to one call: it comes once, or the caller gives up first.
final class Reply<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Result<Value, ProviderFailure>, Never>)
        case filled(Result<Value, ProviderFailure>)
        case over
    }

    private let state = Confined(State.open)

    /// Answers; a later answer is lost.
    func fill(_ result: Result<Value, ProviderFailure>) {
        switch state.value {
        case .open: state.value = .filled(result)
        case .waiting(let continuation):
            state.value = .over
            continuation.resume(returning: result)
        case .filled, .over: break
        }
    }

    /// Waits for the answer.
    /// - Parameter cancelled: The answer where the caller is cancelled first.
    func value(
        ifCancelled cancelled: ProviderFailure
    ) async -> Result<Value, ProviderFailure> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if case .filled(let result) = state.value {
                    state.value = .over
                    continuation.resume(returning: result)
                } else {
                    state.value = .waiting(continuation)
                }
            }
        } onCancel: {
            fill(.failure(cancelled))
        }
    }
}

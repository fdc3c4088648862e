import PalProvider
import Synchronization

/// Lets those that need the same image at once share one pull.
///
/// One of them pulls, and all are told how far it is and what came of it. Where that one is
/// cancelled the next takes its place. Those that wait are not cancelled themselves: whoever
/// cancels one call of a provider cancels all.
final class PullShare: Sendable {
    typealias Outcome = Result<PulledImage, ProviderFailure>

    private enum Turn: Sendable {
        case pull
        case take(Outcome)
    }

    private struct Pull {
        var listeners: [ProgressHandler]
        var waiting: [CheckedContinuation<Turn, Never>] = []
    }

    private struct State {
        var pulls: [String: Pull] = [:]
        /// What was just pulled for an instance that is about to be made, by the instance's name.
        var prepared: [String: (image: String, at: ContinuousClock.Instant)] = [:]
    }

    private let state = Mutex(State())

    /// What comes of a pull of the image, which is made by this caller or is under way already.
    func pull(
        _ image: String, _ listener: @escaping ProgressHandler,
        _ work: (@escaping ProgressHandler) async -> Outcome
    ) async -> Outcome {
        if case .take(let outcome) = await turn(image, listener) { return outcome }
        let outcome = await work { progress in
            for listener in self.listeners(image) { await listener(progress) }
        }
        end(image, Task.isCancelled ? nil : outcome)
        return outcome
    }

    private func turn(_ image: String, _ listener: @escaping ProgressHandler) async -> Turn {
        await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                guard state.pulls[image] != nil else {
                    state.pulls[image] = Pull(listeners: [listener])
                    return true
                }
                state.pulls[image]?.listeners.append(listener)
                state.pulls[image]?.waiting.append(continuation)
                return false
            }
            if isFirst { continuation.resume(returning: .pull) }
        }
    }

    private func listeners(_ image: String) -> [ProgressHandler] {
        state.withLock { $0.pulls[image]?.listeners ?? [] }
    }

    /// - Parameter outcome: Nil where the next one is to pull.
    private func end(_ image: String, _ outcome: Outcome?) {
        let waiting = state.withLock { state -> [CheckedContinuation<Turn, Never>] in
            guard var pull = state.pulls[image] else { return [] }
            guard outcome == nil, !pull.waiting.isEmpty else {
                state.pulls[image] = nil
                return pull.waiting
            }
            let next = pull.waiting.removeFirst()
            state.pulls[image] = pull
            return [next]
        }
        for continuation in waiting {
            continuation.resume(returning: outcome.map { .take($0) } ?? .pull)
        }
    }

    /// Notes that an image was pulled for an instance that is made next.
    func prepared(_ image: String, for name: String) {
        state.withLock { $0.prepared[name] = (image, .now) }
    }

    /// Whether the image was pulled for this creation. True once, and not for long: the creation
    /// that it was pulled for may never have come.
    func takePrepared(
        _ image: String, for name: String, now: ContinuousClock.Instant = .now
    ) -> Bool {
        let prepared = state.withLock { $0.prepared.removeValue(forKey: name) }
        return prepared.map { $0.image == image && now - $0.at < .seconds(600) } ?? false
    }
}

/// An image after its pull.
struct PulledImage: Sendable, Hashable {
    /// The Engine's id of it.
    var id: String
    /// The registry's digest, where there is one.
    var digest: String?
    /// In bytes, unpacked.
    var size: Int?
}

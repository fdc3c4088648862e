import PalProvider
import Synchronization

/// One look at the platform for all who want it at the same time.
///
/// Who asks while a look is waiting for its turn shares it; who asks when it was sent already gets
/// a later one, because what is looked for may have happened since.
final class SharedLook<Answer: Sendable>: Sendable {
    private typealias Part = CheckedContinuation<Result<Answer, ProviderFailure>?, Never>

    /// Those who wait for one look.
    private final class Look: Sendable {
        let waiting = Mutex<[Part]>([])
    }

    /// The look that was not sent yet.
    private let open = Mutex<Look?>(nil)

    /// The answer of a look that is sent after this call.
    ///
    /// - Parameter look: Looks, and calls what it is given at the moment at which it sends.
    func take(
        _ look: (@escaping @Sendable () -> Void) async throws(ProviderFailure) -> Answer
    ) async throws(ProviderFailure) -> Answer {
        // Nil for the one who has to look.
        let shared: Result<Answer, ProviderFailure>? = await withCheckedContinuation { part in
            let isFirst = open.withLock { open in
                guard let open else {
                    open = Look()
                    return true
                }
                open.waiting.withLock { $0.append(part) }
                return false
            }
            if isFirst { part.resume(returning: nil) }
        }
        if let shared { return try shared.get() }
        guard let mine = open.withLock({ $0 }) else {
            throw .connection(.cancelled, "the call to Fly.io was cancelled")
        }
        do throws(ProviderFailure) {
            let answer = try await look { self.close(mine) }
            end(mine, .success(answer))
            return answer
        } catch {
            end(mine, .failure(error))
            throw error
        }
    }

    private func close(_ look: Look) {
        open.withLock { if $0 === look { $0 = nil } }
    }

    private func end(_ look: Look, _ result: Result<Answer, ProviderFailure>) {
        close(look)
        let waiting = look.waiting.withLock { $0 }
        // Who waited does not end with the one who looked and was called off: the next one looks.
        if case .failure(let failure) = result, failure.error?.code == .cancelled, !waiting.isEmpty
        {
            hand(waiting)
        } else {
            for part in waiting { part.resume(returning: result) }
        }
    }

    /// Makes the first of them look for all.
    private func hand(_ waiting: [Part]) {
        let rest = open.withLock { open -> [Part] in
            if let open {
                open.waiting.withLock { $0 += waiting }
                return []
            }
            let next = Look()
            next.waiting.withLock { $0 = Array(waiting.dropFirst()) }
            open = next
            return [waiting[0]]
        }
        for part in rest { part.resume(returning: nil) }
    }
}

import Dispatch

/// Runs what blocks (file locks, starting and ending processes) on a thread of Dispatch, so that
/// the threads of Swift's pool never wait. It cannot be cancelled: keep it short.
func runOffPool<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}

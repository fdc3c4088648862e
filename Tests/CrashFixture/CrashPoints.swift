import Glibc
import Synchronization

/// Counts the moments at which a crash makes a difference, and crashes at one of them.
///
/// Such a moment is before and after everything that outlives this process: each write to the
/// ledger, each call that changes something at a provider.
final class CrashPoints: Sendable {
    private let count = Atomic<Int>(0)
    private let fatal: Int

    /// - Parameter fatal: The number of the moment to crash at, from 1; 0 for none.
    init(fatal: Int) { self.fatal = fatal }

    /// How many moments have passed.
    var passed: Int { count.load(ordering: .relaxed) }

    /// Does something between two such moments.
    func around<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pass()
        defer { pass() }
        return try body()
    }

    /// Does something between two such moments.
    func around<Result, Failure: Error>(
        _ body: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        pass()
        defer { pass() }
        return try await body()
    }

    private func pass() {
        guard count.add(1, ordering: .relaxed).newValue == fatal else { return }
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}

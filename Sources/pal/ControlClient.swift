import Foundation
import Glibc
import Logging
import PalEngine
import PalLedger
import PalModel

/// Asks for a change: of the controller that runs, or, where none does, of one made for the
/// purpose.
struct ControlClient {
    let environment: Environment
    let composition: Composition

    init(_ environment: Environment, logLevel: Logger.Level) throws {
        self.environment = environment
        composition = Composition(environment, logLevel: logLevel)
    }

    /// Who is asking, for holds and approvals.
    static var person: String {
        let variables = ProcessInfo.processInfo.environment
        return variables["SUDO_USER"] ?? variables["USER"] ?? variables["LOGNAME"]
            ?? "uid \(getuid())"
    }

    static func openLedger(_ environment: Environment) throws -> SQLiteLedger {
        do {
            return try SQLiteLedger.open(directory: environment.state)
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    /// The controller's lock; refused with the holder's name where another one has it.
    static func lock(_ environment: Environment, purpose: String) throws -> ControllerLock {
        do {
            return try ControllerLock(directory: environment.state, purpose: purpose)
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    /// Has a request done, by whoever can, and waits for the answer.
    ///
    /// - Parameters:
    ///   - names: Without a running controller only these are touched; nil for all.
    ///   - limit: The longest wait.
    ///   - progress: Called now and then while it waits.
    /// - Returns: nil where the time ran out.
    func ask(
        _ request: ControlRequest, only names: Set<String>?, limit: Duration, purpose: String,
        progress: @escaping @Sendable (SQLiteLedger) -> Void = { _ in }
    ) async throws -> ControlReply? {
        let ledger = try Self.openLedger(environment)
        let lock: ControllerLock
        do {
            lock = try ControllerLock(directory: environment.state, purpose: purpose)
        } catch {
            guard ControllerLock.holder(directory: environment.state) != nil else {
                throw CommandFailure("\(error)")
            }
            return try await wait(for: request, ledger, limit, progress)
        }
        defer { lock.release() }
        return try await perform(request, ledger, only: names, limit, progress)
    }

    /// Does a request itself; refused while a controller runs.
    func alone(_ request: ControlRequest, purpose: String) async throws -> ControlReply {
        let ledger = try Self.openLedger(environment)
        let lock = try Self.lock(environment, purpose: purpose)
        defer { lock.release() }
        let reply = try await perform(request, ledger, only: nil, .seconds(3600), { _ in })
        return reply ?? ControlReply(isDone: false, messages: ["interrupted"])
    }

    private func perform(
        _ request: ControlRequest, _ ledger: SQLiteLedger, only names: Set<String>?,
        _ limit: Duration, _ progress: @escaping @Sendable (SQLiteLedger) -> Void
    ) async throws -> ControlReply? {
        let reconciler = try composition.reconciler(ledger)
        var numbered = request
        numbered.number = try ledger.ask(request)
        let asked = numbered
        let signals = Signals([SIGTERM, SIGINT])
        let reply = await withTaskGroup(of: ControlReply?.self) { group in
            group.addTask { await reconciler.perform(asked, only: names) }
            group.addTask {
                try? await Task.sleep(for: limit)
                await reconciler.stop()
                return nil
            }
            group.addTask {
                await signals.first()
                await reconciler.stop()
                return nil
            }
            group.addTask {
                while !Task.isCancelled {
                    progress(ledger)
                    try? await Task.sleep(for: .milliseconds(100))
                }
                return nil
            }
            // The first to end is the answer, the limit or the signal; the loop ends for all three.
            let first = await group.next() ?? nil
            await reconciler.stop()
            group.cancelAll()
            return first
        }
        progress(ledger)
        if reply == nil { try ledger.withdraw(asked.number) }
        return reply
    }

    private func wait(
        for request: ControlRequest, _ ledger: SQLiteLedger, _ limit: Duration,
        _ progress: @Sendable (SQLiteLedger) -> Void
    ) async throws -> ControlReply? {
        let number = try ledger.ask(request)
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            progress(ledger)
            if let reply = try ledger.reply(to: number) { return reply }
            try await Task.sleep(for: .milliseconds(50))
        }
        try ledger.withdraw(number)
        return nil
    }
}

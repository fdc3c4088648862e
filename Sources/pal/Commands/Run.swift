import ArgumentParser
@preconcurrency import Dispatch
import Foundation
import Glibc
import Logging
import PalEngine
import PalFiles
import PalLedger
import PalModel

/// `pal run`: the controller.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch the specs directory and keep it true, for ever.",
        discussion: """
            Ends on SIGTERM or Ctrl-C; the instances go on without it, and the next run takes \
            them up.

              pal run                  ./pal.yaml, or ./specs
              pal run ~/swarm          another specs directory
              pal run --once           one pass, without waiting until anything is ready
            """)

    @OptionGroup var world: WorldOptions
    @Argument(help: "The specs directory.") var directory: String?
    @Flag(help: "Make one pass and end.") var once = false

    func run() async throws {
        let environment = try world.environment(directory)
        guard once else { return try await runForEver(environment) }
        let client = try ControlClient(environment, logLevel: world.logLevel)
        let reply = try await client.alone(
            ControlRequest(verb: .once, by: ControlClient.person), purpose: "pal run --once")
        for message in reply.messages { Terminal.complain(message) }
        if !reply.isDone { Terminal.exit(1) }
    }

    private func runForEver(_ environment: Environment) async throws {
        let composition = Composition(environment, logLevel: world.verbose ? .debug : .info)
        let ledger = try ControlClient.openLedger(environment)
        let lock = try ControlClient.lock(environment, purpose: "pal run")
        defer { lock.release() }
        // What a command left that was killed long ago is not carried out now.
        _ = try ledger.expireRequests(leftBefore: Date() - 600)
        let reconciler = try composition.reconciler(ledger)
        Terminal.complain(
            "pal: keeping swarm '\(environment.swarm)' as \(environment.specs) declares it; "
                + "Ctrl-C ends pal, not the instances")
        let signals = Signals([SIGTERM, SIGINT])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await reconciler.run() }
            group.addTask {
                await signals.first()
                await reconciler.stop()
            }
            group.addTask {
                await SpareMemory.giveBack(every: .seconds(60), ContinuousClock())
            }
            await group.next()
            group.cancelAll()
        }
        Terminal.complain("pal: ended; the instances go on")
        Terminal.exit(0)
    }
}

/// Waits for a signal to this process.
final class Signals: Sendable {
    /// Each one's number, as they come. For one reader.
    let stream: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    init(_ numbers: [Int32]) {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        self.stream = stream
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }

    /// Returns when the first one comes, or the task is cancelled.
    func first() async {
        for await _ in stream { return }
    }
}

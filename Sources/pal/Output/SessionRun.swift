import Glibc
import PalProvider

/// A command inside an instance, connected to this program's own input and outputs.
struct SessionRun {
    /// What ended it.
    enum Ending: Sendable {
        case exited(Int)
        case failed(ProviderFailure)
        case signalled(Int32)
        case timedOut
        /// Nobody reads the output any more.
        case unread
    }

    let session: any InteractiveSession
    let takesInput: Bool
    let timeout: Duration?
    private let signals: Signals

    /// From here on signals are this run's: they do not end the program by themselves.
    init(_ session: any InteractiveSession, takesInput: Bool, timeout: Duration?) {
        self.session = session
        self.takesInput = takesInput
        self.timeout = timeout
        signal(SIGPIPE, SIG_IGN)
        signals = Signals([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH])
    }

    /// Runs to an end of whichever kind, and lets go of the command.
    func run() async -> Ending {
        // Never waited for: it may be in the middle of a read that nothing ends but a key.
        let input = takesInput ? Task { await passInput() } : nil
        let ending = await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await passOutput() }
            group.addTask { await heedSignals() }
            if let timeout {
                group.addTask { (try? await Task.sleep(for: timeout)).map { .timedOut } }
            }
            let first = await group.next() ?? nil
            // Before the others are waited for: it is what ends a read.
            await session.close()
            group.cancelAll()
            return first
        }
        input?.cancel()
        return ending ?? .signalled(SIGTERM)
    }

    private func passOutput() async -> Ending {
        do throws(ProviderFailure) {
            while let output = try await session.read() {
                let descriptor = output.stream == .stdout ? STDOUT_FILENO : STDERR_FILENO
                guard StandardStreams.write(output.bytes, to: descriptor) else { return .unread }
            }
            return .exited(try await session.exitCode())
        } catch {
            return .failed(error)
        }
    }

    /// What the command does not want to read is no failure: its exit code tells.
    private func passInput() async {
        do throws(ProviderFailure) {
            while !Task.isCancelled, let bytes = await StandardStreams.read() {
                try await session.write(bytes)
            }
            try await session.closeInput()
        } catch {
            return
        }
    }

    private func heedSignals() async -> Ending? {
        for await number in signals.stream {
            guard number == SIGWINCH else { return .signalled(number) }
            try? await session.resize(RawTerminal.size)
        }
        return nil
    }
}

import PalHTTP
public import PalModel
public import PalProvider
import Synchronization

extension DockerProvider: InteractiveProvider {
    /// Runs a command over a connection that was taken out of HTTP. The Engine offers no way to end
    /// a command: one that is let go of goes on inside, but sees the end of its input.
    public func openSession(
        _ reference: InstanceReference, _ request: SessionRequest
    ) async throws(ProviderFailure) -> any InteractiveSession {
        guard !request.command.arguments.isEmpty else {
            throw .invalid("there is no command to run")
        }
        let detail = try await require(reference)
        let exec = try await makeExec(detail, request.command, for: request)
        let hasTerminal = request.terminal != nil
        let start = EngineCall(
            "POST", "/exec/\(exec)/start",
            body: .map(["Detach": .bool(false), "Tty": .bool(hasTerminal)]))
        switch try await engine.upgrade(start) {
        case .upgraded(let connection):
            let session = DockerSession(
                provider: self, exec: exec, connection: connection, hasTerminal: hasTerminal)
            if let size = request.terminal { try await session.resize(size) }
            return session
        case .refused(let response):
            // Some releases answer with the status of a command that cannot be started.
            let answer = EngineAnswer(status: response.status, body: response.body)
            guard [400, 404, 500].contains(answer.status), try await hasEnded(exec) else {
                throw .unexpected(
                    answer, doing: "run a command in \(detail.plainName)", changesSomething: true)
            }
            return EndedSession(message: answer.message, code: try await exitCode(exec))
        }
    }
}

/// A command in a container.
private final class DockerSession: InteractiveSession {
    private let provider: DockerProvider
    private let exec: String
    private let connection: HTTPDuplex
    private let hasTerminal: Bool
    private let output: Mutex<(parser: FrameParser, pieces: [SessionOutput])>

    init(provider: DockerProvider, exec: String, connection: HTTPDuplex, hasTerminal: Bool) {
        self.provider = provider
        self.exec = exec
        self.connection = connection
        self.hasTerminal = hasTerminal
        output = Mutex((FrameParser(), []))
    }

    func read() async throws(ProviderFailure) -> SessionOutput? {
        while true {
            let next = output.withLock { $0.pieces.isEmpty ? nil : $0.pieces.removeFirst() }
            if let next { return next }
            let bytes: [UInt8]?
            do throws(HTTPError) {
                bytes = try await connection.read()
            } catch {
                throw provider.engine.failure(error, changesSomething: true)
            }
            guard let bytes else { return nil }
            if hasTerminal { return SessionOutput(.stdout, bytes) }
            let isWellFormed = output.withLock { output in
                guard let pieces = try? output.parser.push(bytes) else { return false }
                output.pieces += pieces.map { SessionOutput($0.stream, $0.bytes) }
                return true
            }
            guard isWellFormed else { throw .malformedStream }
        }
    }

    func write(_ bytes: [UInt8]) async throws(ProviderFailure) {
        do throws(HTTPError) {
            try await connection.write(bytes)
        } catch {
            throw provider.engine.failure(error, changesSomething: true)
        }
    }

    func closeInput() async { connection.closeInput() }

    /// The Engine knows the command's terminal only once the command has begun.
    func resize(_ size: TerminalSize) async throws(ProviderFailure) {
        guard hasTerminal else { return }
        let call = EngineCall(
            "POST", "/exec/\(exec)/resize",
            query: [("h", String(max(1, size.rows))), ("w", String(max(1, size.columns)))])
        for _ in 0..<20 {
            if try await provider.engine.send(call).isSuccess { return }
            if try await provider.hasEnded(exec) { return }
            try await provider.pause(.milliseconds(50))
        }
    }

    func exitCode() async throws(ProviderFailure) -> Int { try await provider.exitCode(exec) }

    func close() async { connection.cancel() }
}

/// A command that could not be started.
private final class EndedSession: InteractiveSession {
    private let message: Mutex<String?>
    private let code: Int

    init(message: String, code: Int) {
        self.message = Mutex(message)
        self.code = code
    }

    func read() async -> SessionOutput? {
        message.withLock { message in
            defer { message = nil }
            return message.map { SessionOutput(.stderr, Array(($0 + "\n").utf8)) }
        }
    }

    func write(_ bytes: [UInt8]) async throws(ProviderFailure) {
        throw .instance(.wrongState, "the command has ended", isRetryable: false)
    }

    func closeInput() async {}
    func resize(_ size: TerminalSize) async {}
    func exitCode() async -> Int { code }
    func close() async {}
}

import PalHTTP
public import PalModel
public import PalProvider

extension DockerProvider {
    /// Runs a command in the container, as its user.
    ///
    /// A command that is not there is a result, with exit code 126 or 127. The Engine offers no way
    /// to end a command: one that takes longer than its timeout goes on inside. Output beyond 64
    /// MiB is an error.
    /// - Throws: An instance error: `WrongState` where the container does not run, `TimedOut` where
    ///   the command takes too long.
    public func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult {
        guard !command.arguments.isEmpty else { throw .invalid("there is no command to run") }
        let detail = try await require(reference)
        let exec = try await makeExec(detail, command)
        guard let timeout = command.timeout else { return try await runExec(exec, detail) }
        let result = await withTaskGroup(
            of: Result<CommandResult, ProviderFailure>?.self
        ) { group in
            group.addTask {
                await .catching { () throws(ProviderFailure) in try await runExec(exec, detail) }
            }
            group.addTask { [clock] in
                // Cancelled or over: nil either way, and the first answer counts.
                try? await clock.sleep(for: timeout)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if let result { return try result.get() }
        throw .instance(
            .timedOut,
            "'\(command.arguments[0])' in \(detail.plainName) took longer than \(timeout); "
                + "it may still run there", isRetryable: false)
    }

    private static let outputLimit = 64 << 20

    /// Makes a command known to the Engine; it does not run yet. Gives the Engine's id of it.
    func makeExec(
        _ detail: ContainerDetail, _ command: Command, for session: SessionRequest? = nil
    ) async throws(ProviderFailure) -> String {
        var body: [String: Value] = [
            "Cmd": .strings(command.arguments), "AttachStdout": .bool(true),
            "AttachStderr": .bool(true),
            "Env": .strings(
                command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }),
        ]
        if let directory = command.workingDirectory { body["WorkingDir"] = .string(directory) }
        if let user = command.user { body["User"] = .string(user) }
        if let session {
            body["AttachStdin"] = .bool(session.takesInput)
            body["Tty"] = .bool(session.terminal != nil)
            // Before that a command can see its terminal without a size for a moment.
            if let size = session.terminal, try await engine.version() >= .withConsoleSize {
                body["ConsoleSize"] = .list([.int(size.rows), .int(size.columns)])
            }
        }
        let answer = try await act("POST", detail.id, "/exec", body: .map(body))
        if answer.isSuccess { return try answer.decoded(as: Created.self).id }
        if answer.status == 404 { throw .notFound("\(detail.plainName) was removed meanwhile") }
        if answer.status == 409 || EngineMessage.isNotRunning(answer.message) {
            throw .instance(
                .wrongState,
                "\(detail.plainName) does not run (\(detail.state.status)); start it first",
                cause: answer.message, isRetryable: false)
        }
        throw .unexpected(
            answer, doing: "run a command in \(detail.plainName)", changesSomething: true)
    }

    private func runExec(
        _ exec: String, _ detail: ContainerDetail
    ) async throws(ProviderFailure) -> CommandResult {
        // No `Upgrade`: the Engine then writes until the end and closes.
        let stream = try await engine.stream(
            EngineCall(
                "POST", "/exec/\(exec)/start",
                body: .map(["Detach": .bool(false), "Tty": .bool(false)])))
        var result = CommandResult(exitCode: 0, standardOutput: [], standardError: [])
        if stream.status == 200 {
            try await read(stream, &result)
        } else {
            // Some releases answer with the status of a command that cannot be started.
            let answer = try await engine.answer(of: stream)
            result.standardError = Array((answer.message + "\n").utf8)
            guard [400, 404, 500].contains(answer.status), try await hasEnded(exec) else {
                throw .unexpected(
                    answer, doing: "run a command in \(detail.plainName)", changesSomething: true)
            }
        }
        result.exitCode = try await exitCode(exec)
        return result
    }

    private func read(
        _ stream: HTTPStream, _ result: inout CommandResult
    ) async throws(ProviderFailure) {
        var parser = FrameParser()
        let bytes = stream.makeAsyncIterator()
        do {
            while let chunk = try await bytes.next() {
                for piece in try parser.push(chunk) {
                    switch piece.stream {
                    case .stdout: result.standardOutput += piece.bytes
                    case .stderr: result.standardError += piece.bytes
                    }
                }
                let size = result.standardOutput.count + result.standardError.count
                guard size <= Self.outputLimit else { throw OutputTooLarge() }
            }
        } catch let error as HTTPError {
            throw engine.failure(error, changesSomething: true)
        } catch is OutputTooLarge {
            throw .instance(
                ProviderError.Code(rawValue: "OutputTooLarge"),
                "the command wrote more than \(Self.outputLimit >> 20) MiB; write to a file inside "
                    + "instead", isRetryable: false)
        } catch {
            throw .malformedStream
        }
    }

    private struct OutputTooLarge: Error {}

    func execDetail(_ exec: String) async throws(ProviderFailure) -> ExecDetail {
        let answer = try await engine.send(EngineCall("GET", "/exec/\(exec)/json"))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "tell how a command ended", changesSomething: false)
        }
        return try answer.decoded(as: ExecDetail.self)
    }

    func hasEnded(_ exec: String) async throws(ProviderFailure) -> Bool {
        try await execDetail(exec).exitCode != nil
    }

    /// The Engine closes the stream a moment before it knows the code.
    func exitCode(_ exec: String) async throws(ProviderFailure) -> Int {
        for _ in 0..<100 {
            let detail = try await execDetail(exec)
            if !detail.isRunning, let code = detail.exitCode { return code }
            try await pause(.milliseconds(50))
        }
        throw .ambiguous("the command closed its output and goes on; how it ends is not known")
    }
}

internal import FoundationEssentials
import PalHTTP
public import PalModel
public import PalProvider

extension DockerProvider: LogFollowingProvider {
    /// What the container wrote, also when it is stopped, as far as the Engine's log driver keeps
    /// it.
    public func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] {
        var lines: [LogLine] = []
        try await readLog(reference, options, follows: false) { lines += $0 }
        return lines
    }

    /// As `getInstanceLogs`, and as the lines come: a log may be larger than memory.
    public func readInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        try await readLog(reference, options, follows: false) { lines in
            for line in lines { await handler(line) }
        }
    }

    /// First the lines that the options ask for, then new ones, until the container stops.
    public func followInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        do throws(ProviderFailure) {
            try await readLog(reference, options, follows: true) { lines in
                for line in lines { await handler(line) }
            }
        } catch {
            if !Task.isCancelled { throw error }
        }
    }

    private func readLog(
        _ reference: InstanceReference, _ options: LogOptions, follows: Bool,
        _ take: ([LogLine]) async -> Void
    ) async throws(ProviderFailure) {
        let filter = try LineFilter(options)
        let source = try await openLog(reference, options, follows: follows)
        try await source.read(engine) { await take($0.filter { filter.takes($0) }) }
    }

    private func openLog(
        _ reference: InstanceReference, _ options: LogOptions, follows: Bool
    ) async throws(ProviderFailure) -> LogSource {
        let detail = try await require(reference)
        var query = [("stdout", "1"), ("stderr", "1"), ("timestamps", "1")]
        query.append(("tail", options.lines.map { String(max(0, $0)) } ?? "all"))
        if let since = options.since { query.append(("since", Timestamp.sinceParameter(since))) }
        if follows { query.append(("follow", "1")) }
        let stream = try await engine.stream(
            EngineCall("GET", "/containers/\(detail.id)/logs", query: query))
        guard stream.status == 200 else {
            let answer = try await engine.answer(of: stream)
            if answer.status == 404 {
                throw .notFound("\(detail.plainName) was removed meanwhile")
            }
            if EngineMessage.isLogUnreadable(answer.message) {
                throw .instance(
                    .wrongState,
                    "Docker keeps no logs of \(detail.plainName) that could be read: its logging "
                        + "driver has none; set specific.logging to another, such as "
                        + "{ driver: local }", isRetryable: false)
            }
            throw .unexpected(
                answer, doing: "read the logs of \(detail.plainName)", changesSomething: false)
        }
        return LogSource(
            stream: stream, isTerminal: detail.config.isTerminal ?? false,
            isPodman: engine.isPodman,
            hidden: detail.tokenInLogs(settings.passwords))
    }
}

/// An open log.
private struct LogSource {
    let stream: HTTPStream
    let isTerminal: Bool
    let isPodman: Bool
    /// A token that the editor itself writes there; it is not passed on.
    let hidden: String?

    /// Reads to the end.
    func read(
        _ engine: EngineClient, _ take: ([LogLine]) async -> Void
    ) async throws(ProviderFailure) {
        var reader = LogReader(isTerminal: isTerminal, isPodman: isPodman)
        let bytes = stream.makeAsyncIterator()
        do {
            while let piece = try await bytes.next() { await take(shown(try reader.push(piece))) }
        } catch let error as HTTPError {
            throw engine.failure(error, changesSomething: false)
        } catch {
            throw .malformedStream
        }
        await take(shown(reader.finish()))
    }

    private func shown(_ lines: [LogLine]) -> [LogLine] {
        guard let hidden else { return lines }
        return lines.map { line in
            var line = line
            line.text = line.text.replacing(hidden, with: "(token)")
            return line
        }
    }
}

extension ProviderFailure {
    /// The Engine sent what is no stream of frames.
    static var malformedStream: ProviderFailure {
        .error(
            ProviderError(
                .provider, .platformFailure,
                "Docker sent output that is not framed as its API says",
                isRetryable: true))
    }
}

internal import FoundationEssentials
import Logging
import PalHTTP
import PalModel
import PalProvider

/// Speaks the Machines API: adds the token, keeps the limits, and says what a missing answer means.
struct MachinesAPI: Sendable {
    let settings: FlySettings
    let http = HTTPClient()
    let limiter = RateLimiter()
    let ticker: Ticker
    let logger: Logger

    /// How often a call that Fly.io counted as one too many is made again.
    private static let patience = 5

    /// Makes a call below the app.
    /// - Throws: Where there is no answer. An answer with an error's status is none of that, but
    ///   for a refused token and for too many calls.
    /// - Parameter sends: Called when the call has its turn, just before it leaves.
    func send(
        _ call: MachinesCall, sends: () -> Void = {}
    ) async throws(ProviderFailure) -> FlyAnswer {
        if let flaw = settings.flaw { throw .invalid(flaw) }
        let key = RateLimiter.Key(action: call.action, object: call.machine ?? settings.app)
        for attempt in 1... {
            try await takeTurn(key)
            sends()
            let answer = try await sendAtOnce(call)
            guard answer.status == 429 else { return try accepted(answer) }
            // Counted, and not done.
            let wait = answer.retryAfter ?? .seconds(2)
            limiter.hold(key, for: wait, now: ticker.elapsed())
            logger.debug("Fly.io asks to wait", metadata: ["action": "\(call.action.rawValue)"])
            guard attempt < Self.patience, wait <= .seconds(30) else {
                throw .error(
                    ProviderError(
                        .provider, .rateLimited,
                        "Fly.io takes no more calls for now (\(answer.message)); it is tried again",
                        isRetryable: true, retryAfter: Double(wait.components.seconds)))
            }
        }
        throw .connection(.cancelled, "the call to Fly.io was cancelled")
    }

    /// Makes a call to the logs, which are counted by nobody.
    func sendToLogs(_ target: String) async throws(ProviderFailure) -> FlyAnswer {
        for attempt in 1... {
            let request = HTTPRequest(
                "GET", target, headers: [("Authorization", try settings.token.header())])
            let answer = try await answer(to: request, at: settings.logs, changesSomething: false)
            guard answer.status == 429, attempt < Self.patience else { return try accepted(answer) }
            try await pause(answer.retryAfter ?? .seconds(2))
        }
        throw .connection(.cancelled, "the call to Fly.io was cancelled")
    }

    private func takeTurn(_ key: RateLimiter.Key) async throws(ProviderFailure) {
        try await pause(limiter.reserve(key, now: ticker.elapsed()))
        while let wait = limiter.leave(key, now: ticker.elapsed()) { try await pause(wait) }
    }

    func pause(_ duration: Duration) async throws(ProviderFailure) {
        guard duration > .zero else { return }
        do {
            try await ticker.sleep(duration)
        } catch {
            throw .connection(.cancelled, "the call to Fly.io was cancelled")
        }
    }

    private func sendAtOnce(_ call: MachinesCall) async throws(ProviderFailure) -> FlyAnswer {
        var headers = [("Authorization", try settings.token.header())]
        if call.body != nil { headers.append(("Content-Type", "application/json")) }
        if let nonce = call.nonce { headers.append(("fly-machine-lease-nonce", nonce)) }
        let request = HTTPRequest(
            call.method, call.target(app: settings.app), headers: headers,
            body: call.body.map { Array($0.canonicalJSON.utf8) }, timeout: call.timeout)
        return try await answer(
            to: request, at: settings.machines, changesSomething: call.changesSomething)
    }

    private func answer(
        to request: HTTPRequest, at endpoint: Endpoint, changesSomething: Bool
    ) async throws(ProviderFailure) -> FlyAnswer {
        do throws(HTTPError) {
            return FlyAnswer(try await http.send(request, to: endpoint))
        } catch {
            if changesSomething, error.mayHaveTakenEffect {
                throw .ambiguous("Fly.io's answer was lost: \(error.message)")
            }
            if case .cancelled = error.kind {
                throw .connection(.cancelled, "the call to Fly.io was cancelled")
            }
            throw .connection(
                .unreachable,
                "Fly.io cannot be reached at \(endpoint); look at the network of this machine, and "
                    + "at https://status.flyio.net", cause: error.message)
        }
    }

    /// Every call of a token that is not good enough ends in the same way.
    private func accepted(_ answer: FlyAnswer) throws(ProviderFailure) -> FlyAnswer {
        guard answer.status == 401 else { return answer }
        throw .connection(
            .notPermitted,
            "Fly.io refuses the token (\(answer.message)); make another one with "
                + "'fly tokens create org' and put it where this one is",
            cause: answer.cause, isRetryable: false)
    }
}

/// An answer of Fly.io's, whatever its status.
struct FlyAnswer: Sendable {
    var status: Int
    var body: [UInt8]
    var retryAfter: Duration?
    /// What Fly.io's support asks for.
    var requestID: String?

    init(_ response: HTTPResponse) {
        status = response.status
        body = response.body
        retryAfter = response.headers["Retry-After"].flatMap { Int($0) }.map {
            .seconds(min(max(0, $0), 3600))
        }
        requestID = response.headers["fly-request-id"]
    }

    var isSuccess: Bool { (200..<300).contains(status) }

    /// What Fly.io says went wrong: `error` or `message` in JSON, or plain text.
    var message: String {
        let value = value
        let text =
            ["error", "message"].lazy.compactMap { value?[$0].flatMap { String($0) } }.first
            ?? String(decoding: body.prefix(300), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.isEmpty ? "status \(status)" : String(line.prefix(500))
    }

    /// Fly.io's own word for some failures, such as `insufficient_capacity`.
    var word: String? { value?["status"].flatMap { String($0) } }

    /// For whoever asks Fly.io about it.
    var cause: String? { requestID.map { "status \(status), fly-request-id \($0)" } }

    /// The body as JSON; nil where it is none.
    var value: Value? { try? JSONDecoder().decode(Value.self, from: Data(body)) }

    /// The body as JSON.
    func decoded() throws(ProviderFailure) -> Value {
        guard let value else {
            throw .error(
                ProviderError(
                    .provider, .platformFailure,
                    "Fly.io answered with something that is not its API; look at "
                        + "FLY_FLAPS_BASE_URL and at proxies", cause: cause, isRetryable: true))
        }
        return value
    }

    /// The body of an answer to a change that was made: what cannot be read leaves a doubt.
    func decodedAfterEffect() throws(ProviderFailure) -> Value {
        guard let value else {
            throw .ambiguous("Fly.io did it, and its answer could not be read (status \(status))")
        }
        return value
    }

    /// The body as a list of objects.
    func list(_ key: String? = nil) throws(ProviderFailure) -> [Value] {
        let whole = try decoded()
        // Nothing can be `null` in Go's JSON.
        switch key.map({ whole[$0] ?? .null }) ?? whole {
        case .list(let items): return items
        case .null: return []
        default:
            throw .error(
                ProviderError(
                    .provider, .platformFailure, "Fly.io answered with something that is no list",
                    cause: cause, isRetryable: true))
        }
    }
}

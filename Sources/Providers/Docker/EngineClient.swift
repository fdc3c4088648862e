import PalHTTP
import PalProvider
import Synchronization

/// Talks to one Engine: settles the version of the API and turns a missing answer into a failure.
///
/// An Engine that was stopped and started again, also as another release, needs nothing: the next
/// call makes a new connection, and settles the version anew where the old one is refused.
final class EngineClient: Sendable {
    let http: HTTPClient
    let endpoint: Endpoint
    private let settledVersion = Mutex<APIVersion?>(nil)
    private let podman = Mutex<APIVersion?>(nil)

    init(endpoint: Endpoint, http: HTTPClient = HTTPClient()) {
        self.endpoint = endpoint
        self.http = http
    }

    /// Makes a call and gives back its answer, whatever the status.
    /// - Throws: A connection error where there is no answer; ambiguous where the call changes
    ///   something and may have been heard.
    func send(_ call: EngineCall) async throws(ProviderFailure) -> EngineAnswer {
        let answer = try await attempt(call, version: try await version())
        guard answer.status == 400, APIVersion.isRefusal(answer.message) else { return answer }
        settledVersion.withLock { $0 = nil }
        let again = try await attempt(call, version: try await version())
        guard again.status == 400, APIVersion.isRefusal(again.message) else { return again }
        throw .error(
            ProviderError(
                .provider, .platformFailure,
                "the Docker Engine at \(endpoint) does not speak the API of this pal any more; "
                    + "update pal, or lower the Engine's DOCKER_MIN_API_VERSION to "
                    + "\(APIVersion.newest.text)", cause: again.message, isRetryable: false))
    }

    /// Makes a call and returns when the headers are in; the body follows.
    func stream(_ call: EngineCall) async throws(ProviderFailure) -> HTTPStream {
        let request = call.request(version: try await version().text)
        do throws(HTTPError) {
            return try await http.stream(request, to: endpoint)
        } catch {
            throw failure(error, changesSomething: call.changesSomething)
        }
    }

    /// Makes a call that goes on as a connection with bytes going both ways.
    func upgrade(_ call: EngineCall) async throws(ProviderFailure) -> UpgradeAnswer {
        let request = call.request(version: try await version().text)
        do throws(HTTPError) {
            return try await http.upgrade(request, to: "tcp", at: endpoint)
        } catch {
            throw failure(error, changesSomething: call.changesSomething)
        }
    }

    /// The answer of a stream that turned out to be a refusal.
    func answer(of stream: HTTPStream) async throws(ProviderFailure) -> EngineAnswer {
        do throws(HTTPError) {
            let body = try await stream.collect(upTo: 1 << 20)
            let answer = EngineAnswer(status: stream.status, body: body)
            if answer.status == 400, APIVersion.isRefusal(answer.message) {
                settledVersion.withLock { $0 = nil }
            }
            return answer
        } catch {
            throw failure(error, changesSomething: false)
        }
    }

    /// The version that both sides speak; asks the Engine where that is not settled.
    func version() async throws(ProviderFailure) -> APIVersion {
        if let version = settledVersion.withLock({ $0 }) { return version }
        return try await negotiate()
    }

    /// Asks the Engine for its version and settles on the newest that both sides speak.
    @discardableResult
    func negotiate() async throws(ProviderFailure) -> APIVersion {
        let answer: HTTPResponse
        do throws(HTTPError) {
            answer = try await http.send(
                HTTPRequest("GET", "/_ping", timeout: .seconds(15)), to: endpoint)
        } catch {
            throw failure(error, changesSomething: false)
        }
        let version = try APIVersion.settled(
            status: answer.status, offer: answer.headers["Api-Version"], at: endpoint.description)
        settledVersion.withLock { $0 = version }
        podman.withLock { $0 = APIVersion(release: answer.headers["Libpod-Api-Version"] ?? "") }
        return version
    }

    /// Whether it is Podman's service, as far as it was asked who it is.
    var isPodman: Bool { podman.withLock { $0 != nil } }

    /// Whether a container's limits can be changed while it stands. Podman before 5.1 has no call
    /// for that; before the Engine was asked who it is, nobody knows.
    var changesLimits: Bool {
        podman.withLock { $0.map { $0 >= APIVersion(major: 5, minor: 1) } ?? true }
    }

    private func attempt(
        _ call: EngineCall, version: APIVersion
    ) async throws(ProviderFailure) -> EngineAnswer {
        do throws(HTTPError) {
            let response = try await http.send(call.request(version: version.text), to: endpoint)
            return EngineAnswer(status: response.status, body: response.body)
        } catch {
            throw failure(error, changesSomething: call.changesSomething)
        }
    }
}

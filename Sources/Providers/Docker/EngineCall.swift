internal import FoundationEssentials
import PalHTTP
import PalModel
import PalProvider

/// One call of the Engine's API, without the version in front of its path.
struct EngineCall: Sendable {
    var method: String
    /// Already percent-encoded.
    var path: String
    var query: [(name: String, value: String)] = []
    var body: Value?
    /// Beside the body's own type. Values may be secrets.
    var headers: [(name: String, value: String)] = []
    /// A tar archive instead of a body.
    var archive: [UInt8]?
    /// The path of one.
    var archiveFile: String?
    /// For the whole call, or until the headers of a stream are in.
    var timeout: Duration = .seconds(60)

    init(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [],
        body: Value? = nil, timeout: Duration = .seconds(60)
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.timeout = timeout
        changesSomething = method != "GET"
    }

    /// Whether the call changes something, so that a lost answer leaves a doubt.
    var changesSomething: Bool

    /// The request for a version of the API.
    func request(version: String) -> HTTPRequest {
        let parameters = query.map { "\($0.name)=\(EngineCall.encoded($0.value))" }
        let suffix = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
        let isArchive = archive != nil || archiveFile != nil
        let type = isArchive ? "application/x-tar" : body.map { _ in "application/json" }
        var request = HTTPRequest(
            method, "/v\(version)\(path)\(suffix)",
            headers: headers + (type.map { [("Content-Type", $0)] } ?? []),
            body: archive ?? body.map { Array($0.canonicalJSON.utf8) }, timeout: timeout)
        request.bodyFile = archiveFile
        return request
    }

    /// The `filters` parameter.
    static func filters(_ filters: [String: [String]]) -> (name: String, value: String) {
        ("filters", Value.map(filters.mapValues { .list($0.map { .string($0) }) }).canonicalJSON)
    }

    /// A text as one segment of a path or one value of a query.
    static func encoded(_ text: String) -> String { PercentEncoding.encoded(text) }
}

/// An answer of the Engine's, whatever its status.
struct EngineAnswer: Sendable {
    var status: Int
    var body: [UInt8]

    var isSuccess: Bool { (200..<300).contains(status) }

    /// What the Engine says went wrong.
    var message: String {
        let text =
            (try? JSONDecoder().decode(RefusalBody.self, from: Data(body)))?.message
            ?? String(decoding: body.prefix(500), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.isEmpty ? "status \(status)" : line
    }

    /// The body as JSON.
    func decoded<T: Decodable>(as type: T.Type) throws(ProviderFailure) -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw .error(
                ProviderError(
                    .provider, .platformFailure,
                    "Docker answered with something that is not the Engine's API; "
                        + "check what listens there", cause: String(describing: error),
                    isRetryable: true))
        }
    }
}

extension String {
    /// A path of several segments, as an image's name is: `registry:5000/team/image:tag`.
    var encodedPath: String {
        split(separator: "/").map { EngineCall.encoded(String($0)) }.joined(separator: "/")
    }
}

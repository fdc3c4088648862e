import FoundationEssentials

/// What a call is answered with. Status 0 means: not at all, the connection ends.
struct Answer: Sendable {
    var status = 200
    var body: JSON?
    /// For the few answers that are no JSON.
    var text: String?
    var headers: [String: String] = [:]

    static func ok(_ body: JSON = ["ok": true]) -> Answer { Answer(body: body) }

    static let nothing = Answer(status: 204)

    static func error(_ status: Int, _ text: String, word: String? = nil) -> Answer {
        var body: [String: JSON] = ["error": .string(text)]
        if let word { body["status"] = .string(word) }
        return Answer(status: status, body: .object(body))
    }

    static func tooMany(retryAfter seconds: Int?) -> Answer {
        var answer = error(429, "rate limit exceeded")
        if let seconds { answer.headers["Retry-After"] = String(seconds) }
        return answer
    }
}

/// An answer that says no, thrown by whoever finds the reason.
struct Refusal: Error {
    let answer: Answer

    init(_ status: Int, _ text: String, word: String? = nil) {
        answer = Answer.error(status, text, word: word)
    }

    static func invalid(_ text: String) -> Refusal { Refusal(400, "invalid_argument: " + text) }
    static func precondition(_ text: String) -> Refusal {
        Refusal(412, "failed_precondition: " + text)
    }
    static func missing(_ what: String) -> Refusal { Refusal(404, "not_found: \(what) not found") }
}

/// A call as handlers see it.
struct Request: Sendable {
    var method: String
    var path: [String]
    var query: [(name: String, value: String)]
    var authorization: String?
    var nonce: String?
    var body: Data
    /// What the names in the route's pattern stand for.
    var names: [String: String] = [:]

    var app: String { names["app"] ?? "" }
    var machine: String { names["machine"] ?? "" }

    func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
    func flag(_ name: String) -> Bool { ["true", "1"].contains(value(name) ?? "") }

    /// Repeated or separated by commas.
    func values(_ name: String) -> [String] {
        query.filter { $0.name == name }
            .flatMap { $0.value.split(separator: ",").map(String.init) }
    }

    /// The fields of the body; none where there is no body.
    func fields() throws -> [String: JSON] {
        if body.isEmpty { return [:] }
        guard let fields = JSON(parsing: body)?.object else {
            throw Refusal.invalid("the request body is not a JSON object")
        }
        return fields
    }
}

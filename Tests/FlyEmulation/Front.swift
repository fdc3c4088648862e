import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Where calls come in: finds the route, and does what every call needs.
struct Front: HTTPHandler {
    private let cloud: Cloud
    private let contract: Contract?
    private let routes = Route.all

    init(_ cloud: Cloud, _ contract: Contract?) {
        self.cloud = cloud
        self.contract = contract
    }

    var mismatches: [String] { contract?.mismatches ?? [] }
    var checkedCalls: Int { contract?.checkedCalls ?? 0 }

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        let path = request.target.path(percentEncoded: true)
        var call = Request(
            method: request.method.rawValue,
            path: path.split(separator: "/").map(Self.decoded),
            query: Self.query(request.target.query(percentEncoded: true)),
            authorization: request.headers[.authorization],
            nonce: request.headers[HTTPHeader("fly-machine-lease-nonce")],
            body: try await request.bodyData)
        let route = routes.first { $0.matches(&call) }
        let number = cloud.calls.begin(
            Call(
                method: call.method, path: path,
                query: request.target.query(percentEncoded: true), status: 0,
                at: cloud.time.elapsed(), action: route?.action))
        var answer = Answer(status: 404, text: "404 page not found\n")
        if let route {
            answer = await self.answer(call, route)
            if !route.isOfLogs, !call.app.isEmpty {
                // A hint for Fly's own proxy, which a client may send back or not.
                answer.headers["Set-Cookie"] =
                    "fly_flaps_affinity=\(Names.nonce()); Path=/v1/apps/\(call.app)"
            }
        }
        cloud.calls.end(number, status: answer.status)
        return Self.response(answer)
    }

    private func answer(_ call: Request, _ route: Route) async -> Answer {
        if let refusal = route.isOfLogs ? logsRefusal(call) : refusal(call) { return refusal }
        let id = call.names["machine"] ?? call.app
        if cloud.options.enforcesLimits, !route.isOfLogs,
            !cloud.limits.admit(route.name, id: id, at: cloud.time.elapsed())
        {
            return Answer.tooMany(retryAfter: 1)
        }
        if let action = route.action, let spoiled = cloud.faults.takeBefore(action) {
            return spoiled
        }
        let answer = await result(call, route)
        if answer.status < 400, let action = route.action,
            let spoiled = cloud.faults.takeAfter(action)
        {
            return spoiled
        }
        if answer.status < 500 { contract?.check(call, answer) }
        return answer
    }

    private func result(_ call: Request, _ route: Route) async -> Answer {
        do {
            if route.isGuarded { try cloud.guardMachine(call) }
            let before = route.changesMachines ? cloud.look { $0.apps[call.app]?.machines } : nil
            let answer = try await route.handle(cloud, call)
            if let before, answer.status < 400 {
                cloud.withWorld { $0.apps[call.app]?.before = before }
            }
            return answer
        } catch let refusal as Refusal {
            return refusal.answer
        } catch {
            return Answer.error(500, "internal: \(error)")
        }
    }

    private func refusal(_ call: Request) -> Answer? {
        let token = cloud.options.token
        if ["Bearer \(token)", "FlyV1 \(token)"].contains(call.authorization) { return nil }
        return Answer.error(401, "Authenticate: token validation error")
    }

    /// The logs API wants a macaroon as it is, and knows no other way.
    private func logsRefusal(_ call: Request) -> Answer? {
        let token = cloud.options.token
        let isMacaroon = ["fm1r_", "fm1a_", "fm2_"].contains { token.hasPrefix($0) }
        let wanted = isMacaroon ? "FlyV1 \(token)" : "Bearer \(token)"
        return call.authorization == wanted ? nil : Answer.error(401, "unauthorized")
    }

    private static func decoded(_ part: some StringProtocol) -> String {
        String(part).removingPercentEncoding ?? String(part)
    }

    private static func query(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { decoded($0.replacing("+", with: " ")) }
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    private static func response(_ answer: Answer) -> HTTPResponse {
        guard answer.status != 0 else { return HTTPResponse(webSocket: ClosedConnection()) }
        var headers = HTTPHeaders()
        headers[HTTPHeader("fly-request-id")] = Names.ulid() + "-fra"
        for (name, value) in answer.headers { headers[HTTPHeader(name)] = value }
        var body = Data()
        if let text = answer.text {
            headers[.contentType] = "text/plain; charset=utf-8"
            body = Data(text.utf8)
        } else if let json = answer.body {
            headers[.contentType] = "application/json; charset=utf-8"
            body = json.serialised()
        }
        return HTTPResponse(
            statusCode: HTTPStatusCode(answer.status, phrase: "Status"), headers: headers,
            body: body)
    }
}

/// Ends a connection: what cannot be switched to is not answered.
private struct ClosedConnection: WSHandler {
    func makeFrames(
        for client: AsyncThrowingStream<WSFrame, any Error>
    ) async throws -> AsyncStream<WSFrame> { throw SocketError.disconnected }
}

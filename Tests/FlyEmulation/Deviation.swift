/// Where the real API is known not to be as the OpenAPI document says.
struct Deviation: Sendable {
    /// As the document writes it, or `*`.
    var operation: String
    /// Stars stand for anything, `[]` for any index.
    var place: String
    var reason: String

    init(_ operation: String, _ place: String, _ reason: String) {
        self.operation = operation
        self.place = place
        self.reason = reason
    }

    static let all = [
        Deviation("POST /apps", "request.body.app_name", "the documents call `name` so"),
        Deviation("POST /apps", "request.query.wait", "Fly's own client says it"),
        Deviation("* /apps*", "response.body.status", "`name_taken` came with a newer document"),
        Deviation("DELETE /apps/{app_name}", "request.query.force", "documented in prose"),
        Deviation(machines, "request.query.metadata.*", "documented in prose and newer"),
        Deviation(machine, "request.query.include_leases", "came with a newer document"),
        Deviation("DELETE *{machine_id}", "request.query.kill", "Fly's own client says it"),
        Deviation("POST *{machine_id}/restart", "request.query.force_stop", "in prose only"),
        Deviation("* *{machine_id}/lease", "response.body.status", "prose and clients wrap it"),
        Deviation("* *{machine_id}/lease", "response.body.data", "prose and clients wrap it"),
        Deviation("*", "response.*services[].autostop", "answered as boolean for off and stop"),
        Deviation("*", "request.*services[].autostop", "the old format, prose still accepts it"),
        Deviation("*", "*checks*.interval", "prose and clients know nanoseconds"),
        Deviation("*", "*checks*.timeout", "prose and clients know nanoseconds"),
        Deviation("*", "*checks*.grace_period", "prose and clients know nanoseconds"),
        Deviation("POST *{machine_id}/stop", "request.body.timeout", "so do they here"),
        Deviation("*{machine_id}/metadata", "request.body.metadata.*", "null removes, in prose"),
        Deviation("POST /apps/{app_name}/volumes", "response.status", "201 was seen, not 200"),
    ]

    private static let machines = "GET /apps/{app_name}/machines"
    private static let machine = "GET /apps/{app_name}/machines/{machine_id}"

    static func allows(_ misfit: Misfit, in operation: String) -> Bool {
        let place = withoutIndexes(misfit.place)
        return all.contains { fits($0.operation, operation) && fits($0.place, place) }
    }

    private static func withoutIndexes(_ place: String) -> String {
        var result = ""
        var isInside = false
        for character in place {
            if character == "]" { isInside = false }
            if !isInside { result.append(character) }
            if character == "[" { isInside = true }
        }
        return result
    }

    private static func fits(_ pattern: String, _ text: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else {
            return pattern == text
        }
        guard text.hasPrefix(first) else { return false }
        var rest = text.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}

import Foundation
import Synchronization

/// The OpenAPI document that calls are held against.
final class Contract: Sendable {
    /// The document cannot be read.
    struct Unreadable: Error {
        var path: String
    }

    private struct Operation: Sendable {
        var method: String
        /// As in the document.
        var path: String
        var parts: [String]
        var content: JSON

        /// How many names its path has; one without is meant before one with.
        var names: Int { parts.count { $0.hasPrefix("{") } }
    }

    private struct Findings {
        var mismatches: [String] = []
        var checked = 0
    }

    private let operations: [Operation]
    private let schemas: SchemaCheck
    private let findings = Mutex(Findings())

    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path),
            let document = JSON(parsing: data), let paths = document["paths"]?.object
        else { throw Unreadable(path: path) }
        schemas = SchemaCheck(schemas: document["components"]?["schemas"]?.object ?? [:])
        operations = paths.flatMap { path, methods in
            (methods.object ?? [:]).map { method, content in
                Operation(
                    method: method.uppercased(), path: path,
                    parts: path.split(separator: "/").map(String.init), content: content)
            }
        }.sorted { $0.names < $1.names }
    }

    var mismatches: [String] { findings.withLock { $0.mismatches } }
    var checkedCalls: Int { findings.withLock { $0.checked } }

    /// Notes what does not fit. The logs API is of another document, which nobody published.
    func check(_ call: Request, _ answer: Answer) {
        guard call.path.first == "v1" else { return }
        let parts = call.path.dropFirst()
        let operation = operations.first { operation in
            operation.method == call.method && operation.parts.count == parts.count
                && zip(operation.parts, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
        var misfits: [Misfit] = []
        if let operation {
            misfits =
                query(call, operation) + request(call, operation) + response(answer, operation)
            let name = "\(operation.method) \(operation.path)"
            misfits.removeAll { Deviation.allows($0, in: name) }
        } else {
            misfits = [Misfit(place: "path", text: "is not in the document")]
        }
        let lines = misfits.map {
            "\(call.method) /\(call.path.joined(separator: "/")): \($0.place) \($0.text)"
        }
        findings.withLock { findings in
            findings.checked += 1
            for line in lines where !findings.mismatches.contains(line) {
                findings.mismatches.append(line)
            }
        }
    }

    private func query(_ call: Request, _ operation: Operation) -> [Misfit] {
        let known = (operation.content["parameters"]?.array ?? []).filter { $0["in"] == "query" }
        var misfits: [Misfit] = []
        for parameter in known where parameter["required"] == true {
            let name = parameter["name"]?.string ?? ""
            if call.value(name) == nil {
                misfits.append(Misfit(place: "request.query.\(name)", text: "is missing"))
            }
        }
        for (name, value) in call.query {
            let place = "request.query.\(name)"
            guard let parameter = known.first(where: { $0["name"]?.string == name }) else {
                misfits.append(Misfit(place: place, text: "is unknown"))
                continue
            }
            let type = parameter["schema"]?["type"]?.string
            let isFit =
                switch type {
                case "integer": Int(value) != nil
                case "boolean": value == "true" || value == "false"
                default: true
                }
            if !isFit { misfits.append(Misfit(place: place, text: "is no \(type ?? "")")) }
        }
        return misfits
    }

    private func request(_ call: Request, _ operation: Operation) -> [Misfit] {
        guard !call.body.isEmpty else { return [] }
        guard let body = JSON(parsing: call.body) else {
            return [Misfit(place: "request.body", text: "is no JSON")]
        }
        guard let schema = Self.schema(operation.content["requestBody"]) else {
            return body == [:]
                ? [] : [Misfit(place: "request.body", text: "is not in the document")]
        }
        return schemas.misfits(body, schema, at: "request.body")
    }

    private func response(_ answer: Answer, _ operation: Operation) -> [Misfit] {
        let documented = operation.content["responses"]?[String(answer.status)]
        // The document leaves out most errors, and all of them have one shape.
        var schema = Self.schema(documented)
        if answer.status >= 400 {
            schema = ["$ref": "#/components/schemas/ErrorResponse"]
        } else if documented == nil {
            return [Misfit(place: "response.status", text: "\(answer.status) is not documented")]
        }
        guard let schema, let body = answer.body else { return [] }
        return schemas.misfits(body, schema, at: "response.body")
    }

    private static func schema(_ part: JSON?) -> JSON? {
        part?["content"]?["application/json"]?["schema"]
    }
}

/// One thing that does not fit.
struct Misfit: Sendable, Hashable {
    /// Such as `response.body[0].state`.
    var place: String
    var text: String
}

/// Holds values against the schemas of an OpenAPI document.
struct SchemaCheck: Sendable {
    let schemas: [String: JSON]

    func misfits(_ value: JSON, _ schema: JSON, at place: String) -> [Misfit] {
        if let reference = schema["$ref"]?.string {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            guard let target = schemas[name] else {
                return [Misfit(place: place, text: "has the unknown schema \(name)")]
            }
            return misfits(value, target, at: place)
        }
        if let parts = schema["allOf"]?.array {
            return parts.flatMap { misfits(value, $0, at: place) }
        }
        if let type = schema["type"]?.string, !Self.fits(value, type) {
            return [Misfit(place: place, text: "is no \(type)")]
        }
        if let allowed = schema["enum"]?.array, !allowed.contains(value) {
            let text = String(decoding: value.serialised(), as: UTF8.self)
            return [Misfit(place: place, text: "has the undocumented value \(text)")]
        }
        switch value {
        case .array(let values):
            guard let items = schema["items"] else { return [] }
            return values.enumerated().flatMap { misfits($1, items, at: "\(place)[\($0)]") }
        case .object(let fields): return misfits(fields, schema, at: place)
        default: return []
        }
    }

    private func misfits(
        _ fields: [String: JSON], _ schema: JSON, at place: String
    ) -> [Misfit] {
        let known = schema["properties"]?.object
        let others = schema["additionalProperties"]
        var misfits: [Misfit] = []
        for name in schema["required"]?.strings ?? [] where fields[name] == nil {
            misfits.append(Misfit(place: "\(place).\(name)", text: "is missing"))
        }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            let place = "\(place).\(name)"
            if let schema = known?[name] ?? (others?.object == nil ? nil : others) {
                misfits += self.misfits(value, schema, at: place)
            } else if others != true, known != nil || others == false {
                misfits.append(Misfit(place: place, text: "is unknown"))
            }
        }
        return misfits
    }

    private static func fits(_ value: JSON, _ type: String) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool),
            ("integer", .int), ("number", .int), ("number", .double):
            true
        default: false
        }
    }
}

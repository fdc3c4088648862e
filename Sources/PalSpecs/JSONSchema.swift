public import PalModel

/// The JSON Schema (2020-12) of a spec, made from the field table, for editors and agents.
public enum JSONSchema {
    /// The schema as a value.
    public static var spec: Value {
        var root = object(branch: FieldTable.all.map { ($0, $0.path.split(separator: ".")[...]) })
        root["$schema"] = .string("https://json-schema.org/draft/2020-12/schema")
        root["title"] = .string("pal instance spec")
        root["required"] = .list([.string("name")])
        return .map(root)
    }

    private static func object(
        branch fields: [(Field, ArraySlice<Substring>)]
    ) -> [String: Value] {
        var properties: [String: Value] = [:]
        for (key, members) in Dictionary(grouping: fields, by: { String($0.1.first ?? "") }) {
            if members.count == 1, members[0].1.count == 1 {
                properties[key] = schema(of: members[0].0)
            } else {
                properties[key] = .map(object(branch: members.map { ($0.0, $0.1.dropFirst()) }))
            }
        }
        return [
            "type": .string("object"), "properties": .map(properties),
            "additionalProperties": .bool(false),
        ]
    }

    private static func schema(of field: Field) -> Value {
        var entries = schema(of: field.shape)
        entries["description"] = .string(field.summary)
        if let fallback = field.fallback { entries["default"] = fallback }
        return .map(entries)
    }

    private static func schema(of shape: Shape) -> [String: Value] {
        switch shape {
        case .text(let rule):
            var entries: [String: Value] = ["type": .list([.string("string"), .string("integer")])]
            if let pattern = rule.pattern {
                entries["type"] = .string("string")
                entries["pattern"] = .string(pattern)
            }
            return entries
        case .integer(let range):
            return [
                "type": .string("integer"), "minimum": .int(range.lowerBound),
                "maximum": .int(range.upperBound),
            ]
        case .number(let range):
            return [
                "type": .string("number"), "minimum": .double(range.lowerBound),
                "maximum": .double(range.upperBound),
            ]
        case .flag: return ["type": .string("boolean")]
        case .choice(let names): return ["enum": .list(names.map { .string($0) })]
        case .span:
            return [
                "type": .list([.string("string"), .string("integer")]),
                "pattern": .string("^([0-9]+(d|h|m|s|ms))+$"), "minimum": .int(0),
            ]
        case .list(let element):
            return ["type": .string("array"), "items": .map(schema(of: element))]
        case .map(let rule, let element):
            var entries: [String: Value] = [
                "type": .string("object"), "additionalProperties": .map(schema(of: element)),
            ]
            if let pattern = rule.pattern {
                entries["propertyNames"] = .map(["pattern": .string(pattern)])
            }
            return entries
        case .object(let members): return objectSchema(members)
        case .anything: return [:]
        }
    }

    private static func objectSchema(_ members: [Shape.Member]) -> [String: Value] {
        var properties: [String: Value] = [:]
        for member in members {
            var entries = schema(of: member.shape)
            entries["description"] = .string(member.summary)
            properties[member.name] = .map(entries)
        }
        return [
            "type": .string("object"), "properties": .map(properties),
            "additionalProperties": .bool(false),
            "required": .list(members.filter(\.isRequired).map { .string($0.name) }),
        ]
    }
}

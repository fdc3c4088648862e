import ArgumentParser
import Foundation
import PalModel
import Yams

/// How a command prints.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json, yaml
}

/// Machine-readable output.
enum Encoded {
    /// Prints a value as JSON or YAML; dates in ISO 8601.
    static func show(_ value: some Encodable, _ format: OutputFormat) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        let json = try encoder.encode(value)
        guard format == .yaml else {
            Terminal.say(String(decoding: json, as: UTF8.self))
            return
        }
        let tree = try JSONDecoder().decode(Value.self, from: json)
        let yaml = try YAMLEncoder().encode(tree)
        Terminal.write(yaml, to: 1)
    }

    /// Prints a value as one line of JSON.
    static func showLine(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        Terminal.say(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

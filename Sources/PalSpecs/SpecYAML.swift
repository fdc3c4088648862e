public import PalModel
internal import Yams

/// Writes specs as people write them: fields in the order of the reference, nested as their paths.
public enum SpecYAML {
    /// One document, with a line feed at its end. Only what is set is written.
    public static func text(of config: InstanceConfig) -> String {
        var root = Tree()
        for field in FieldTable.all {
            guard let value = field.value(in: config) else { continue }
            root.put(value, at: field.path.split(separator: ".").map(String.init)[...])
        }
        let text = try? Yams.serialize(
            node: root.node, indent: 2, width: -1, allowUnicode: true, sortKeys: false)
        return text ?? ""
    }

    /// Maps in the order in which their keys came.
    private struct Tree {
        private var keys: [String] = []
        private var values: [String: Value] = [:]
        private var trees: [String: Tree] = [:]

        mutating func put(_ value: Value, at path: ArraySlice<String>) {
            guard let key = path.first else { return }
            if values[key] == nil, trees[key] == nil { keys.append(key) }
            if path.count == 1 {
                values[key] = value
            } else {
                trees[key, default: Tree()].put(value, at: path.dropFirst())
            }
        }

        var node: Yams.Node {
            Yams.Node(
                keys.map { key in
                    (SpecYAML.scalar(key), trees[key]?.node ?? SpecYAML.node(values[key] ?? .null))
                })
        }
    }

    private static func node(_ value: Value) -> Yams.Node {
        switch value {
        case .null: .scalar(.init("null"))
        case .bool(let flag): .scalar(.init(flag ? "true" : "false"))
        case .int(let number): .scalar(.init(String(number)))
        case .double(let number):
            .scalar(.init(Int(exactly: number).map { String($0) } ?? String(number)))
        case .string(let text): scalar(text)
        case .list(let items): Yams.Node(items.map(node), .implicit, .block)
        case .map(let entries):
            Yams.Node(entries.sorted { $0.key < $1.key }.map { (scalar($0.key), node($0.value)) })
        }
    }

    /// Text that reads as another kind of value is quoted.
    private static func scalar(_ text: String) -> Yams.Node {
        let isText = CoreSchema.resolve(text) == .string && !isOldWord(text)
        return .scalar(.init(text, Tag(.str), isText ? .any : .doubleQuoted))
    }

    /// What YAML 1.1 takes for true and false: other tools read specs too.
    private static func isOldWord(_ text: String) -> Bool {
        ["yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
    }
}

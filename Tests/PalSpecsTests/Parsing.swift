import PalModel
import PalSpecs

/// What a text parses to, in a form that is easy to compare.
indirect enum Plain: Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    case scalar(Node.Kind, String)
    case list([Plain])
    case map([String], [Plain])

    init(_ node: Node) {
        switch node.content {
        case .sequence(let elements): self = .list(elements.map(Plain.init))
        case .mapping(let pairs):
            self = .map(pairs.map(\.key.text), pairs.map { Plain($0.value) })
        case .scalar(let scalar):
            self = .scalar(scalar.kind, scalar.kind == .string ? scalar.text : "")
        }
    }

    init(stringLiteral value: String) { self = .scalar(.string, value) }
    init(integerLiteral value: Int) { self = .scalar(.int(value), "") }
    init(floatLiteral value: Double) { self = .scalar(.float(value), "") }
    init(booleanLiteral value: Bool) { self = .scalar(.bool(value), "") }
    init(nilLiteral: ()) { self = .scalar(.null, "") }
    init(arrayLiteral elements: Plain...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, Plain)...) {
        self = .map(elements.map(\.0), elements.map(\.1))
    }
}

/// The documents of a YAML text.
func yaml(_ text: String) throws -> [Plain] {
    try SpecText.documents(in: Array(text.utf8), file: "f.yaml").map(Plain.init)
}

/// The documents of a JSON text.
func json(_ text: String) throws -> [Plain] {
    try SpecText.documents(in: Array(text.utf8), file: "f.json").map(Plain.init)
}

/// What is wrong with a file, as `line:column: message`; nothing where it parses.
func problems(_ text: String, file: String = "f.yaml") -> [String] {
    problems(Array(text.utf8), file: file)
}

func problems(_ bytes: [UInt8], file: String = "f.yaml") -> [String] {
    do throws(Unparsable) {
        _ = try SpecText.documents(in: bytes, file: file)
        return []
    } catch {
        return error.diagnostics.map { String($0.description.dropFirst(file.count + 1)) }
    }
}

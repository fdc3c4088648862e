import PalModel
import PalSpecs

func fuzzYAML(_ bytes: [UInt8]) {
    read(bytes, file: "f.yaml")
}

/// The strict reader; and what it takes means the same to the YAML reader, if that takes it too.
func fuzzJSON(_ bytes: [UInt8]) {
    guard let strict = read(bytes, file: "f.json"), isWithoutYAMLBreaks(bytes),
        let other = try? SpecText.documents(in: bytes, file: "f.yaml")
    else { return }
    demand(
        strict.count == other.count && zip(strict, other).allSatisfy(meanTheSame),
        "JSON and YAML read the same text differently")
}

/// Reads a file in every way that the product does.
/// - Returns: Its documents; nil where it is not parsed.
@discardableResult
private func read(_ bytes: [UInt8], file: String) -> [Node]? {
    let places = Places(bytes, file: file)
    var documents: [Node]?
    do throws(Unparsable) {
        let nodes = try SpecText.documents(in: bytes, file: file)
        var count = 0
        for node in nodes { check(node, places, depth: 0, &count) }
        demand(
            count <= max(10_000, 2 * bytes.count) + 1, "\(count) nodes of \(bytes.count) bytes")
        documents = nodes
    } catch {
        demand(!error.diagnostics.isEmpty, "refused, and no problem is told")
        for problem in error.diagnostics { check(problem, places) }
    }
    let contents = SpecFileContents(bytes: bytes, file: file)
    for problem in contents.allProblems { check(problem, places) }
    if contents.groups.isEmpty {
        demand(
            contents.declarations.count + contents.broken.count == documents?.count ?? 0,
            "not every document is told of")
    }
    let again = SpecFileContents(bytes: bytes, file: file)
    demand(
        contents.declarations == again.declarations && contents.groups == again.groups
            && contents.broken == again.broken && contents.problems == again.problems,
        "two readings differ")
    return documents
}

private func check(_ node: Node, _ places: Places, depth: Int, _ count: inout Int) {
    count += 1
    demand(depth <= SpecText.maximumDepth, "nested \(depth) deep")
    demand(places.has(node.location(in: places.file)), "a value stands outside the file")
    for pair in node.mapping ?? [] {
        demand(places.has(pair.key.location(in: places.file)), "a key stands outside the file")
        check(pair.value, places, depth: depth + 1, &count)
    }
    for element in node.sequence ?? [] { check(element, places, depth: depth + 1, &count) }
    guard let mapping = node.mapping else { return }
    demand(Set(mapping.map(\.key.text)).count == mapping.count, "a key stands twice in a mapping")
}

private func check(_ problem: Diagnostic, _ places: Places) {
    let text = problem.description
    demand(places.hasOrIsWhole(problem.location), "a problem outside the file: \(text)")
    demand(!problem.message.isEmpty && !problem.message.contains("\n"), "no sentence: \(text)")
}

/// U+0085, U+2028 and U+2029 are folded in YAML's double quotes and stand for themselves in JSON's.
private func isWithoutYAMLBreaks(_ bytes: [UInt8]) -> Bool {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.allSatisfy {
        ![0x85, 0x2028, 0x2029].contains($0.value)
    }
}

private func meanTheSame(_ a: Node, _ b: Node) -> Bool {
    switch (a.content, b.content) {
    case (.scalar(let a), .scalar(let b)): a == b
    case (.sequence(let a), .sequence(let b)):
        a.count == b.count && zip(a, b).allSatisfy(meanTheSame)
    case (.mapping(let a), .mapping(let b)):
        a.count == b.count
            && zip(a, b).allSatisfy {
                $0.key.text == $1.key.text && meanTheSame($0.value, $1.value)
            }
    default: false
    }
}

/// The places that a file has.
private struct Places {
    let file: String
    /// The lengths of the lines in scalars, as YAML and as editors cut them.
    private let lengths: [[Int]]

    init(_ bytes: [UInt8], file: String) {
        self.file = file
        let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
        let more: Set<UInt32> = [0x85, 0x2028, 0x2029]
        lengths = [more, []].map { more in
            var lines = [0]
            var last: Unicode.Scalar?
            for scalar in scalars {
                let endsReturn = scalar == "\n" && last == "\r"
                if scalar == "\n" || scalar == "\r" || more.contains(scalar.value) {
                    if !endsReturn { lines.append(0) }
                } else {
                    lines[lines.count - 1] += 1
                }
                last = scalar
            }
            return lines
        }
    }

    /// One place after a line's end counts too: something may be missing there.
    func has(_ place: SourceLocation) -> Bool {
        place.file == file && place.line >= 1 && place.column >= 1
            && lengths.contains {
                place.line <= $0.count && place.column <= $0[place.line - 1] + 1
            }
    }

    func hasOrIsWhole(_ place: SourceLocation) -> Bool {
        place == SourceLocation(file: file) || has(place)
    }
}

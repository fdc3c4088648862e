import PalModel
import Yams

/// Turns what Yams composed into our nodes: resolves aliases and merge keys, types scalars, and
/// refuses what a spec cannot mean.
///
/// Its work is bounded by a budget of nodes, with aliases counted as what they stand for.
struct YAMLTree {
    /// A converted value with what it costs a reader: its nodes, and how deep they go.
    private struct Measured {
        let node: Node
        var weight = 1
        var height = 0
    }

    private let source: SourceText
    private let mask: YAMLMask
    private let budget: Int
    private var spent = 0
    private var anchors: [String: Measured] = [:]
    private var texts: Set<String> = []
    private var problems: [Diagnostic] = []

    init(_ source: SourceText, _ mask: YAMLMask) {
        self.source = source
        self.mask = mask
        budget = max(10_000, source.text.utf8.count)
    }

    /// The documents that are not empty; anchors count within one document.
    mutating func documents(_ roots: [Yams.Node]) throws(Unparsable) -> [Node] {
        var documents: [Node] = []
        for root in roots {
            anchors = [:]
            do throws(Diagnostic) {
                let document = try convert(root, depth: 0).node
                if !document.isNull { documents.append(document) }
            } catch {
                // The budget or the depth: going on would cost what they are there to save.
                problems.append(error)
                break
            }
        }
        guard problems.isEmpty else {
            throw Unparsable(Array(problems.prefix(SpecText.maximumDiagnostics)))
        }
        return documents
    }

    // MARK: - Nodes

    private mutating func convert(_ node: Yams.Node, depth: Int) throws(Diagnostic) -> Measured {
        spent += 1
        var result: Measured
        switch node {
        case .scalar(let scalar): result = try convert(scalar, depth: depth)
        case .sequence(let sequence): result = try convert(sequence, depth: depth + 1)
        case .mapping(let mapping): result = try convert(mapping, depth: depth + 1)
        case .alias(let alias): result = Measured(node: null(at: alias.mark))
        }
        if spent > budget {
            throw problem("aliases make this file too large: write the values out", node.mark)
        }
        if depth + result.height > SpecText.maximumDepth {
            throw problem("more than \(SpecText.maximumDepth) levels of nesting", node.mark)
        }
        if let name = node.anchor?.rawValue { anchors[name] = result }
        return result
    }

    private mutating func convert(
        _ scalar: Yams.Node.Scalar, depth: Int
    ) throws(Diagnostic) -> Measured {
        let isPlain = scalar.style == .plain || scalar.style == .any
        let tag = scalar.tag.description
        if isPlain {
            if let name = mask.aliasName(scalar.string) { return alias(name, scalar) }
            if mask.isExplicitKey(scalar.string) {
                report(Self.explicitKey, scalar.mark)
            }
        }
        refuse(tag, but: "str", scalar.mark)
        let text = shared(mask.restore(scalar.string))
        // `!!str` makes text of anything.
        let kind = isPlain && tag.isEmpty ? CoreSchema.resolve(text) : .string
        return Measured(
            node: node(
                .scalar(.init(text: text, isQuoted: !isPlain || !tag.isEmpty, kind: kind)),
                scalar.mark))
    }

    /// The same text, held once: the documents of a file have images and addresses in common.
    private mutating func shared(_ text: String) -> String {
        // What is shorter takes no memory of its own.
        guard (16..<256).contains(text.utf8.count) else { return text }
        let held = texts.insert(text).memberAfterInsert
        // Texts are equal that look the same; of a path each byte counts.
        return held.utf8.elementsEqual(text.utf8) ? held : text
    }

    private mutating func alias(_ name: String, _ scalar: Yams.Node.Scalar) -> Measured {
        let isName = name.utf8.allSatisfy {
            $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
                || Character(Unicode.Scalar($0)).isNumber && $0 < 0x80
                || ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z")
        }
        if name.isEmpty || !isName || scalar.anchor != nil || !scalar.tag.description.isEmpty {
            report(
                "text that starts with '*' must stand in quotes (`*x` repeats what `&x` marks)",
                scalar.mark)
        } else if let measured = anchors[name] {
            spent = min(spent + measured.weight, budget + 1)
            return measured
        } else {
            report(
                "nothing before this is marked `&\(name)`: quote the text if it is no alias",
                scalar.mark)
        }
        return Measured(node: null(at: scalar.mark))
    }

    private mutating func convert(
        _ sequence: Yams.Node.Sequence, depth: Int
    ) throws(Diagnostic) -> Measured {
        try checkDepth(depth, sequence.mark)
        refuse(sequence.tag.description, but: "seq", sequence.mark)
        var elements: [Node] = []
        var sum = Measured(node: null(at: nil), height: 1)
        elements.reserveCapacity(sequence.count)
        for element in sequence {
            let measured = try convert(element, depth: depth)
            add(measured, to: &sum)
            elements.append(measured.node)
        }
        return Measured(
            node: node(.sequence(elements), sequence.mark), weight: sum.weight, height: sum.height)
    }

    private mutating func convert(
        _ mapping: Yams.Node.Mapping, depth: Int
    ) throws(Diagnostic) -> Measured {
        try checkDepth(depth, mapping.mark)
        refuse(mapping.tag.description, but: "map", mapping.mark)
        var pairs: [Node.Pair] = []
        var merged: [Node.Pair] = []
        var sum = Measured(node: null(at: nil), height: 1)
        pairs.reserveCapacity(mapping.count)
        for (key, value) in mapping {
            let key = convert(key: key)
            let measured = try convert(value, depth: depth)
            add(measured, to: &sum)
            if let key, key.isMerge {
                merged += mergeable(measured.node)
            } else if let key {
                pairs.append(Node.Pair(key: key.key, value: measured.node))
            }
        }
        if !merged.isEmpty {
            var known = Set(pairs.map(\.key.text))
            pairs += merged.filter { known.insert($0.key.text).inserted }
        }
        return Measured(
            node: node(.mapping(pairs), mapping.mark), weight: sum.weight, height: sum.height)
    }

    // MARK: - Keys

    /// Nil, and a problem, where the key is no text.
    private mutating func convert(key: Yams.Node) -> (key: Node.Key, isMerge: Bool)? {
        guard case .scalar(let scalar) = key else {
            report("a key must be text, not a list or a mapping", key.mark)
            return nil
        }
        // Yams has looked for duplicates by now, and with that given a plain key the tag of text.
        let isPlain = scalar.style == .plain || scalar.style == .any
        refuse(scalar.tag.description, but: "str", scalar.mark)
        if isPlain && mask.aliasName(scalar.string) != nil {
            report("a key cannot be an alias: write the key out", scalar.mark)
            return nil
        }
        if isPlain && mask.isExplicitKey(scalar.string) {
            report(Self.explicitKey, scalar.mark)
            return nil
        }
        let text = mask.restore(scalar.string)
        if isPlain && CoreSchema.resolve(text) != .string {
            report(
                text.isEmpty
                    ? "a key is missing before ':'"
                    : "a key must be text: write \"\(text)\" in quotes", scalar.mark)
            return nil
        }
        let mark = scalar.mark
        return (
            Node.Key(text, line: mark?.line ?? 0, column: mark?.column ?? 0),
            isPlain && text == "<<"
        )
    }

    /// What a merge key brings in: the pairs of a mapping, or of a list of mappings, of which an
    /// earlier one wins (yaml.org/type/merge).
    private mutating func mergeable(_ node: Node) -> [Node.Pair] {
        if let pairs = node.mapping { return pairs }
        if let elements = node.sequence, elements.allSatisfy({ $0.mapping != nil }) {
            return elements.flatMap { $0.mapping ?? [] }
        }
        problems.append(
            Diagnostic(
                node.location(in: source.file),
                "`<<` merges a mapping or a list of mappings, not \(node.summary)"))
        return []
    }

    // MARK: - Small parts

    static let explicitKey = "explicit keys (`? key`) are not supported: write `key: value`"

    private static let prefix = "tag:yaml.org,2002:"

    private mutating func refuse(_ tag: String, but allowed: String, _ mark: Mark?) {
        if tag.isEmpty || tag == Self.prefix + allowed { return }
        let short = tag.hasPrefix(Self.prefix) ? "!!" + tag.dropFirst(Self.prefix.count) : tag
        report("the tag \(short) is not supported: remove it", mark)
    }

    private func add(_ part: Measured, to sum: inout Measured) {
        // Saturates: a sum past the budget is refused whatever it is.
        sum.weight = min(sum.weight + part.weight, budget + 1)
        sum.height = max(sum.height, part.height + 1)
    }

    private func checkDepth(_ depth: Int, _ mark: Mark?) throws(Diagnostic) {
        if depth > SpecText.maximumDepth {
            throw problem("more than \(SpecText.maximumDepth) levels of nesting", mark)
        }
    }

    private func node(_ content: Node.Content, _ mark: Mark?) -> Node {
        Node(content, line: mark?.line ?? 0, column: mark?.column ?? 0)
    }

    private func null(at mark: Mark?) -> Node {
        node(.scalar(.init(text: "", isQuoted: false, kind: .null)), mark)
    }

    private mutating func report(_ message: String, _ mark: Mark?) {
        if problems.count < SpecText.maximumDiagnostics { problems.append(problem(message, mark)) }
    }

    private func problem(_ message: String, _ mark: Mark?) -> Diagnostic {
        Diagnostic(
            SourceLocation(file: source.file, line: mark?.line ?? 0, column: mark?.column ?? 0),
            message)
    }
}

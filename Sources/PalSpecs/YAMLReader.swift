import PalModel
import Yams

/// From a YAML text to our nodes.
///
/// libyaml stops at 1,000 levels of nesting; its recursion in Yams needs less than 4 MiB of stack
/// by then (measured), of the 8 MiB that a Linux thread has. Our own limit is reported, theirs
/// protects.
enum YAMLReader {
    /// How many lists or mappings may look like a mapping's key. Yams hashes such a key at every
    /// level of its nesting, at most 1,024 characters each (libyaml's limit for a key on one line):
    /// this many take about a second.
    private static let maximumCollectionKeys = 20_000

    static func read(_ source: SourceText) throws(Unparsable) -> [Node] {
        guard DeepStack.isNeeded(for: source.text) else { return try parse(source) }
        let result = DeepStack.run { () -> Result<[Node], Unparsable> in
            do throws(Unparsable) {
                return .success(try parse(source))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func parse(_ source: SourceText) throws(Unparsable) -> [Node] {
        let whole = SourceLocation(file: source.file)
        guard collectionKeys(in: source.text) <= maximumCollectionKeys else {
            throw Unparsable(
                whole, "too many lists or mappings are used as keys: keys must be text")
        }
        guard let mask = YAMLMask(source.text) else {
            throw Unparsable(whole, "every private-use character is in use: remove some")
        }
        let parser: Parser
        var roots: [Yams.Node] = []
        do {
            // The basic resolver leaves scalars alone: the default one runs expressions on each
            // key.
            parser = try Parser(yaml: mask.text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() { roots.append(root) }
        } catch {
            throw Unparsable([YAMLProblem(source, mask).diagnostic(for: error)])
        }
        // Nodes refer to their anchors weakly; the parser keeps them.
        return try withExtendedLifetime(parser) { () throws(Unparsable) in
            var tree = YAMLTree(source, mask)
            return try tree.documents(roots)
        }
    }

    /// How often `]` or `}` is followed by `:`, in text and comments too: never less than there
    /// are.
    private static func collectionKeys(in text: String) -> Int {
        var count = 0
        var closed = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "]"), UInt8(ascii: "}"): closed = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            case UInt8(ascii: ":"):
                if closed { count += 1 }
                closed = false
            default: closed = false
            }
        }
        return count
    }
}

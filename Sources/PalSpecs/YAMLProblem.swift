import PalModel
import Yams

/// Says what libyaml found wrong in plain words, at the place where it can be mended.
struct YAMLProblem {
    private let source: SourceText
    private let mask: YAMLMask

    init(_ source: SourceText, _ mask: YAMLMask) {
        self.source = source
        self.mask = mask
    }

    func diagnostic(for error: any Error) -> Diagnostic {
        guard let error = error as? YamlError else { return at(nil, "not YAML: \(error)") }
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            return describe(problem, mark, context)
        case .duplicatedKeysInMapping(let keys, let context):
            return duplicate(keys.map(mask.restore), first: context.mark)
        case .reader(let problem, _, _, _): return at(nil, "not readable as YAML: \(problem)")
        case .memory: return at(nil, "not enough memory to parse this file")
        default: return at(nil, "not YAML")
        }
    }

    private func describe(
        _ problem: String, _ mark: Mark, _ context: YamlError.Context?
    ) -> Diagnostic {
        if let explicit = explicitKey(before: mark) { return explicit }
        // Where the mending is done is the start, not the place where the parser gave up.
        if let context {
            if context.text.contains("quoted scalar") && problem.contains("end of stream") {
                return at(context.mark, "the quote that opens here is never closed")
            }
            if context.text.contains("simple key") {
                return at(context.mark, "expected ':' and a value after this key")
            }
        }
        if problem.hasPrefix("Maximum nesting level") {
            return at(mark, "more than \(SpecText.maximumDepth) levels of nesting")
        }
        let words = words(for: problem, mark)
        guard let start = context?.mark, start.line < mark.line, !problem.contains("token") else {
            return at(mark, words)
        }
        return at(mark, "\(words) (in what begins on line \(start.line))")
    }

    /// The explicit key that `YAMLMask` hid, where the error is its doing: a key that goes on until
    /// a ':' on the next line is in order for libyaml, and no plain text is.
    private func explicitKey(before mark: Mark) -> Diagnostic? {
        for number in [mark.line - 1, mark.line] {
            guard let line = line(number) else { continue }
            let indent = line.prefix { $0 == " " }.count
            let start = line.dropFirst(indent).prefix(2)
            if start.first == "?" && (start.count == 1 || start.last == " ") {
                return at((number, indent + 1), YAMLTree.explicitKey)
            }
        }
        return nil
    }

    private func words(for problem: String, _ mark: Mark) -> String {
        if problem.contains("tab character") { return Self.tab }
        switch problem {
        case "found character that cannot start any token":
            return cannotStart(character(at: mark))
        case "mapping values are not allowed in this context":
            return "a ':' cannot stand here: quote text that has ': ' in it, "
                + "or check the indentation"
        case "block sequence entries are not allowed in this context":
            return "a list item ('-') cannot stand here: check the indentation, or quote the text"
        case "did not find expected key":
            return "expected a key: indent this line like the others of its mapping"
        case "did not find expected '-' indicator":
            return "expected '-': indent this line like the other items of its list"
        case "did not find expected node content": return "a value is missing here"
        case "did not find expected ',' or ']'": return "expected ',' or ']' in the list"
        case "did not find expected ',' or '}'": return "expected ',' or '}' in the mapping"
        case "did not find expected <document start>":
            return "expected the end of the document or '---': check quotes and indentation"
        case "found unknown escape character":
            return "unknown escape in double quotes: write \\\\ for a backslash, "
                + "or use single quotes"
        case "found unexpected end of stream": return "the file ends too early"
        case "found unexpected document indicator":
            return "'---' or '...' stands inside quotes that are still open"
        default: return "not YAML: \(problem)"
        }
    }

    private static let tab = "a tab cannot be used for indentation: use spaces"

    private func cannotStart(_ character: Unicode.Scalar?) -> String {
        guard let character, character != "\t" else { return Self.tab }
        return "text cannot start with '\(character)': put it in quotes"
    }

    private func character(at mark: Mark) -> Unicode.Scalar? {
        line(mark.line)?.dropFirst(mark.column - 1).first
    }

    // MARK: - Duplicate keys

    /// Yams names the first of the two; the second is where a person looks.
    ///
    /// Of several keys it gives the place of the least, and which of equal ones that is differs
    /// from reading to reading: collections, and one text with different tags, are equal to it.
    private func duplicate(_ keys: [String], first: Mark) -> Diagnostic {
        guard let key = keys.first, Set(keys).count == keys.count, !keys.contains(Self.noText)
        else { return at(nil, "a key is in one mapping twice; keys must be text, without a tag") }
        let message = "the key \"\(key)\" is already on line \(first.line)"
        if let line = laterLine(like: first) {
            return at((line, first.column), message)
        }
        return at(first, "the key \"\(key)\" is in this mapping twice")
    }

    /// How Yams names a key that is no text.
    private static let noText = "<uncovertable>"

    /// The next line that has the same word in the same column: in block style every key of one
    /// mapping stands there, and nothing else does before the mapping ends.
    private func laterLine(like first: Mark) -> Int? {
        func word(in line: Substring.UnicodeScalarView) -> [Unicode.Scalar]? {
            let rest = line.dropFirst(first.column - 1)
            guard let colon = rest.firstIndex(of: ":") else { return nil }
            return Array(rest[..<colon])
        }
        let lines = lines
        guard first.line <= lines.count, let wanted = word(in: lines[first.line - 1]) else {
            return nil
        }
        for (index, line) in lines.enumerated().dropFirst(first.line)
        where line.prefix(first.column - 1).allSatisfy({ $0 == " " }) && word(in: line) == wanted {
            return index + 1
        }
        return nil
    }

    /// What ends a line for libyaml, which is of YAML 1.1, beside CR and LF.
    private static let breaks: Set<Unicode.Scalar> = ["\u{85}", "\u{2028}", "\u{2029}"]

    private var lines: [Substring.UnicodeScalarView] {
        source.text.unicodeScalars.split(omittingEmptySubsequences: false) { $0 == "\n" }
    }

    private func line(_ number: Int) -> Substring.UnicodeScalarView? {
        let lines = lines
        return number >= 1 && number <= lines.count ? lines[number - 1] : nil
    }

    private func at(_ mark: Mark?, _ message: String) -> Diagnostic {
        at((mark?.line ?? 0, mark?.column ?? 0), message)
    }

    private func at(_ place: (line: Int, column: Int), _ message: String) -> Diagnostic {
        // For libyaml a last line without an end is followed by one more.
        let end = SourceText.place(after: source.text.unicodeScalars, alsoBreaking: Self.breaks)
        let place = place.line > end.line ? end : place
        return Diagnostic(
            SourceLocation(file: source.file, line: place.line, column: place.column), message)
    }
}

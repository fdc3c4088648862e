/// A file of `NAME=value` lines, such as `.env`, as Compose reads it.
///
/// A value may stand in quotes, over several lines, too. Variables are put in, but for those in
/// single quotes; what stands above in the file counts where the shell has none of the name.
struct EnvFile {
    /// The variables in their order.
    private(set) var variables: [(name: String, value: String)] = []
    /// The names that stand without a value, which is the shell's then.
    private(set) var namesAlone: [String] = []
    /// What cannot be understood, or means nothing here.
    private(set) var problems: [String] = []

    private var lines: ArraySlice<Substring>
    private let shell: [String: String]
    private let isRaw: Bool

    /// - Parameters:
    ///   - shell: The variables that may be put in.
    ///   - isRaw: Whether every value is just what stands there.
    init(_ text: String, shell: [String: String], isRaw: Bool = false) {
        lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
        (self.shell, self.isRaw) = (shell, isRaw)
        while let line = lines.popFirst() { read(line) }
    }

    private mutating func read(_ line: Substring) {
        var line = line.trimmed[...]
        guard !line.isEmpty, !line.hasPrefix("#") else { return }
        if line.hasPrefix("export ") { line = line.dropFirst(7).trimmed[...] }
        guard let equals = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            return namesAlone.append(String(line))
        }
        let name = line[..<equals].trimmed
        guard !name.isEmpty else {
            // Not quoted: it may be a secret's.
            return problems.append("a line with a value names no variable")
        }
        let said = line[line.index(after: equals)...].trimmed[...]
        guard let value = value(said, of: name) else { return }
        variables.append((name, value))
    }

    private mutating func value(_ said: Substring, of name: String) -> String? {
        if isRaw { return String(said) }
        guard let quote = said.first, quote == "\"" || quote == "'" else {
            let end = said.firstRange(of: " #")?.lowerBound ?? said.endIndex
            return expanded(said[..<end].trimmed, of: name)
        }
        guard let inside = quoted(said.dropFirst(), by: quote) else {
            problems.append("the quote of \(name) has no end")
            return nil
        }
        if quote == "'" { return inside.replacing("\\'", with: "'") }
        return expanded(Self.unescaped(inside), of: name)
    }

    /// What stands before the quote's end, which may be some lines below.
    private mutating func quoted(_ begin: Substring, by quote: Character) -> String? {
        var (text, rest, next) = ("", begin, lines)
        while true {
            var isEscaped = false
            for index in rest.indices {
                if rest[index] == quote, !isEscaped {
                    lines = next
                    return text + rest[..<index]
                }
                isEscaped = rest[index] == "\\" && !isEscaped
            }
            guard let line = next.popFirst() else { return nil }
            text += rest + "\n"
            rest = line
        }
    }

    /// What backslashes mean in double quotes. A `$` after one stays one.
    private static func unescaped(_ text: String) -> String {
        let meanings: [Character: String] = [
            "n": "\n", "r": "\r", "t": "\t", "$": "$$", "\"": "\"", "\\": "\\",
        ]
        var (result, isEscaped) = ("", false)
        for character in text {
            if isEscaped {
                result += meanings[character] ?? "\\\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return isEscaped ? result + "\\" : result
    }

    private mutating func expanded(_ text: String, of name: String) -> String? {
        let above = Dictionary(variables.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let outcome = Interpolation(variables: above.merging(shell) { $1 }).apply(text)
        if let problem = outcome.problem {
            problems.append("\(name): \(problem)")
            return nil
        }
        for unset in outcome.unset { problems.append("\(name): \(unset) is not set") }
        return outcome.text
    }
}

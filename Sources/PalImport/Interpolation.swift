/// Compose's `${VARIABLE}` in texts.
struct Interpolation: Sendable {
    /// The shell's variables, and over-ridden by them those of the file's `.env`.
    var variables: [String: String]

    /// What a text means, and which variables it names that are not set.
    struct Outcome: Sendable, Hashable {
        var text: String
        var unset: [String] = []
        /// What a `${X:?message}` demands, or a form that is not understood.
        var problem: String?
    }

    func apply(_ text: String) -> Outcome {
        var outcome = Outcome(text: "")
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            outcome.text += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                outcome.text += "$"
                rest.removeFirst()
            } else if rest.first == "{" {
                guard let end = Self.end(of: rest) else {
                    outcome.problem = "'${' has no '}'"
                    return outcome
                }
                expand(rest[rest.index(after: rest.startIndex)..<end], &outcome)
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.prefix(while: Self.isName)
                if name.isEmpty { outcome.text += "$" } else { use(String(name), &outcome) }
                rest = rest[name.endIndex...]
            }
        }
        outcome.text += rest
        return outcome
    }

    /// The brace that closes the one at the start; there may be others inside.
    private static func end(of text: Substring) -> Substring.Index? {
        var depth = 0
        for index in text.indices {
            if text[index] == "{" { depth += 1 }
            if text[index] == "}" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }

    private static func isName(_ character: Character) -> Bool {
        character == "_" || character.isASCII && (character.isLetter || character.isNumber)
    }

    private func expand(_ inside: Substring, _ outcome: inout Outcome) {
        let name = String(inside.prefix(while: Self.isName))
        let form = inside[inside.index(inside.startIndex, offsetBy: name.count)...]
        guard !name.isEmpty else {
            outcome.problem = "'${\(inside)}' names no variable"
            return
        }
        if form.isEmpty { return use(name, &outcome) }
        let countsEmpty = form.first == ":"
        let mark = form.drop { $0 == ":" }.first
        let word = String(form.drop { $0 == ":" }.dropFirst())
        let value = variables[name].flatMap { countsEmpty && $0.isEmpty ? nil : $0 }
        switch mark {
        case "-":
            if let value { outcome.text += value } else { nest(word, &outcome) }
        case "+":
            if value != nil { nest(word, &outcome) }
        case "?":
            if let value {
                outcome.text += value
            } else {
                outcome.problem = "\(name) is not set\(word.isEmpty ? "" : ": \(word)")"
            }
        default: outcome.problem = "'${\(inside)}' is no form that Compose has"
        }
    }

    private func nest(_ word: String, _ outcome: inout Outcome) {
        let inner = apply(word)
        outcome.text += inner.text
        outcome.unset += inner.unset
        outcome.problem = outcome.problem ?? inner.problem
    }

    private func use(_ name: String, _ outcome: inout Outcome) {
        if let value = variables[name] { outcome.text += value } else { outcome.unset.append(name) }
    }
}

/// Hides two characters of a YAML text from the parser: `*`, which starts an alias, and `?`, which
/// starts an explicit key.
///
/// Yams hashes every mapping's keys, with all that is below them and aliases followed: a few lines
/// can make that exponential, before the first node is ours to look at. Each of the two is replaced
/// by a private-use character that the text does not have. No line and no column moves; a token
/// that starts with one comes back as plain text that starts with the stand-in; elsewhere in a
/// scalar it is put back. So aliases and explicit keys are recognised exactly, by us, with their
/// place.
struct YAMLMask {
    /// What the parser is given.
    let text: String
    private let alias: Unicode.Scalar
    private let key: Unicode.Scalar
    private let isNeeded: Bool

    /// Nil where the text uses every private-use character of the Basic Multilingual Plane.
    init?(_ original: String) {
        isNeeded = original.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
        var used: Set<Unicode.Scalar> = []
        if isNeeded {
            for scalar in original.unicodeScalars where Self.range.contains(scalar.value) {
                used.insert(scalar)
            }
        }
        let free = Self.range.lazy.compactMap(Unicode.Scalar.init).filter { !used.contains($0) }
        guard let alias = free.first, let key = free.dropFirst().first else { return nil }
        self.alias = alias
        self.key = key
        text = isNeeded ? Self.replace(in: original, ["*": alias, "?": key]) : original
    }

    private static let range: ClosedRange<UInt32> = 0xE000...0xF8FF

    /// The text with the hidden characters put back.
    func restore(_ text: String) -> String {
        guard isNeeded, !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        return Self.replace(in: text, [alias: "*", key: "?"])
    }

    /// The rest of a plain scalar that is an alias; nil where it is none.
    func aliasName(_ plain: String) -> String? {
        guard isNeeded, plain.unicodeScalars.first == alias else { return nil }
        return String(plain.unicodeScalars.dropFirst())
    }

    /// True where a plain scalar would have been an explicit key: `?` and white space.
    func isExplicitKey(_ plain: String) -> Bool {
        guard isNeeded, plain.unicodeScalars.first == key else { return false }
        let next = plain.unicodeScalars.dropFirst().first
        return next == nil || next?.properties.isWhitespace == true
    }

    private static func replace(
        in text: String, _ table: [Unicode.Scalar: Unicode.Scalar]
    ) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(table[scalar] ?? scalar) }
        return String(result)
    }
}

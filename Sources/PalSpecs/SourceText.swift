import PalModel

/// A spec file's text, checked before any parser sees it: a size that a parser can take, UTF-8, and
/// no characters that neither YAML nor JSON allows.
struct SourceText {
    /// The file, as messages name it.
    let file: String
    /// The text without a byte order mark.
    let text: String

    init(_ bytes: [UInt8], file: String) throws(Unparsable) {
        self.file = file
        let whole = SourceLocation(file: file)
        guard bytes.count <= SpecText.maximumBytes else {
            throw Unparsable(whole, SpecText.tooLarge(Int64(bytes.count)))
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw Unparsable(whole, "the file is UTF-16: save it as UTF-8")
        }
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Self.notUTF8(content, file)
        }
        self.text = text
        try checkCharacters()
    }

    /// The place of the scalar before which `prefix` stands.
    static func place(
        after prefix: some Sequence<Unicode.Scalar>, alsoBreaking breaks: Set<Unicode.Scalar> = []
    ) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        var afterReturn = false
        for scalar in prefix {
            // CR, LF, and CR LF are one line's end each.
            if scalar == "\n" && afterReturn {
                afterReturn = false
                continue
            }
            afterReturn = scalar == "\r"
            if scalar == "\n" || scalar == "\r" || breaks.contains(scalar) {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return (line, column)
    }

    private static func notUTF8(_ content: ArraySlice<UInt8>, _ file: String) -> Unparsable {
        var valid: [Unicode.Scalar] = []
        var decoder = UTF8()
        var bytes = content.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&bytes) { valid.append(scalar) }
        let place = place(after: valid)
        let offset = valid.reduce(0) { $0 + UTF8.width($1) }
        return Unparsable(
            SourceLocation(file: file, line: place.line, column: place.column),
            "the byte at offset \(offset) is not UTF-8: save the file as UTF-8")
    }

    /// What YAML 1.2 calls printable (section 5.1), which is less than JSON allows in its strings;
    /// there such a character can be escaped.
    private func checkCharacters() throws(Unparsable) {
        // Most files are ASCII, and bytes are cheaper to look at than scalars.
        let isPlain = text.utf8.allSatisfy {
            $0 < 0x7F && ($0 >= 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09)
        }
        if isPlain { return }
        let scalars = text.unicodeScalars
        guard let bad = scalars.firstIndex(where: { !Self.isAllowed($0) }) else { return }
        let place = Self.place(after: scalars[..<bad])
        let code = String(scalars[bad].value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
        throw Unparsable(
            SourceLocation(file: file, line: place.line, column: place.column),
            "the control character U+\(padded) cannot stand in a spec: remove it, "
                + "or escape it inside double quotes")
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0x0A, 0x0D, 0x09, 0x85: true
        case 0xFEFF, 0xFFFE, 0xFFFF: false
        case 0xA0...0x10FFFF: true
        default: false
        }
    }
}

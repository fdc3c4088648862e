/// The status and the headers of an answer.
struct ResponseHead: Sendable {
    var status = 0
    var headers = HTTPHeaders()
}

/// Reads the lines that libcurl hands over into one head.
///
/// The heads of interim answers (1xx) are skipped, except 101, after which no other head comes.
/// Trailers, which come by the same way after a chunked body, are ignored.
struct ResponseHeadReader {
    private var head = ResponseHead()
    private var size = 0
    /// Whether the last head has been read to its end.
    private(set) var isComplete = false

    /// The most that a server may say before the body, in bytes.
    static let limit = 256 << 10

    enum Progress {
        case more
        case complete(ResponseHead)
        case tooLarge
    }

    /// Takes one line with its line break.
    mutating func read(_ line: some Collection<UInt8>) -> Progress {
        guard !isComplete else { return .more }
        size += line.count
        guard size <= Self.limit else { return .tooLarge }

        let isFolded = line.first == UInt8(ascii: " ") || line.first == UInt8(ascii: "\t")
        let text = trimmed(String(decoding: line, as: UTF8.self)[...])
        if text.isEmpty { return end() }
        if isFolded {
            head.headers.extendLast(with: String(text))
        } else if text.hasPrefix("HTTP/") {
            let words = text.split(separator: " ", maxSplits: 2)
            head = ResponseHead(status: words.count > 1 ? Int(words[1]) ?? 0 : 0)
        } else if let colon = text.firstIndex(of: ":") {
            head.headers.append(
                name: String(text[..<colon]),
                value: String(trimmed(text[text.index(after: colon)...])))
        }
        return .more
    }

    private mutating func end() -> Progress {
        let isInterim = (100..<200).contains(head.status) && head.status != 101
        guard !isInterim else { return .more }
        isComplete = true
        return .complete(head)
    }

    private func trimmed(_ text: Substring) -> Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        guard let last = text.lastIndex(where: { !isBlank($0) }) else { return "" }
        return text[...last].drop(while: isBlank)
    }
}

internal import FoundationEssentials
import PalProvider

/// Puts the lines of a log together from what the Engine sends with `timestamps=1`.
///
/// A time stands at the begin of every entry, and a long line is several entries: the later times
/// are inside the line and are taken out. Of a terminal's log no entries are known, only lines. A
/// line that is longer than the limit is given in parts, so memory is bounded.
struct LogReader: Sendable {
    private var parser: FrameParser?
    private var output: StampedLine
    private var errors: StampedLine

    static let longestLine = 1 << 20

    /// - Parameters:
    ///   - isTerminal: Whether the container has a terminal: then there are no frames, and all is
    ///     stdout.
    ///   - isPodman: Whether Podman sends it, whose terminals' lines may have times inside.
    ///   - longestLine: The limit in bytes.
    init(isTerminal: Bool, isPodman: Bool = false, longestLine: Int = Self.longestLine) {
        parser = isTerminal ? nil : FrameParser()
        output = StampedLine(.stdout, limit: longestLine, isStamped: isTerminal)
        output.hasStampsInside = isTerminal && isPodman
        errors = StampedLine(.stderr, limit: longestLine, isStamped: false)
    }

    /// Takes bytes in and gives the lines that they end.
    mutating func push(_ bytes: [UInt8]) throws(FrameParser.Malformed) -> [LogLine] {
        var lines: [LogLine] = []
        guard parser != nil else {
            output.read(bytes[...], &lines)
            return lines
        }
        for piece in try parser?.push(bytes) ?? [] {
            if piece.stream == .stdout {
                output.read(piece, &lines)
            } else {
                errors.read(piece, &lines)
            }
        }
        return lines
    }

    /// The last lines, which had no end.
    mutating func finish() -> [LogLine] {
        var lines: [LogLine] = []
        output.finish(&lines)
        errors.finish(&lines)
        return lines
    }
}

/// A line that is being put together.
private struct StampedLine: Sendable {
    private let stream: LogLine.Stream
    private let limit: Int
    /// Whether a time stands at the begin of each line, and not of each entry.
    private let isStamped: Bool
    /// Whether one may stand before the end of a line, too.
    var hasStampsInside = false
    private var text: [UInt8] = []
    private var stamp: [UInt8] = []
    private var isInStamp: Bool
    private var at: Date?
    private var isOpen = false

    /// RFC 3339 with nanoseconds and an offset has 35.
    private static let longestStamp = 40
    /// What stands before the `T` of a time.
    private static let dateLength = 10

    init(_ stream: LogLine.Stream, limit: Int, isStamped: Bool) {
        self.stream = stream
        self.limit = limit
        self.isStamped = isStamped
        isInStamp = isStamped
    }

    mutating func read(_ piece: FrameParser.Piece, _ lines: inout [LogLine]) {
        if piece.beginsFrame {
            keepStamp(&lines)
            isInStamp = true
        }
        read(piece.bytes[...], &lines)
    }

    mutating func read(_ bytes: ArraySlice<UInt8>, _ lines: inout [LogLine]) {
        var rest = bytes
        while let next = rest.first {
            if isInStamp {
                readStamp(&rest, &lines)
            } else if next == UInt8(ascii: "\n") {
                rest = rest.dropFirst()
                end(&lines)
                isInStamp = isStamped
            } else {
                let part = rest[..<(rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex)]
                add(part, &lines)
                rest = rest[part.endIndex...]
            }
        }
    }

    mutating func finish(_ lines: inout [LogLine]) {
        keepStamp(&lines)
        if isOpen { end(&lines) }
    }

    /// Reads up to the blank after the time. What is too long for one, or ends before a blank, is
    /// text.
    private mutating func readStamp(_ rest: inout ArraySlice<UInt8>, _ lines: inout [LogLine]) {
        let most = rest.prefix(Self.longestStamp + 1 - stamp.count)
        let end = most.firstIndex { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        stamp += most[..<(end ?? most.endIndex)]
        rest = rest[(end ?? most.endIndex)...]
        guard end != nil || stamp.count > Self.longestStamp else { return }
        isInStamp = false
        if rest.first == UInt8(ascii: " "),
            let date = Timestamp.date(String(decoding: stamp, as: UTF8.self))
        {
            rest = rest.dropFirst()
            stamp = []
            if !isOpen { at = date }
            isOpen = true
        } else {
            keepStamp(&lines)
        }
    }

    /// Takes what was no time for text.
    private mutating func keepStamp(_ lines: inout [LogLine]) {
        let bytes = stamp
        stamp = []
        if !bytes.isEmpty { add(bytes[...], &lines) }
    }

    /// Adds to the line, and gives each part of it that is full as soon as more comes.
    private mutating func add(_ bytes: ArraySlice<UInt8>, _ lines: inout [LogLine]) {
        var rest = bytes
        while !rest.isEmpty {
            if text.count == limit { take(&lines) }
            let part = rest.prefix(limit - text.count)
            text += part
            rest = rest[part.endIndex...]
            isOpen = true
        }
    }

    private mutating func end(_ lines: inout [LogLine]) {
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        if hasStampsInside { dropLastStamp() }
        take(&lines)
    }

    /// Podman writes a time before the end of a terminal's line where that came by itself.
    private mutating func dropLastStamp() {
        guard text.last == UInt8(ascii: " "),
            let middle = text.dropLast().lastIndex(of: UInt8(ascii: "T")), middle > Self.dateLength
        else { return }
        let start = middle - Self.dateLength
        let stamp = String(decoding: text[start..<(text.endIndex - 1)], as: UTF8.self)
        if Timestamp.date(stamp) != nil { text.removeSubrange(start...) }
    }

    private mutating func take(_ lines: inout [LogLine]) {
        lines.append(LogLine(stream: stream, at: at, text: String(decoding: text, as: UTF8.self)))
        text = []
        at = nil
        isOpen = false
    }
}

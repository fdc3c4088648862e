internal import FoundationEssentials
import PalProvider

/// Puts the lines of a log together from what the Engine sends with `timestamps=1`.
///
/// A time stands at the begin of every entry, and a long line is several entries: the later times
/// are inside the line and are taken out. Of a terminal's log no entries are known, only lines. A
/// line longer than 1 MiB is given in parts, so memory is bounded.
struct LogReader: Sendable {
    private struct Line: Sendable {
        var text: [UInt8] = []
        var stamp: [UInt8] = []
        var isInStamp = false
        var at: Date?
        var isOpen = false
    }

    private var parser: FrameParser?
    private var output = Line()
    private var errors = Line()

    static let longestLine = 1 << 20
    /// RFC 3339 with nanoseconds and an offset has 35.
    private static let longestStamp = 40

    /// - Parameter isTerminal: Whether the container has a terminal: then there are no frames, and
    ///   all is stdout.
    init(isTerminal: Bool) {
        parser = isTerminal ? nil : FrameParser()
        output.isInStamp = isTerminal
    }

    /// Takes bytes in and gives the lines that they end.
    mutating func push(_ bytes: [UInt8]) throws(FrameParser.Malformed) -> [LogLine] {
        var lines: [LogLine] = []
        guard parser != nil else {
            Self.read(bytes, .stdout, &output, stampsEveryLine: true, &lines)
            return lines
        }
        for piece in try parser?.push(bytes) ?? [] {
            if piece.stream == .stdout {
                if piece.beginsFrame { output.isInStamp = true }
                Self.read(piece.bytes, .stdout, &output, stampsEveryLine: false, &lines)
            } else {
                if piece.beginsFrame { errors.isInStamp = true }
                Self.read(piece.bytes, .stderr, &errors, stampsEveryLine: false, &lines)
            }
        }
        return lines
    }

    /// The last lines, which had no end.
    mutating func finish() -> [LogLine] {
        var lines: [LogLine] = []
        if output.isOpen { lines.append(Self.take(&output, .stdout)) }
        if errors.isOpen { lines.append(Self.take(&errors, .stderr)) }
        return lines
    }

    private static func read(
        _ bytes: [UInt8], _ stream: LogLine.Stream, _ line: inout Line, stampsEveryLine: Bool,
        _ lines: inout [LogLine]
    ) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if line.isInStamp {
                readStamp(&rest, &line)
                continue
            }
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let part = rest[..<(end ?? rest.endIndex)].prefix(longestLine - line.text.count)
            line.text += part
            line.isOpen = true
            let isCut = end.map { part.endIndex < $0 } ?? (line.text.count >= longestLine)
            rest = rest[part.endIndex...]
            if isCut {
                lines.append(take(&line, stream))
            } else if end != nil {
                rest = rest.dropFirst()
                lines.append(take(&line, stream))
                line.isInStamp = stampsEveryLine
            }
        }
    }

    /// Reads up to the blank after the time. What is too long for one is text.
    private static func readStamp(_ rest: inout ArraySlice<UInt8>, _ line: inout Line) {
        let end = rest.firstIndex(of: UInt8(ascii: " "))
        line.stamp += rest[..<(end ?? rest.endIndex)]
        rest = end.map { rest[($0 + 1)...] } ?? []
        guard end != nil || line.stamp.count > longestStamp else { return }
        let date = Timestamp.date(String(decoding: line.stamp, as: UTF8.self))
        if date == nil {
            line.text += line.stamp
            if end != nil { line.text.append(UInt8(ascii: " ")) }
        }
        if !line.isOpen { line.at = date }
        line.isOpen = true
        line.stamp = []
        line.isInStamp = false
    }

    private static func take(_ line: inout Line, _ stream: LogLine.Stream) -> LogLine {
        if line.text.last == UInt8(ascii: "\r") { line.text.removeLast() }
        let result = LogLine(
            stream: stream, at: line.at, text: String(decoding: line.text, as: UTF8.self))
        line = Line()
        return result
    }
}

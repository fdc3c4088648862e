import FoundationEssentials
import PalProvider

@testable import DockerProvider
@testable import PalHTTP

/// Frames, the lines in them, and lines alone: the same however the bytes are cut.
func fuzzFrames(_ bytes: [UInt8]) {
    guard bytes.count > 2 else { return }
    // Raw bytes are seldom frames, so half of the inputs say what frames to make.
    let rest = bytes[2...]
    let wire = bytes[0] & 1 == 0 ? Array(rest) : framed(rest)
    let cuts = [[wire], cut(wire, seed: bytes[1]), wire.map { [$0] }]
    checkFrames(wire, cuts)
    for isTerminal in [false, true] { checkLog(wire, cuts, isTerminal: isTerminal) }
    checkLines(wire, cuts)
}

/// `{stream, length, payload}` by `{stream, length, payload}` into frames.
private func framed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var wire: [UInt8] = []
    var rest = bytes
    while let stream = rest.popFirst(), let length = rest.popFirst() {
        wire += [stream % 4, 0, 0, 0, 0, 0, 0, length] + rest.prefix(Int(length))
        rest = rest.dropFirst(Int(length))
    }
    return wire
}

private func checkFrames(_ wire: [UInt8], _ cuts: [[[UInt8]]]) {
    let readings = cuts.map(Frames.init)
    demand(Set(readings).count == 1, "frames depend on how the bytes are cut")
    for reading in readings {
        let payload = reading.frames.reduce(0) { $0 + $1.bytes.count }
        demand(payload <= wire.count, "\(payload) bytes of payload from \(wire.count)")
    }
}

/// What a stream's frames are, put together again. Nothing is known of a malformed stream.
private struct Frames: Hashable {
    var frames: [FrameParser.Piece] = []
    var isMalformed = false
    var isBetweenFrames = false

    init(_ pieces: [[UInt8]]) {
        var parser = FrameParser()
        do throws(FrameParser.Malformed) {
            for piece in pieces {
                for part in try parser.push(piece) {
                    demand(!part.bytes.isEmpty, "an empty piece")
                    if part.beginsFrame {
                        frames.append(part)
                    } else {
                        demand(frames.last?.stream == part.stream, "a piece without a frame")
                        frames[frames.count - 1].bytes += part.bytes
                    }
                }
            }
            isBetweenFrames = parser.isBetweenFrames
        } catch {
            frames = []
            isMalformed = true
        }
    }
}

private func checkLog(_ wire: [UInt8], _ cuts: [[[UInt8]]], isTerminal: Bool) {
    let longest = 64
    let readings = cuts.map { pieces -> [LogLine]? in
        var reader = LogReader(isTerminal: isTerminal, longestLine: longest)
        return try? pieces.flatMap { try reader.push($0) } + reader.finish()
    }
    demand(Set(readings).count == 1, "a log's lines depend on how the bytes are cut")
    guard let lines = readings[0] else { return }
    // A byte that is no UTF-8 becomes three.
    let text = lines.map(\.text.utf8.count)
    demand(text.allSatisfy { $0 <= 3 * longest }, "a line is too long")
    demand(text.reduce(0, +) <= 3 * wire.count, "more text than bytes")
    demand(!lines.contains { $0.text.contains("\n") }, "a line holds a line's end")
}

private func checkLines(_ wire: [UInt8], _ cuts: [[[UInt8]]]) {
    let longest = 64
    let readings = cuts.map { pieces in
        var splitter = LineSplitter(longestLine: longest)
        return pieces.flatMap { splitter.push($0) }
    }
    demand(Set(readings).count == 1, "lines depend on how the bytes are cut")
    let whole = wire.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    demand(
        readings[0] == whole.dropLast().filter { $0.count <= longest }.map(Array.init),
        "not the lines that were sent")
}

/// The head of an answer, line by line, as libcurl hands it over.
func fuzzHead(_ bytes: [UInt8]) {
    var reader = ResponseHeadReader()
    var completed = 0
    var size = 0
    var rest = bytes[...]
    while !rest.isEmpty {
        let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
        let line = rest[..<end]
        rest = rest[end...]
        if completed == 0 { size += line.count }
        switch reader.read(line) {
        case .more: break
        case .tooLarge: demand(size > ResponseHeadReader.limit, "too large at \(size) bytes")
        case .complete(let head):
            completed += 1
            let text = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
            demand(text <= 3 * size, "\(text) bytes of headers from \(size)")
        }
    }
    demand(completed <= 1, "an answer with two heads")
    demand(reader.isComplete == (completed == 1), "complete, and nobody was told")
}

/// Times and versions as the Engine writes them.
func fuzzTime(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let version = APIVersion(text) {
        demand(APIVersion(version.text) == version, "a version that does not read back")
    }
    _ = PortKey(text)
    guard let date = Timestamp.date(text) else { return }
    let years = date.timeIntervalSince1970 / (365.2425 * 86_400)
    demand((-1970...8031).contains(years), "not within the years 1 to 9999")
    guard let since = Double(Timestamp.sinceParameter(date)) else {
        return demand(false, "'since' is no number")
    }
    demand(since <= max(0, date.timeIntervalSince1970), "'since' is later than the time")
}

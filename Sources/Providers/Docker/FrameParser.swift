import PalProvider

/// Reads the Engine's multiplexed stream: frames of an 8-byte header `{1|2,0,0,0,length}` (32 bits,
/// big-endian) and a payload.
///
/// Bytes may come cut anywhere. A payload is passed on as it comes, so no more than a header is
/// ever held, whatever length a frame claims.
struct FrameParser: Sendable {
    /// Some of a frame's payload.
    struct Piece: Sendable, Hashable {
        var stream: LogLine.Stream
        var bytes: [UInt8]
        /// Whether the frame begins with these bytes.
        var beginsFrame: Bool
    }

    /// What came is not a multiplexed stream.
    struct Malformed: Error, Hashable {}

    private var header: [UInt8] = []
    private var stream = LogLine.Stream.stdout
    private var remaining = 0
    private var isAtStart = false

    /// Whether the stream may end here.
    var isBetweenFrames: Bool { header.isEmpty && remaining == 0 }

    /// Takes bytes in and gives the payload that they complete or continue. Empty frames give none.
    mutating func push(_ bytes: [UInt8]) throws(Malformed) -> [Piece] {
        var pieces: [Piece] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            if remaining > 0 {
                let payload = rest.prefix(remaining)
                pieces.append(
                    Piece(stream: stream, bytes: Array(payload), beginsFrame: isAtStart))
                isAtStart = false
                remaining -= payload.count
                rest = rest.dropFirst(payload.count)
            } else {
                let part = rest.prefix(8 - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                if header.count == 8 { try beginFrame() }
            }
        }
        return pieces
    }

    private mutating func beginFrame() throws(Malformed) {
        guard header[1...3].allSatisfy({ $0 == 0 }) else { throw Malformed() }
        switch header[0] {
        case 0, 1: stream = .stdout
        case 2, 3: stream = .stderr
        default: throw Malformed()
        }
        remaining = header[4...7].reduce(0) { $0 << 8 | Int($1) }
        isAtStart = true
        header = []
    }
}

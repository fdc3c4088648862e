import FoundationEssentials
import PalProvider
import Testing

@testable import DockerProvider

/// The same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Cuts bytes into pieces of any size.
func cut(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let size = Int.random(in: 0...max(1, min(rest.count, 20)), using: &generator)
        pieces.append(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
    }
    return pieces
}

func frame(_ stream: LogLine.Stream, _ payload: [UInt8]) -> [UInt8] {
    let size = UInt32(payload.count)
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
    return [stream == .stdout ? 1 : 2, 0, 0, 0] + bytes + payload
}

@Suite("The parser of frames")
struct FrameParserTests {
    @Test("gives the same payload however the bytes are cut", arguments: 0..<200)
    func splits(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var wire: [UInt8] = []
        var expected: [LogLine.Stream: [UInt8]] = [.stdout: [], .stderr: []]
        var frames = 0
        for _ in 0..<Int.random(in: 1...20, using: &generator) {
            let stream: LogLine.Stream = Bool.random(using: &generator) ? .stdout : .stderr
            let payload = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            wire += frame(stream, payload)
            expected[stream]? += payload
            frames += payload.isEmpty ? 0 : 1
        }
        var parser = FrameParser()
        var got: [LogLine.Stream: [UInt8]] = [.stdout: [], .stderr: []]
        var begins = 0
        for piece in cut(wire, &generator) {
            for part in try parser.push(piece) {
                got[part.stream]? += part.bytes
                begins += part.beginsFrame ? 1 : 0
            }
        }
        #expect(got == expected)
        #expect(begins == frames)
        #expect(parser.isBetweenFrames)
    }

    @Test("holds nothing of a payload, whatever its header claims")
    func hugeFrame() throws {
        var parser = FrameParser()
        let pieces = try parser.push([2, 0, 0, 0, 255, 255, 255, 255, 7, 8])
        #expect(pieces == [.init(stream: .stderr, bytes: [7, 8], beginsFrame: true)])
        #expect(try parser.push([9]) == [.init(stream: .stderr, bytes: [9], beginsFrame: false)])
        #expect(!parser.isBetweenFrames)
    }

    @Test(
        "refuses what is not framed",
        arguments: [Array("2026-01-".utf8), [4, 0, 0, 0, 0, 0, 0, 1], [1, 0, 1, 0, 0, 0, 0, 1]])
    func malformed(bytes: [UInt8]) {
        #expect(throws: FrameParser.Malformed.self) {
            var parser = FrameParser()
            _ = try parser.push(bytes)
        }
    }
}

@Suite("The reader of logs")
struct LogReaderTests {
    private let stamp = "2026-11-23T12:00:00.123456789Z "

    private func read(_ wire: [UInt8], _ isTerminal: Bool, seed: Int) throws -> [LogLine] {
        var generator = SeededGenerator(seed: UInt64(seed))
        var reader = LogReader(isTerminal: isTerminal)
        var lines: [LogLine] = []
        for piece in cut(wire, &generator) { lines += try reader.push(piece) }
        return lines + reader.finish()
    }

    @Test("puts the lines together however the bytes are cut", arguments: 0..<100)
    func splits(seed: Int) throws {
        let wire =
            frame(.stdout, Array("\(stamp)one\n".utf8))
            + frame(.stdout, Array("\(stamp)be".utf8))
            + frame(.stderr, Array("\(stamp)in between é\r\n".utf8))
            + frame(.stdout, Array("\(stamp)gun and done\n".utf8))
            + frame(.stdout, Array("\(stamp)\n".utf8))
            + frame(.stderr, Array("\(stamp)no end".utf8))
        let lines = try read(wire, false, seed: seed)
        #expect(lines.map(\.text) == ["one", "in between é", "begun and done", "", "no end"])
        #expect(lines.map(\.stream) == [.stdout, .stderr, .stdout, .stdout, .stderr])
        #expect(lines.allSatisfy { $0.at?.timeIntervalSince1970.rounded(.down) == 1_795_435_200 })
    }

    @Test("reads a terminal's lines", arguments: 0..<100)
    func terminal(seed: Int) throws {
        let wire = Array("\(stamp)one\r\n\(stamp)two\r\n\(stamp)".utf8)
        let lines = try read(wire, true, seed: seed)
        #expect(lines.map(\.text) == ["one", "two", ""])
    }

    @Test("gives a line that is too long in parts, and text without a time as it is")
    func limits() throws {
        var reader = LogReader(isTerminal: false)
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: LogReader.longestLine + 5)
        var lines = try reader.push(frame(.stdout, Array(stamp.utf8) + long + [10]))
        #expect(lines.map(\.text.count) == [LogReader.longestLine, 5])
        lines = try reader.push(frame(.stderr, Array("no time here\n".utf8)))
        #expect(lines.map(\.text) == ["no time here"])
        #expect(lines.first?.at == nil)
    }
}

import FoundationEssentials
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

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

    private func read(
        _ wire: [UInt8], _ isTerminal: Bool, isPodman: Bool = false, seed: Int
    ) throws -> [LogLine] {
        var generator = SeededGenerator(seed: UInt64(seed))
        var reader = LogReader(isTerminal: isTerminal, isPodman: isPodman)
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

    /// Podman 5.4 showed `two2026-11-30T11:48:37Z `.
    @Test("leaves out the time of a terminal line's end that came by itself", arguments: 0..<20)
    func lateEnd(seed: Int) throws {
        for stamp in ["2026-11-30T11:48:37Z ", "2026-11-30T13:48:37+02:00 "] {
            let rest = ["[\(stamp)INFO] x", " ", "at T "]
            let wire =
                "\(stamp)two\(stamp)\r\n" + rest.map { "\(stamp)\($0)\r\n" }.joined()
            func texts(isPodman: Bool) throws -> [String] {
                try read(Array(wire.utf8), true, isPodman: isPodman, seed: seed).map(\.text)
            }
            #expect(try texts(isPodman: true) == ["two"] + rest)
            #expect(try texts(isPodman: false) == ["two\(stamp)"] + rest)
        }
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

    /// What fuzzing found: the bytes, and the lines that each way of cutting them must give.
    @Test(
        "gives the same lines, and comes back, whatever stands where a time should",
        arguments: [
            (wire: frame(.stdout, Array("nine+four\n".utf8)), lines: ["nine+fou", "r"]),
            (
                frame(.stdout, Array("no-blank-for-long then more\n".utf8)),
                ["no-blank", "-for-lon", "g then m", "ore"]
            ),
            (frame(.stdout, Array("exactly8\nb\n".utf8)), ["exactly8", "b"]),
            (frame(.stdout, Array("a\nb c\n".utf8)), ["a", "b c"]),
            (frame(.stdout, Array("2026".utf8)) + frame(.stdout, Array("-11\n".utf8)), ["2026-11"]),
            (frame(.stderr, Array("no end".utf8)), ["no end"]),
            (frame(.stderr, Array("noblank".utf8)), ["noblank"]),
        ])
    func hostile(_ example: (wire: [UInt8], lines: [String])) throws {
        for cut in [[example.wire], example.wire.map { [$0] }] {
            var reader = LogReader(isTerminal: false, longestLine: 8)
            var lines: [LogLine] = []
            for piece in cut { lines += try reader.push(piece) }
            #expect((lines + reader.finish()).map(\.text) == example.lines)
        }
    }
}

@Suite("The splitter of lines")
struct LineSplitterTests {
    @Test("leaves out a line that is too long, however the bytes are cut")
    func limit() {
        let wire = Array("fine\nmuch too long\n\nalso ok\nno end".utf8)
        for cut in [[wire], wire.map { [$0] }] {
            var splitter = LineSplitter(longestLine: 7)
            let lines = cut.flatMap { splitter.push($0) }
            #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["fine", "", "also ok"])
        }
    }
}

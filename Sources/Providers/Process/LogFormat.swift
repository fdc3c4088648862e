import FoundationEssentials
import Glibc
import PalProvider

/// A line as the log files hold it: `2026-01-31T12:34:56.123456Z o text`, UTC, `o` or `e`.
enum LogFormat {
    /// Bytes of one file; then the next one begins.
    static let fileLimit = 8 << 20
    /// The files of an instance, the newest one too.
    static let fileCount = 3
    /// A longer line is written as several.
    static let lineLimit = 64 << 10

    private static let stampLength = 27
    /// The time, a space, the stream, a space.
    static let headLength = stampLength + 3

    static func stamp(_ time: timespec) -> [UInt8] {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var out: [UInt8] = []
        out.reserveCapacity(stampLength)
        append(Int(parts.tm_year) + 1900, 4, "-", &out)
        append(Int(parts.tm_mon) + 1, 2, "-", &out)
        append(Int(parts.tm_mday), 2, "T", &out)
        append(Int(parts.tm_hour), 2, ":", &out)
        append(Int(parts.tm_min), 2, ":", &out)
        append(Int(parts.tm_sec), 2, ".", &out)
        append(time.tv_nsec / 1000, 6, "Z", &out)
        return out
    }

    /// Nil where the bytes are no line of a log.
    static func parse(_ line: ArraySlice<UInt8>) -> LogLine? {
        let start = line.startIndex
        guard line.count >= headLength, let at = time(line.prefix(stampLength)),
            let stream = stream(line[start + stampLength + 1])
        else { return nil }
        let text = line.dropFirst(headLength)
        return LogLine(stream: stream, at: at, text: String(decoding: text, as: UTF8.self))
    }

    static func letter(of stream: LogLine.Stream) -> UInt8 {
        stream == .stdout ? UInt8(ascii: "o") : UInt8(ascii: "e")
    }

    private static func stream(_ letter: UInt8) -> LogLine.Stream? {
        switch letter {
        case UInt8(ascii: "o"): .stdout
        case UInt8(ascii: "e"): .stderr
        default: nil
        }
    }

    private static func append(
        _ number: Int, _ width: Int, _ end: Unicode.Scalar, _ out: inout [UInt8]
    ) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
        out.append(UInt8(ascii: end))
    }

    private static func time(_ stamp: ArraySlice<UInt8>) -> Date? {
        let bytes = Array(stamp)
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(into: Int?(0)) { sum, byte in
                guard let old = sum, (0x30...0x39).contains(byte) else { return sum = nil }
                sum = old * 10 + Int(byte - 0x30)
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16),
            let second = number(17..<19), let micro = number(20..<26),
            bytes[26] == UInt8(ascii: "Z")
        else { return nil }
        var parts = tm()
        parts.tm_year = CInt(year - 1900)
        parts.tm_mon = CInt(month - 1)
        parts.tm_mday = CInt(day)
        parts.tm_hour = CInt(hour)
        parts.tm_min = CInt(minute)
        parts.tm_sec = CInt(second)
        return Date(timeIntervalSince1970: Double(timegm(&parts)) + Double(micro) / 1_000_000)
    }
}

import FoundationEssentials
import PalProvider
import Testing

@Suite("What of a log was shown")
struct LogTrailTests {
    private func line(
        _ text: String, _ at: Double?, _ stream: LogLine.Stream = .stdout
    ) -> LogLine {
        LogLine(stream: stream, at: at.map { Date(timeIntervalSince1970: $0) }, text: text)
    }

    private func read(_ trail: inout LogTrail, _ lines: [LogLine]) -> [String] {
        lines.compactMap { trail.take($0)?.text }
    }

    @Test("lines of the last time are told apart and counted: whole seconds will do")
    func wholeSeconds() {
        var trail = LogTrail(LogOptions(), start: Date(timeIntervalSince1970: 0))
        #expect(trail.beginReading() == LogOptions())
        let first = [line("a", 1000), line("b", 1001), line("b", 1001), line("c", 1001)]
        #expect(read(&trail, first) == ["a", "b", "b", "c"])
        #expect(trail.beginReading().since == Date(timeIntervalSince1970: 991))
        let more = [line("b", 1001), line("d", 1001), line("b", 1002), line("b", 1002)]
        #expect(read(&trail, first + more) == ["b", "d", "b", "b"])
        #expect(trail.hasNews)
        _ = trail.beginReading()
        #expect(read(&trail, first + more) == [])
        #expect(!trail.hasNews)
    }

    @Test("the two streams have times of their own")
    func streams() {
        var trail = LogTrail(LogOptions(), start: Date(timeIntervalSince1970: 0))
        _ = trail.beginReading()
        let first = [line("a", 1000), line("x", 1000.5, .stderr)]
        #expect(read(&trail, first) == ["a", "x"])
        _ = trail.beginReading()
        // Written behind the error, and timed before it.
        #expect(read(&trail, first + [line("b", 1000.2), line("y", 1001, .stderr)]) == ["b", "y"])
    }

    @Test("a line that had no end is gone on with")
    func unfinished() {
        var trail = LogTrail(LogOptions(), start: Date(timeIntervalSince1970: 0))
        _ = trail.beginReading()
        #expect(read(&trail, [line("", 1000), line("half", 1000)]) == ["", "half"])
        _ = trail.beginReading()
        let again = [line("", 1000), line("half and half", 1000), line("next", 1001)]
        #expect(read(&trail, again) == [" and half", "next"])
        _ = trail.beginReading()
        #expect(read(&trail, again) == [])
    }

    @Test("the parts of a long line follow its begin")
    func parts() {
        var trail = LogTrail(LogOptions(), start: Date(timeIntervalSince1970: 0))
        _ = trail.beginReading()
        let long = [line("begin", 1000), line("part", nil)]
        #expect(read(&trail, long) == ["begin", "part"])
        _ = trail.beginReading()
        #expect(read(&trail, long + [line("new", 1001), line("part", nil)]) == ["new", "part"])
    }

    @Test("with so many lines from the end, older ones stay away after a break")
    func floor() {
        let options = LogOptions(lines: 1, pattern: "p")
        var trail = LogTrail(options, start: Date(timeIntervalSince1970: 2000))
        #expect(trail.beginReading() == options)
        #expect(read(&trail, [line("p1", 1000)]) == ["p1"])
        let next = trail.beginReading()
        #expect(next == LogOptions(since: Date(timeIntervalSince1970: 990), pattern: "p"))
        let lines = [line("p0", 999, .stderr), line("p1", 1000), line("p2", 1001, .stderr)]
        #expect(read(&trail, lines) == ["p2"])
    }

    @Test("what was asked for since is not undercut")
    func since() {
        let since = Date(timeIntervalSince1970: 995)
        var trail = LogTrail(LogOptions(since: since), start: Date(timeIntervalSince1970: 2000))
        _ = trail.beginReading()
        #expect(read(&trail, [line("a", 1000)]) == ["a"])
        #expect(trail.beginReading().since == since)
    }
}

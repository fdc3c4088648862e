public import FoundationEssentials

/// How far the log of one object was shown, so that it can be read on from there after a break with
/// each line shown once.
///
/// Each of the two streams is taken to be in the order of its times; the streams are not in step
/// with each other. Times may be as coarse as a platform likes: lines of the very time of the last
/// one are told apart by their texts and counted. A clock that is set back makes lines disappear
/// until it is where it was. Keeps only the lines of the last time of each stream in mind.
public struct LogTrail: Sendable {
    /// What was shown of one stream.
    private struct Mark {
        /// The newest time.
        var at: Date
        /// How often each text was shown at that time.
        var shown: [String: Int] = [:]
        var last = ""
    }

    /// One reading of the log: where it is in one stream.
    private struct Place {
        /// Of the lines at the mark, those that this reading has not come by yet.
        var ahead: [String: Int] = [:]
        /// Whether this reading is beyond what was shown.
        var isPast = false
        /// Whether the last line was shown: the parts of a long one follow it.
        var showsParts = true
    }

    private let options: LogOptions
    private var marks: [LogLine.Stream: Mark] = [:]
    private var places: [LogLine.Stream: Place] = [:]
    /// Before it nothing is shown: the user asked for the last so many lines.
    private var floor: Date?
    private var readings = 0
    /// Whether this reading has shown anything.
    public private(set) var hasNews = false

    /// How much later than its time a line can stand behind one of the other stream.
    private static let slack: TimeInterval = 10

    /// - Parameters:
    ///   - options: What was asked for.
    ///   - start: The time now, for a log of which no lines are wanted but new ones.
    public init(_ options: LogOptions, start: Date) {
        self.options = options
        if options.lines != nil { floor = start }
    }

    /// Begins a reading, and says with which options.
    public mutating func beginReading() -> LogOptions {
        hasNews = false
        readings += 1
        places = marks.mapValues { Place(ahead: $0.shown) }
        guard readings > 1 else { return options }
        var next = options
        next.lines = nil
        let newest = marks.values.map(\.at).max()
        let from = newest.map { $0 - Self.slack } ?? floor
        if let from { next.since = options.since.map { max($0, from) } ?? from }
        return next
    }

    /// What of a line is new: all, the end of it where its begin was shown, or nothing.
    public mutating func take(_ line: LogLine) -> LogLine? {
        var place = places[line.stream] ?? Place(isPast: true)
        defer { places[line.stream] = place }
        guard let at = line.at else { return place.showsParts ? line : nil }
        let new = news(of: line, at, &place)
        place.showsParts = new != nil
        if new != nil { hasNews = true }
        return new
    }

    private mutating func news(of line: LogLine, _ at: Date, _ place: inout Place) -> LogLine? {
        guard var mark = marks[line.stream] else {
            // Of a stream that was silent so far: older lines than the last so many were not asked
            // for.
            if readings > 1, let floor, at < floor { return nil }
            show(line, at, &place)
            return line
        }
        if at > mark.at {
            place.isPast = true
            show(line, at, &place)
            return line
        }
        guard at == mark.at else { return place.isPast ? line : nil }
        if let count = place.ahead[line.text], count > 0 {
            place.ahead[line.text] = count - 1
            return nil
        }
        if let count = place.ahead[mark.last], count > 0, !mark.last.isEmpty,
            line.text.hasPrefix(mark.last)
        {
            // It had no end when it was shown.
            var rest = line
            rest.text = String(line.text.dropFirst(mark.last.count))
            place.ahead[mark.last] = count - 1
            mark.shown[mark.last] = (mark.shown[mark.last] ?? 1) - 1
            mark.shown[line.text, default: 0] += 1
            mark.last = line.text
            marks[line.stream] = mark
            return rest
        }
        show(line, at, &place)
        return line
    }

    private mutating func show(_ line: LogLine, _ at: Date, _ place: inout Place) {
        if readings == 1, let floor, at < floor { self.floor = at }
        var mark = marks[line.stream] ?? Mark(at: at)
        if at > mark.at { mark = Mark(at: at) }
        mark.shown[line.text, default: 0] += 1
        mark.last = line.text
        marks[line.stream] = mark
    }
}

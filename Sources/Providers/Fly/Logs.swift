internal import FoundationEssentials
import PalHTTP
public import PalModel
public import PalProvider

extension FlyProvider: LogFollowingProvider {
    /// What Fly.io keeps of it: about a week. It does not tell the two output streams apart.
    public func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] {
        let filter = try LineFilter(options)
        let machine = try await require(reference)
        return filter.select(try await lines(of: machine, options).lines)
    }

    /// Asks again and again, at first often and every four seconds while nothing comes, until the
    /// machine does not run any more.
    public func followInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        let filter = try LineFilter(options)
        let machine = try await require(reference)
        var read = try await lines(of: machine, options)
        for line in filter.select(read.lines) { await handler(line) }
        var pause = Self.shortestPause
        while !Task.isCancelled {
            do { try await ticker.sleep(pause) } catch { return }
            read = try await lines(of: machine, after: read.cursor)
            for line in read.lines where filter.takes(line) { await handler(line) }
            pause = read.lines.isEmpty ? min(pause * 2, Self.longestPause) : Self.shortestPause
            guard pause == Self.longestPause else { continue }
            guard try await self.machine(machine.id)?.status == .running else { return }
        }
    }

    private static let shortestPause = Duration.milliseconds(64)
    private static let longestPause = Duration.seconds(4)

    private static let pageSize = 100

    /// So many pages at most: a machine that writes faster than it is read
    /// has no last page.
    private static let pages = 1000

    /// Lines, and where the next ones begin.
    private struct Reading {
        var lines: [LogLine]
        var cursor: String
    }

    /// Everything from a time on, or from the machine's beginning. The last few are one page.
    private func lines(
        of machine: Machine, _ options: LogOptions
    ) async throws(ProviderFailure) -> Reading {
        if let wanted = options.lines, wanted <= Self.pageSize, options.since == nil {
            // Of the last day only: what was quiet for longer is read from its beginning.
            let newest = try await page(machine, nil)
            if !newest.lines.isEmpty { return newest }
        }
        let start = options.since ?? machine.createdAt ?? Date(timeIntervalSince1970: 0)
        // A date is not exact to the nanosecond: nothing at that very time may be missed.
        let micros = Int((start.timeIntervalSince1970 * 1e6).rounded(.down)) - 1
        return try await lines(of: machine, after: "\(max(0, micros))000")
    }

    private func lines(
        of machine: Machine, after cursor: String
    ) async throws(ProviderFailure) -> Reading {
        var reading = Reading(lines: [], cursor: cursor)
        for _ in 0..<Self.pages {
            let page = try await page(machine, reading.cursor)
            reading.lines += page.lines
            guard !page.lines.isEmpty, page.cursor != reading.cursor else { break }
            reading.cursor = page.cursor
        }
        return reading
    }

    private func page(
        _ machine: Machine, _ cursor: String?
    ) async throws(ProviderFailure) -> Reading {
        let instance = PercentEncoding.encoded(machine.id)
        let from = cursor.map { "&next_token=\(PercentEncoding.encoded($0))" } ?? ""
        let answer = try await api.sendToLogs(
            "/api/v1/apps/\(settings.app)/logs?instance=\(instance)\(from)")
        guard answer.isSuccess else {
            throw .unexpected(
                answer, doing: "read the logs of \(machine.name)", changesSomething: false)
        }
        let next = try answer.decoded()["meta.next_token"]
        let token = next.flatMap { String($0) } ?? next.flatMap { Int($0) }.map { String($0) }
        return Reading(
            lines: try answer.list("data").compactMap(Self.line),
            cursor: token.flatMap { $0.isEmpty ? nil : $0 } ?? cursor ?? "0")
    }

    private static func line(_ value: Value) -> LogLine? {
        guard let text = value["attributes.message"].flatMap({ String($0) }) else { return nil }
        let at = value["attributes.timestamp"].flatMap { String($0) }
        return LogLine(
            stream: .stdout, at: at.flatMap { Timestamp.date($0) },
            text: text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
}

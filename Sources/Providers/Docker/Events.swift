internal import FoundationEssentials
import PalHTTP
import PalModel
public import PalProvider

extension DockerProvider: EventfulProvider {
    /// Container events of the swarm, health included, and of the images that they were made from;
    /// those of `exec` are left out. While this runs, `listInstances` is one call.
    ///
    /// Two streams, because images do not carry the swarm's label, and the Engine drops events of a
    /// stream that brings too many.
    ///
    /// A later stream about containers goes on where the last one ended, as far as the Engine
    /// remembers: the last 256 events of all its containers, and none from before it was started.
    /// What was forgotten is found by the list that follows `connected`.
    public func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure) {
        let containers = try await events(
            ["type": ["container"], "label": ["\(DockerLabel.swarm)=\(settings.swarm)"]],
            since: cursor.since)
        let images = try await events(["type": ["image"]])
        cache.open()
        tags.open()
        defer {
            cache.close()
            tags.close()
        }
        networkUnsure.set(true)
        await handler(.connected)
        // What is known is forgotten as events come in; only the telling can be late, or be left
        // out where the handler is very slow.
        let (news, tell) = AsyncStream<ProviderEvent>.makeStream(
            bufferingPolicy: .bufferingOldest(10_000))
        let first = await withTaskGroup(of: ProviderFailure.self) { group in
            group.addTask {
                defer { tell.finish() }
                return await follow(containers) { event in
                    if let told = container(event) { tell.yield(told) }
                }
            }
            group.addTask {
                defer { tell.finish() }
                return await follow(images) { event in
                    for told in image(event) { tell.yield(told) }
                }
            }
            for await event in news { await handler(event) }
            group.cancelAll()
            return await group.next()
        }
        if let first, !Task.isCancelled { throw first }
    }

    private func events(
        _ filters: [String: [String]], since: String? = nil
    ) async throws(ProviderFailure) -> HTTPStream {
        var query = [EngineCall.filters(filters)]
        if let since { query.append(("since", since)) }
        let stream = try await engine.stream(EngineCall("GET", "/events", query: query))
        guard stream.status == 200 else {
            let answer = try await engine.answer(of: stream)
            throw .unexpected(answer, doing: "tell its events", changesSomething: false)
        }
        return stream
    }

    /// Reads a stream to its end.
    /// - Returns: Why it ended.
    private func follow(
        _ stream: HTTPStream, _ take: @Sendable (EngineEvent) -> Void
    ) async -> ProviderFailure {
        var lines = LineSplitter()
        let bytes = stream.makeAsyncIterator()
        do throws(HTTPError) {
            while let piece = try await bytes.next() {
                for line in lines.push(piece) {
                    let event = try? JSONDecoder().decode(EngineEvent.self, from: Data(line))
                    if let event { take(event) }
                }
            }
        } catch {
            return engine.failure(error, changesSomething: false)
        }
        return .connection(
            .unreachable, "Docker ended its stream of events; it is opened again")
    }

    /// What commands and copied files cause, pal's own secrets too: the instance is as it was.
    private static func isNoChange(_ what: String) -> Bool {
        what.hasPrefix("exec") || ["extract-to-dir", "archive-path"].contains(what)
    }

    /// What an event about a container says; nil where that is nobody's business.
    private func container(_ event: EngineEvent) -> ProviderEvent? {
        guard cursor.isNew(event), let id = event.actor?.id, let what = event.action,
            !Self.isNoChange(what),
            event.type == nil || event.type == "container"
        else { return nil }
        cache.forget(id)
        if what == "oom" { memoryDeaths.note(id, at: event.time) }
        guard let name = event.actor?.attributes?["pal.name"] else { return nil }
        return .changed(name: name, providerInstanceId: id, what: what)
    }

    /// The instances that an event about an image concerns.
    private func image(_ event: EngineEvent) -> [ProviderEvent] {
        guard event.type == nil || event.type == "image" else { return [] }
        return heardOfImage(event).compactMap { detail in
            detail.ownership(in: settings.swarm).map {
                .changed(
                    name: $0.name, providerInstanceId: detail.id,
                    what: "image \(event.action ?? "")")
            }
        }
    }
}

/// Cuts a stream of bytes into lines. One that is longer than the limit is left out, so memory is
/// bounded.
struct LineSplitter: Sendable {
    private let limit: Int
    private var line: [UInt8] = []

    /// - Parameter longestLine: The limit in bytes.
    init(longestLine: Int = 1 << 20) { limit = longestLine }

    /// The whole lines, without their ends.
    mutating func push(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            add(rest[..<end])
            if line.count <= limit { lines.append(line) }
            line = []
            rest = rest[(end + 1)...]
        }
        add(rest)
        return lines
    }

    /// Keeps one byte more than the limit at most: it says that the line is too long.
    private mutating func add(_ part: ArraySlice<UInt8>) {
        line += part.prefix(limit + 1 - line.count)
    }
}

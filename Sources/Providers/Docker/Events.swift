internal import FoundationEssentials
import PalHTTP
public import PalProvider

extension DockerProvider: EventfulProvider {
    /// Container events of the swarm, health included; those of `exec` are left out. While this
    /// runs, `listInstances` is one call. A handler that takes long makes the Engine drop events.
    public func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure) {
        let filters = ["type": ["container"], "label": ["\(DockerLabel.swarm)=\(settings.swarm)"]]
        let stream = try await engine.stream(
            EngineCall("GET", "/events", query: [EngineCall.filters(filters)]))
        guard stream.status == 200 else {
            let answer = try await engine.answer(of: stream)
            throw .unexpected(answer, doing: "tell its events", changesSomething: false)
        }
        cache.open()
        defer { cache.close() }
        await handler(.connected)
        var lines = LineSplitter()
        let bytes = stream.makeAsyncIterator()
        do throws(HTTPError) {
            while let piece = try await bytes.next() {
                for line in lines.push(piece) { await tell(line, handler) }
            }
        } catch {
            if Task.isCancelled { return }
            throw engine.failure(error, changesSomething: false)
        }
        throw .connection(.unreachable, "Docker ended its stream of events; it is opened again")
    }

    private func tell(_ line: [UInt8], _ handler: (ProviderEvent) async -> Void) async {
        guard let event = try? JSONDecoder().decode(EngineEvent.self, from: Data(line)),
            let id = event.actor?.id, let what = event.action, !what.hasPrefix("exec_"),
            event.type == nil || event.type == "container"
        else { return }
        cache.forget(id)
        guard let name = event.actor?.attributes?["pal.name"] else { return }
        await handler(.changed(name: name, providerInstanceId: id, what: what))
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

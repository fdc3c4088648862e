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

/// Cuts a stream of bytes into lines.
struct LineSplitter: Sendable {
    private var rest: [UInt8] = []

    /// The whole lines, without their ends.
    mutating func push(_ bytes: [UInt8]) -> [[UInt8]] {
        rest += bytes
        var lines: [[UInt8]] = []
        var start = 0
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(Array(rest[start..<end]))
            start = end + 1
        }
        rest.removeFirst(start)
        return lines
    }
}

import FoundationEssentials
import Synchronization

extension Cloud {
    func logs(_ request: Request) throws -> Answer {
        let token = request.value("next_token").flatMap { $0.isEmpty ? nil : $0 }
        let after = token.flatMap { Int($0) }
        if token != nil, after == nil { throw Refusal.invalid("bad next_token") }
        let (instance, region) = (request.value("instance"), request.value("region"))
        return try withApp(request.app) { app, _ in
            let lines = app.lines.filter { line in
                (instance == nil || line.machine == instance)
                    && (region == nil || line.region == region)
                    && line.at > after ?? 0
            }
            let page = after == nil ? lines.suffix(100) : lines.prefix(100)
            let next = page.last?.at ?? after ?? 0
            return .ok([
                "data": .array(page.map(shape)), "meta": ["next_token": .string(String(next))],
            ])
        }
    }

    /// Adds a line that a machine said.
    func log(_ message: String, of key: MachineKey, region: String) {
        withWorld { world in
            let at = max(time.now, (world.apps[key.app]?.lines.last?.at ?? 0) + 1)
            world.apps[key.app]?.lines.append(
                LogLine(at: at, message: message, machine: key.machine, region: region))
        }
    }

    private func shape(_ line: LogLine) -> JSON {
        [
            "id": .string(String(line.at)), "type": "log",
            "attributes": [
                "timestamp": .string(Time.text(line.at)), "message": .string(line.message),
                "level": "info", "instance": .string(line.machine),
                "region": .string(line.region),
                "meta": [
                    "instance": .string(line.machine), "region": .string(line.region),
                    "event": ["provider": "app"],
                ],
            ],
        ]
    }
}

/// Makes lines of what a process says, each output by itself.
final class LineSplitter: Sendable {
    private let pending = Mutex<[Child.Output: [UInt8]]>([:])
    private let deliver: @Sendable (String) -> Void

    init(_ deliver: @escaping @Sendable (String) -> Void) { self.deliver = deliver }

    func take(_ output: Child.Output, _ bytes: [UInt8]) {
        let lines = pending.withLock { pending in
            var parts = (pending[output, default: []] + bytes).split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            pending[output] = parts.popLast().map(Array.init)
            return parts.map { String(decoding: $0, as: UTF8.self) }
        }
        for line in lines { deliver(line) }
    }

    /// Delivers what came without a line's end.
    func finish() {
        let rest = pending.withLock { pending in
            defer { pending = [:] }
            return pending.values.filter { !$0.isEmpty }
        }
        for line in rest { deliver(String(decoding: line, as: UTF8.self)) }
    }
}

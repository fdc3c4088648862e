import FoundationEssentials
import Glibc
import Synchronization

/// A socket that passes requests on to the real Engine, keeps a list of them, and does to some what
/// a real Engine cannot be made to do: lose the answer after the effect, or fail as a gateway does.
///
/// One request for each connection. Threads, because sockets block.
public final class RelayEngine: Sendable {
    /// What is done with a request.
    public enum Treatment: Sendable {
        /// The Engine does it and answers.
        case pass
        /// The Engine does it, and its answer is thrown away.
        case loseAnswer
        /// The Engine never hears of it.
        case answer(status: Int, message: String)
        /// So many bytes of the answer, and then the connection ends.
        case cut(after: Int)
        /// The Engine has it, and this happens while it works.
        case interrupt(@Sendable () -> Void)
    }

    /// A request that came by.
    public struct Seen: Sendable, Hashable {
        /// Such as `POST`.
        public var method: String
        /// With query, without version.
        public var path: String
    }

    /// The socket that stands for the Engine's.
    public let path: String
    private let engine: String
    private let listener: Int32
    private let treatment: Mutex<@Sendable (Seen) -> Treatment>
    private let requests = Mutex<[Seen]>([])
    private let connections = Mutex<Set<Int32>>([])

    /// Listens in front of an Engine until `close`.
    public init(
        to engine: String = DockerEngine.socketPath,
        _ treatment: @escaping @Sendable (Seen) -> Treatment = { _ in .pass }
    ) throws {
        self.engine = engine
        path = "/tmp/pal-relay-\(UInt64.random(in: 0 ... .max)).sock"
        self.treatment = Mutex(treatment)
        listener = try TestSocket.listen(atPath: path, backlog: 256)
        TestThread.start { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                TestThread.start { self.serve(connection) }
            }
            // Not by whoever ends it: the number would be another's while this still accepts.
            Glibc.close(listener)
        }
    }

    /// What was asked since the last time.
    public func takeRequests() -> [Seen] {
        requests.withLock { requests in
            defer { requests = [] }
            return requests
        }
    }

    /// Does something else with requests from here on.
    public func treat(_ treatment: @escaping @Sendable (Seen) -> Treatment) {
        self.treatment.withLock { $0 = treatment }
    }

    /// Breaks every connection that is open, as an Engine does that is stopped.
    public func cut() {
        connections.withLock { for connection in $0 { shutdown(connection, Int32(SHUT_RDWR)) } }
    }

    /// Ends it; connections that are open go on.
    public func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }

    private func serve(_ connection: Int32) {
        connections.withLock { _ = $0.insert(connection) }
        defer {
            connections.withLock { _ = $0.remove(connection) }
            Glibc.close(connection)
        }
        guard let (head, body) = readRequest(connection) else { return }
        var lines = head.split(separator: "\r\n").map(String.init)
        let words = lines[0].split(separator: " ")
        let plain = words[1].hasPrefix("/v1.") ? words[1].dropFirst(1).drop { $0 != "/" } : words[1]
        let seen = Seen(method: String(words[0]), path: String(plain))
        requests.withLock { $0.append(seen) }
        let treatment = treatment.withLock { $0 }
        lines.removeAll { $0.lowercased().hasPrefix("connection:") }
        let request = (lines + ["Connection: close"]).joined(separator: "\r\n") + "\r\n\r\n"
        switch treatment(seen) {
        case .answer(let status, let message):
            let json = "{\"message\":\"\(message)\"}"
            _ = send(
                connection,
                Array(
                    ("HTTP/1.1 \(status) X\r\nContent-Length: \(json.utf8.count)\r\n"
                        + "Connection: close\r\n\r\n\(json)").utf8))
        case .pass: forward(Array(request.utf8) + body, connection)
        case .loseAnswer: forward(Array(request.utf8) + body, nil)
        case .cut(let limit): forward(Array(request.utf8) + body, connection, limit: limit)
        case .interrupt(let happening):
            forward(Array(request.utf8) + body, connection, meanwhile: happening)
        }
    }

    private func forward(
        _ request: [UInt8], _ connection: Int32?, limit: Int = .max,
        meanwhile: () -> Void = {}
    ) {
        guard let engine = TestSocket.connect(toPath: engine) else { return }
        defer { Glibc.close(engine) }
        guard send(engine, request) else { return }
        meanwhile()
        var buffer = [UInt8](repeating: 0, count: 65536)
        var left = limit
        while left > 0 {
            // A client that goes away ends the Engine's stream, too.
            if let connection, !waits(engine, orEndOf: connection) { return }
            let count = recv(engine, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            if let connection, !send(connection, Array(buffer[..<min(left, count)])) { return }
            left -= min(left, count)
        }
    }

    private func waits(_ engine: Int32, orEndOf client: Int32) -> Bool {
        var descriptors = [
            pollfd(fd: engine, events: Int16(POLLIN), revents: 0),
            pollfd(fd: client, events: Int16(POLLIN), revents: 0),
        ]
        poll(&descriptors, 2, -1)
        return descriptors[0].revents != 0
    }

    private func readRequest(_ connection: Int32) -> (head: String, body: [UInt8])? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n") {
                let head = String(text[..<end.lowerBound])
                let length =
                    head.lowercased().split(separator: "\r\n")
                    .first { $0.hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).filter { $0.isNumber }) } ?? 0
                let headSize = text[..<end.upperBound].utf8.count
                if bytes.count >= headSize + length { return (head, Array(bytes[headSize...])) }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    private func send(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}

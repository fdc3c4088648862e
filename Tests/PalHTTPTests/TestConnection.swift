import Dispatch
import Glibc
import Synchronization

/// A request as it came over the wire.
struct TestRequest: Sendable {
    var head: String
    var body: [UInt8]

    /// `POST /path`.
    var line: String { head.split(separator: " ").prefix(2).joined(separator: " ") }

    /// Whether a header line was sent, in any case.
    func has(_ line: String) -> Bool {
        head.lowercased().split(separator: "\r\n").contains { $0 == line.lowercased() }
    }

    /// Whether a header of this name was sent.
    func names(_ header: String) -> Bool {
        head.lowercased().split(separator: "\r\n").contains {
            $0.hasPrefix(header.lowercased() + ":")
        }
    }
}

/// The server's side of one connection. All calls block; all return at once after `stop`.
struct TestConnection: Sendable {
    let socket: Int32
    /// Which connection of its server this is, from 1.
    let number: Int
    let shared: TestServer.Shared

    /// The next request; nil when the client has closed.
    func readRequest() -> TestRequest? {
        var bytes: [UInt8] = []
        let end = Array("\r\n\r\n".utf8)
        while !bytes.suffix(4).elementsEqual(end) {
            guard let byte = read(1).first else { return nil }
            bytes.append(byte)
        }
        let head = String(decoding: bytes.dropLast(4), as: UTF8.self)
        let length = head.lowercased().split(separator: "\r\n")
            .first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter { $0 != " " }) }
        var body: [UInt8] = []
        while body.count < length ?? 0 {
            let more = read((length ?? 0) - body.count)
            guard !more.isEmpty else { return nil }
            body += more
        }
        let request = TestRequest(head: head, body: body)
        shared.record.withLock { $0.requests.append(request) }
        return request
    }

    /// Sends all. False when the client has closed.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = send(bytes[sent...])
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends some, and says how many bytes the system took; -1 on failure or after the time limit.
    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Answers with a whole body and keeps the connection.
    func answer(_ status: String = "200 OK", _ body: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// Sends one piece of a chunked body; an empty one ends it.
    @discardableResult
    func sendChunk(_ text: String) -> Bool {
        send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    /// Makes a `send` that gets nowhere for so long fail.
    func limitSending(milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    func waitForClose() {
        while !read(4096).isEmpty {}
    }

    private func read(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, recv(socket, buffer.baseAddress, count, 0))
        }
    }
}

/// Something that happens once, for tasks and for threads.
final class Signal: Sendable {
    private let events = AsyncStream.makeStream(of: Void.self)
    private let gate = DispatchSemaphore(value: 0)

    func fire() {
        events.continuation.yield()
        events.continuation.finish()
        gate.signal()
    }

    func wait() async {
        for await _ in events.stream { return }
    }

    func block() {
        gate.wait()
        gate.signal()
    }
}

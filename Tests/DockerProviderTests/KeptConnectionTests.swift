import Glibc
import PalHTTP
import PalProvider
import Synchronization
import TestSupport
import Testing

@testable import DockerProvider

/// An Engine that keeps connections, and closes one without an answer where it is told to.
private final class KeepingEngine: Sendable {
    let path: String
    private let listener: Int32
    private let requests = Mutex<[String]>([])
    private let deaths = Mutex(1)

    init() throws {
        path = "/tmp/pal-keeping-\(UInt64.random(in: 0 ... .max)).sock"
        listener = try TestSocket.listen(atPath: path, backlog: 16)
        TestThread.start { [self] in
            while case let socket = accept(listener, nil, nil), socket >= 0 {
                TestThread.start { self.serve(socket) }
            }
            // Not by whoever ends it: the number would be another's while this still accepts.
            Glibc.close(listener)
        }
    }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }

    /// How often a request of this method and path came.
    func count(_ request: String) -> Int {
        requests.withLock { $0.count { $0 == request } }
    }

    private func serve(_ socket: Int32) {
        defer { Glibc.close(socket) }
        var pending = ""
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            while !pending.contains("\r\n\r\n") {
                let count = recv(socket, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                pending += String(decoding: buffer[..<count], as: UTF8.self)
            }
            let line = pending.split(separator: " ").prefix(2).joined(separator: " ")
            pending = ""
            requests.withLock { $0.append(line) }
            let dies =
                line.contains("/dies")
                && deaths.withLock { left in
                    left -= 1
                    return left >= 0
                }
            if dies { return }
            let answer =
                "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n{}"
            _ = answer.withCString { send(socket, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        }
    }
}

@Suite("A kept connection to Docker that is dead", .timeLimit(.minutes(10)))
struct KeptConnectionTests {
    @Test("never sends a call twice that changes something", arguments: ["POST", "PUT", "DELETE"])
    func changing(method: String) async throws {
        let server = try KeepingEngine()
        defer { server.close() }
        let engine = EngineClient(endpoint: .unixSocket(path: server.path))
        try await engine.negotiate()
        #expect(try await engine.send(EngineCall("GET", "/kept")).status == 200)
        let failure = try await failure { () throws(ProviderFailure) in
            try await engine.send(EngineCall(method, "/containers/x/dies"))
        }
        guard case .ambiguous = failure else {
            Issue.record("it was no doubt: \(failure)")
            return
        }
        #expect(server.count("\(method) /v1.41/containers/x/dies") == 1)
    }

    @Test("never begins a session twice")
    func session() async throws {
        let server = try KeepingEngine()
        defer { server.close() }
        let engine = EngineClient(endpoint: .unixSocket(path: server.path))
        try await engine.negotiate()
        let failure = try await failure { () throws(ProviderFailure) in
            try await engine.upgrade(EngineCall("POST", "/exec/dies"))
        }
        guard case .ambiguous = failure else {
            Issue.record("it was no doubt: \(failure)")
            return
        }
        #expect(server.count("POST /v1.41/exec/dies") == 1)
    }

    @Test("sends a question again")
    func asking() async throws {
        let server = try KeepingEngine()
        defer { server.close() }
        let engine = EngineClient(endpoint: .unixSocket(path: server.path))
        try await engine.negotiate()
        #expect(try await engine.send(EngineCall("GET", "/dies")).status == 200)
        #expect(server.count("GET /v1.41/dies") == 2)
    }
}

import Glibc
import PalHTTP
import Synchronization
import TestSupport

/// A server of raw sockets, so that it can misbehave: each connection runs a script on a thread.
///
/// It stops when it is dropped: every socket is shut down, which ends the scripts.
final class TestServer: Sendable {
    enum Transport {
        case unix, tcp
    }

    /// What was seen, over all connections.
    struct Record {
        var connections = 0
        var requests: [TestRequest] = []
    }

    fileprivate struct Sockets {
        var open: Set<Int32> = []
        var isStopped = false
    }

    let endpoint: Endpoint
    private let listener: Int32
    private let directory: String?
    private let isServing: Bool
    private let shared = Shared()

    final class Shared: Sendable {
        fileprivate let sockets = Mutex(Sockets())
        let record = Mutex(Record())
    }

    var record: Record { shared.record.withLock { $0 } }

    /// Listens and serves each connection with `script`. Without one, connections are never
    /// accepted.
    init(
        _ transport: Transport = .unix, backlog: Int32 = 512,
        script: (@Sendable (TestConnection) -> Void)?
    ) throws {
        switch transport {
        case .unix:
            let directory = try TestSocket.makeDirectory()
            self.directory = directory
            endpoint = .unixSocket(path: "\(directory)/http.sock")
            listener = try TestSocket.listen(atPath: "\(directory)/http.sock", backlog: backlog)
        case .tcp:
            directory = nil
            let (socket, port) = try TestSocket.listenOnLoopback(backlog: backlog)
            listener = socket
            endpoint = .origin("http://127.0.0.1:\(port)")
        }
        isServing = script != nil
        guard let script else { return }
        let (listener, shared) = (listener, shared)
        TestThread.start {
            while case let socket = accept(listener, nil, nil), socket >= 0 {
                let number = shared.record.withLock { record in
                    record.connections += 1
                    return record.connections
                }
                guard shared.register(socket) else { break }
                TestThread.start {
                    script(TestConnection(socket: socket, number: number, shared: shared))
                    shared.close(socket)
                }
            }
            // Closed here, where nothing can accept from the number's next owner.
            close(listener)
        }
    }

    deinit {
        shared.stop()
        shutdown(listener, Int32(SHUT_RDWR))
        if !isServing { close(listener) }
        if let directory {
            unlink("\(directory)/http.sock")
            rmdir(directory)
        }
    }

    /// A URL for what only takes URLs.
    func url(_ path: String) -> String { "\(endpoint)\(path)" }
}

extension TestServer.Shared {
    fileprivate func register(_ socket: Int32) -> Bool {
        sockets.withLock { sockets in
            if sockets.isStopped {
                Glibc.close(socket)
                return false
            }
            sockets.open.insert(socket)
            return true
        }
    }

    fileprivate func close(_ socket: Int32) {
        sockets.withLock { sockets in
            guard sockets.open.remove(socket) != nil else { return }
            Glibc.close(socket)
        }
    }

    fileprivate func stop() {
        sockets.withLock { sockets in
            sockets.isStopped = true
            for socket in sockets.open { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }
}

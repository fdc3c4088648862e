import Foundation
import PalHTTP
import TestSupport
import Testing

/// A server that demands a client's certificate: Python's TLS, so that both ends are not ours.
private final class TLSServer {
    let endpoint: Endpoint
    private let process = Process()

    private static let script = """
        import socket, ssl, sys, threading
        ca, cert, key = sys.argv[1:4]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        listener.listen(16)
        print(listener.getsockname()[1], flush=True)

        def serve(connection):
            try:
                tls = context.wrap_socket(connection, server_side=True)
                head = b''
                while b'\\r\\n\\r\\n' not in head:
                    piece = tls.recv(4096)
                    if not piece: return
                    head += piece
                if b'Upgrade: tcp' not in head:
                    tls.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n'
                                b'Connection: close\\r\\n\\r\\nsafe')
                else:
                    tls.sendall(b'HTTP/1.1 101 OK\\r\\nUpgrade: tcp\\r\\n\\r\\n')
                    while True:
                        piece = tls.recv(65536)
                        if not piece: break
                        tls.sendall(piece)
                    tls.sendall(b'end')
                tls.unwrap()
            except OSError:
                pass
            finally:
                connection.close()

        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """

    init(_ certificates: TestCertificates) throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let directory = certificates.directory
        process.arguments =
            ["python3", "-c", Self.script]
            + ["ca.pem", "server-cert.pem", "server-key.pem"].map { "\(directory)/\($0)" }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        endpoint = .origin("https://127.0.0.1:\(line.split(separator: "\n").first ?? "")")
    }

    deinit { process.terminate() }
}

@Suite(
    "TLS with certificates on both sides",
    .enabled(
        if: access(TestCertificates.program, X_OK) == 0, "no \(TestCertificates.program)"),
    .timeLimit(.minutes(10)))
struct TLSTests {
    private let scratch: Scratch
    private let certificates: TestCertificates
    private let server: TLSServer

    init() throws {
        scratch = try Scratch()
        certificates = try TestCertificates(in: scratch["own"])
        server = try TLSServer(certificates)
    }

    private func files(_ directory: String? = nil) -> TLSFiles {
        let directory = directory ?? certificates.directory
        return TLSFiles(
            authority: directory + "/ca.pem", certificate: directory + "/cert.pem",
            key: directory + "/key.pem")
    }

    private func status(_ tls: TLSFiles?) async -> Result<Int, HTTPError> {
        do throws(HTTPError) {
            let client = HTTPClient(tls: tls)
            defer { client.shutdown() }
            return .success(
                try await client.send(HTTPRequest("GET", "/"), to: server.endpoint).status)
        } catch {
            return .failure(error)
        }
    }

    private func kind(_ result: Result<Int, HTTPError>) -> HTTPError.Kind? {
        if case .failure(let error) = result { error.kind } else { nil }
    }

    @Test("works where each knows the other's authority")
    func accepted() async throws {
        #expect(await status(files()) == .success(200))
        var trusting = files()
        trusting.authority = nil
        trusting.verifiesServer = false
        #expect(await status(trusting) == .success(200))
    }

    @Test("fails as TLS where one does not know the other")
    func refused() async throws {
        #expect(kind(await status(nil)) == .tls)
        let other = try TestCertificates(in: scratch["other"])
        #expect(kind(await status(files(other.directory))) == .tls)
        var nameless = files()
        nameless.certificate = nil
        nameless.key = nil
        // The refusal comes after the handshake, together with the end of the connection.
        let refused: Set<HTTPError.Kind?> = [.tls, .broken(sent: true), .broken(sent: false)]
        #expect(refused.contains(kind(await status(nameless))))
        var stranger = files(other.directory)
        stranger.authority = files().authority
        #expect(refused.contains(kind(await status(stranger))))
        var missing = files()
        missing.key = "/nonexistent/key.pem"
        let error = await status(missing)
        #expect(kind(error) == .tls)
        #expect("\(error)".contains("/nonexistent/key.pem"))
    }

    @Test("carries bytes both ways after an upgrade, and the end of one way alone")
    func upgrade() async throws {
        let client = HTTPClient(tls: files())
        let answer = try await client.upgrade(
            HTTPRequest("POST", "/"), to: "tcp", at: server.endpoint)
        guard case .upgraded(let duplex) = answer else {
            Issue.record("it was refused: \(answer)")
            return
        }
        let data = (0..<(2 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        async let echoed = {
            var all: [UInt8] = []
            while let bytes = try await duplex.read() { all += bytes }
            return all
        }()
        try await duplex.write(data)
        duplex.closeInput()
        #expect(try await echoed == data + Array("end".utf8))
    }
}

import Foundation

/// An authority of the test's own, and what it has signed: made by the `openssl` program.
public struct TestCertificates: Sendable {
    /// The program that makes them.
    public static let program = "/usr/bin/openssl"

    /// Where all of it lies: `ca.pem`, `server-cert.pem`, `server-key.pem`, and for the client
    /// `cert.pem` and `key.pem`.
    public let directory: String

    /// Makes an authority, a server for 127.0.0.1 and a client.
    public init(in directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try Self.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca "
                + "-keyout ca-key.pem -out ca.pem", directory)
        try sign("server", prefix: "server-", "subjectAltName=IP:127.0.0.1\n")
        try sign("client", prefix: "", "extendedKeyUsage=clientAuth\n")
    }

    private func sign(_ name: String, prefix: String, _ extensions: String) throws {
        try extensions.write(
            toFile: "\(directory)/\(name).ext", atomically: true, encoding: .utf8)
        try Self.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) "
                + "-keyout \(prefix)key.pem -out \(name).csr", directory)
        try Self.openssl(
            "x509 -req -in \(name).csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 "
                + "-extfile \(name).ext -out \(prefix)cert.pem", directory)
    }

    private static func openssl(_ arguments: String, _ directory: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(filePath: directory)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TestFailure("openssl \(arguments) failed")
        }
    }
}

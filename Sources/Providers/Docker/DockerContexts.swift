internal import FoundationEssentials
import PalHTTP
import PalModel
import PalProvider

/// The contexts of the `docker` command: named Engines, in files below its configuration.
///
///     config.json                             which one is current
///     contexts/meta/<SHA-256 of name>/meta.json
///     contexts/tls/<SHA-256 of name>/docker/  ca.pem, cert.pem, key.pem
struct DockerContexts {
    /// `$DOCKER_CONFIG`, or `~/.docker`.
    let directory: String

    /// The context that stands for no context.
    static let standard = "default"
    private static let largest = 1 << 20

    init(_ directory: String) { self.directory = directory }

    var configFile: String { directory + "/config.json" }

    /// The name of the current one; nil where none is set.
    func current() throws(ProviderFailure) -> String? {
        struct Config: Decodable { var currentContext: String? }
        guard let config = try read(Config.self, configFile) else { return nil }
        return config.currentContext.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Where a context's Engine is.
    ///
    /// - Parameter source: Where the name was found, for messages.
    func address(of name: String, from source: String) throws(ProviderFailure) -> EngineAddress {
        let id = Digest.sha256(name)
        let file = "\(directory)/contexts/meta/\(id)/meta.json"
        guard let meta = try read(ContextMeta.self, file) else {
            throw .invalid(
                "\(source) names the context '\(name)', and there is none of that name (no "
                    + "\(file)); 'docker context ls' lists them")
        }
        guard let place = meta.endpoints?["docker"], let host = place.host, !host.isEmpty else {
            throw .invalid("the context '\(name)' has no Docker Engine in \(file)")
        }
        return try EngineAddress(
            host, tls: try tls(id, skipsCheck: place.skipsCheck ?? false),
            from: "the address of the context '\(name)'")
    }

    private func tls(_ id: String, skipsCheck: Bool) throws(ProviderFailure) -> TLSFiles? {
        let files = try TLSFiles.found(
            in: "\(directory)/contexts/tls/\(id)/docker", verifies: !skipsCheck,
            needsAuthority: false)
        return files == TLSFiles() ? nil : files
    }

    /// Nil where there is no such file.
    private func read<T: Decodable>(
        _ type: T.Type, _ path: String
    ) throws(ProviderFailure) -> T? {
        let files = FileManager.default
        guard files.fileExists(atPath: path) else { return nil }
        let size = (try? files.attributesOfItem(atPath: path)[.size]) as? Int
        guard let size, size <= Self.largest, let data = files.contents(atPath: path) else {
            throw .invalid("docker's file \(path) cannot be read; correct its rights or remove it")
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw .invalid("docker's file \(path) is not what docker writes; correct or remove it")
        }
    }
}

/// What is read of a context's `meta.json`.
private struct ContextMeta: Decodable {
    struct Place: Decodable {
        var host: String?
        var skipsCheck: Bool?

        private enum CodingKeys: String, CodingKey {
            case host = "Host"
            case skipsCheck = "SkipTLSVerify"
        }
    }

    var endpoints: [String: Place]?

    private enum CodingKeys: String, CodingKey { case endpoints = "Endpoints" }
}

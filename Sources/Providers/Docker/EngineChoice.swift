internal import FoundationEssentials
import PalHTTP
import PalModel
import PalProvider

/// Which Engine an entry of pal.yaml means: what it says itself, else what the `docker` command
/// would use (its variables and its contexts, in its order).
struct EngineChoice {
    let settings: ProviderSettings

    static let keys: [Shape.Member] = [
        .init("socketPath", .text(.absolutePath), "The Engine's socket."),
        .init("host", .text(.nonEmpty), "The Engine, as DOCKER_HOST names it."),
        .init("context", .text(.nonEmpty), "One of the docker command's contexts."),
        .init("certPath", .text(.nonEmpty), "The directory with the certificates for host."),
        .init("tlsVerify", .flag, "Whether host must prove who it is."),
    ]

    /// `specific.socketPath`, `specific.host` or `specific.context`; else `DOCKER_HOST`; else
    /// `DOCKER_CONTEXT`; else the current context of docker's configuration; else
    /// `/var/run/docker.sock`.
    ///
    /// The variables about TLS go with `DOCKER_HOST` and with nothing else.
    func address() throws(ProviderFailure) -> EngineAddress {
        let places = ["context", "host", "socketPath"].filter { settings.specific[$0] != nil }
        if places.count > 1 {
            throw problem(
                "specific.\(places[0]) and specific.\(places[1]) name two Engines; keep one, or "
                    + "make two entries")
        }
        if text("host") == nil, let key = ["certPath", "tlsVerify"].first(where: isSet) {
            throw problem("specific.\(key) needs specific.host")
        }
        if let path = text("socketPath") { return EngineAddress(socket: path) }
        if let host = text("host") {
            return try EngineAddress(
                host, tls: try ownTLS(), from: "specific.host of provider '\(settings.name)'")
        }
        if let context = text("context") {
            return try self.context(context, "specific.context of provider '\(settings.name)'")
        }
        return try surrounding()
    }

    private func surrounding() throws(ProviderFailure) -> EngineAddress {
        if let host = variable("DOCKER_HOST") {
            return try EngineAddress(host, tls: try variablesTLS(host), from: "DOCKER_HOST")
        }
        if let name = variable("DOCKER_CONTEXT") { return try context(name, "DOCKER_CONTEXT") }
        guard let contexts, let name = try contexts.current() else { return .usual }
        return try context(name, "currentContext in \(contexts.configFile)")
    }

    private func context(_ name: String, _ source: String) throws(ProviderFailure) -> EngineAddress
    {
        if name == DockerContexts.standard {
            guard source != "DOCKER_CONTEXT", let host = variable("DOCKER_HOST") else {
                return .usual
            }
            return try EngineAddress(host, tls: try variablesTLS(host), from: "DOCKER_HOST")
        }
        guard let contexts else {
            throw .invalid(
                "\(source) names the context '\(name)', and neither DOCKER_CONFIG nor HOME says "
                    + "where contexts are; set one of them")
        }
        return try contexts.address(of: name, from: source)
    }

    private var contexts: DockerContexts? {
        if let directory = variable("DOCKER_CONFIG") { return DockerContexts(directory) }
        return variable("HOME").map { DockerContexts($0 + "/.docker") }
    }

    // MARK: TLS

    /// `specific.certPath` turns it on; `specific.tlsVerify: false` trusts whoever answers.
    private func ownTLS() throws(ProviderFailure) -> TLSFiles? {
        let verifies = settings.specific["tlsVerify"].flatMap { Bool($0) }
        guard let directory = text("certPath") else {
            return verifies.map { TLSFiles(verifiesServer: $0) }
        }
        return try TLSFiles.found(
            in: directory, verifies: verifies ?? true, needsAuthority: verifies ?? true)
    }

    /// As the command has it: `DOCKER_TLS_VERIFY`, set to anything, turns it on and `DOCKER_TLS`
    /// turns it on without checking the server; `DOCKER_CERT_PATH`, else its configuration's
    /// directory, holds the files.
    private func variablesTLS(_ host: String) throws(ProviderFailure) -> TLSFiles? {
        let verifies = variable("DOCKER_TLS_VERIFY") != nil
        guard verifies || variable("DOCKER_TLS") != nil, !host.hasPrefix("unix:") else {
            return nil
        }
        guard let directory = variable("DOCKER_CERT_PATH") ?? contexts?.directory else {
            throw .invalid("DOCKER_TLS_VERIFY is set; set DOCKER_CERT_PATH to where ca.pem is")
        }
        return try TLSFiles.found(in: directory, verifies: verifies, needsAuthority: verifies)
    }

    // MARK: Reading the entry

    private func isSet(_ key: String) -> Bool { settings.specific[key] != nil }

    private func text(_ key: String) -> String? {
        settings.specific[key].flatMap { String($0) }
    }

    /// A variable that is set to nothing counts as not set, as for the command.
    private func variable(_ name: String) -> String? {
        settings.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func problem(_ text: String) -> ProviderFailure {
        .invalid("provider '\(settings.name)': \(text)")
    }
}

extension TLSFiles {
    /// What there is of `ca.pem`, `cert.pem` and `key.pem` in a directory.
    ///
    /// - Throws: A configuration error where an authority is needed and missing, and where there is
    ///   a certificate without its key or the other way round.
    static func found(
        in directory: String, verifies: Bool, needsAuthority: Bool
    ) throws(ProviderFailure) -> TLSFiles {
        func path(_ name: String) -> String? {
            let path = "\(directory)/\(name)"
            return FileManager.default.isReadableFile(atPath: path) ? path : nil
        }
        let files = TLSFiles(
            authority: path("ca.pem"), certificate: path("cert.pem"), key: path("key.pem"),
            verifiesServer: verifies)
        if needsAuthority, files.authority == nil {
            throw .invalid(
                "there is no readable \(directory)/ca.pem, by which the Engine's certificate is "
                    + "checked; put it there, or correct the directory")
        }
        guard (files.certificate == nil) == (files.key == nil) else {
            let missing = files.key == nil ? "key.pem" : "cert.pem"
            throw .invalid(
                "there is no readable \(directory)/\(missing); a certificate and its key go "
                    + "together")
        }
        return files
    }
}

internal import FoundationEssentials
import PalFiles
import PalProvider

/// What the docker command knows of registries: who logs in there, and with what.
///
/// Read anew for each pull, so that a `docker login` counts at once. Nothing of it is kept, and no
/// message holds any of it.
struct RegistryCredentials: Sendable {
    let environment: [String: String]
    let clock: any Clock<Duration>

    /// The key of Docker Hub's entry.
    static let hubKey = "https://index.docker.io/v1/"
    private static let longestFile = 4 << 20

    /// The value of `X-Registry-Auth` for a registry; nil where nobody is logged in.
    /// - Throws: An instance error where the docker command's config cannot be read, or a program
    ///   that it names fails.
    func header(for registry: String) async throws(ProviderFailure) -> String? {
        guard let config = try config() else { return nil }
        let key = registry == ImageReference.hub ? Self.hubKey : registry
        if let suffix = config.program(for: registry) {
            let program = CredentialProgram(suffix: suffix, environment: environment, clock: clock)
            if let login = try await program.login(to: key) { return login.header }
        }
        return config.login(to: registry)?.header
    }

    /// `$DOCKER_CONFIG/config.json`, else that of the home directory.
    var path: String? {
        if let directory = environment["DOCKER_CONFIG"], !directory.isEmpty {
            return directory + "/config.json"
        }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return home + "/.docker/config.json"
    }

    private func config() throws(ProviderFailure) -> DockerCLIConfig? {
        guard let path else { return nil }
        let bytes: [UInt8]
        do throws(RegularFile.Failure) {
            bytes = try RegularFile.read(at: path, limit: Self.longestFile).bytes
        } catch {
            // No docker command was ever used, or it keeps nothing.
            if case .system(let system) = error, system.isMissing { return nil }
            throw unreadable(path)
        }
        // An empty file is what some tools leave.
        if bytes.isEmpty { return nil }
        // Why it is not right would quote from it.
        guard let config = try? JSONDecoder().decode(DockerCLIConfig.self, from: Data(bytes))
        else { throw unreadable(path) }
        return config
    }

    private func unreadable(_ path: String) -> ProviderFailure {
        .instance(
            .pullFailed,
            "the docker command's config \(path) cannot be read or is not right, so pal does not "
                + "know how to log in; mend it, or set DOCKER_CONFIG to another directory",
            isRetryable: false)
    }
}

/// What pal reads of the docker command's config.json.
struct DockerCLIConfig: Decodable, Sendable {
    struct Entry: Decodable, Sendable {
        var auth: String?
        var identitytoken: String?
        var username: String?
        var password: String?
    }

    var auths: [String: Entry]?
    var credHelpers: [String: String]?
    var credsStore: String?

    /// The suffix of the program that knows a registry's login; nil where the file itself does.
    func program(for registry: String) -> String? {
        let names =
            registry == ImageReference.hub
            ? [RegistryCredentials.hubKey, "index.docker.io", registry] : [registry]
        let own = names.lazy.compactMap { credHelpers?[$0] }.first { !$0.isEmpty }
        return own ?? credsStore.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What the file itself holds for a registry.
    func login(to registry: String) -> RegistryLogin? {
        let isHub = registry == ImageReference.hub
        let exact = isHub ? RegistryCredentials.hubKey : registry
        let host = isHub ? "index.docker.io" : registry
        // Some tools write URLs where others write hosts.
        let entries =
            [auths?[exact]]
            + (auths ?? [:]).sorted { $0.key < $1.key }
            .filter { Self.host($0.key) == host }.map(\.value)
        return entries.lazy.compactMap { $0 }.compactMap { RegistryLogin($0, exact) }.first
    }

    private static func host(_ key: String) -> Substring {
        var rest = key[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        return rest.prefix { $0 != "/" }
    }
}

/// A login at one registry, for one call. No part of it may be shown.
struct RegistryLogin: Sendable {
    private enum Proof: Sendable {
        case password(user: String, String)
        case token(String)
    }

    private let server: String
    private let proof: Proof

    /// A user and a password; a token where the user is `<token>`.
    init(user: String, secret: String, server: String) {
        self.server = server
        proof = user == "<token>" ? .token(secret) : .password(user: user, secret)
    }

    /// What an entry of the config holds; nil where it holds nothing.
    init?(_ entry: DockerCLIConfig.Entry, _ server: String) {
        self.server = server
        if let token = entry.identitytoken, !token.isEmpty {
            proof = .token(token)
        } else if let auth = entry.auth, !auth.isEmpty {
            guard let data = Data(base64Encoded: auth) else { return nil }
            let text = String(decoding: data, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { return nil }
            var password = text[text.index(after: colon)...]
            // Old releases of the docker command wrote zeros behind it.
            while password.last == "\0" { password.removeLast() }
            proof = .password(user: String(text[..<colon]), String(password))
        } else if let user = entry.username, let password = entry.password, !user.isEmpty {
            proof = .password(user: user, password)
        } else {
            return nil
        }
    }

    /// As the Engine takes it: JSON in the base64 of URLs, with padding.
    var header: String {
        var fields = ["serveraddress": server]
        switch proof {
        case .password(let user, let password):
            (fields["username"], fields["password"]) = (user, password)
        case .token(let token): fields["identitytoken"] = token
        }
        let json = (try? JSONEncoder().encode(fields)) ?? Data()
        return String(
            json.base64EncodedString().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }
}

import Foundation
public import PalHTTP
public import Testing

/// The real Engine, without pal in between: to arrange things and to look.
public final class DockerEngine: Sendable {
    /// The one of this machine.
    public static let shared = DockerEngine()

    /// Whether Podman's service takes the place of Docker's in this run of the tests:
    /// `PAL_TEST_ENGINE=podman`.
    public static let isPodman = ProcessInfo.processInfo.environment["PAL_TEST_ENGINE"] == "podman"

    /// Where the Engine of this run listens.
    public static let socketPath = isPodman ? Podman.socketPath : "/var/run/docker.sock"

    /// The same as an endpoint.
    public static let endpoint = Endpoint.unixSocket(path: socketPath)

    /// Whether this process can talk to one. In CI a missing Engine is a failure, not a reason to
    /// skip.
    public static let isHere =
        access(socketPath, R_OK | W_OK) == 0
        || Needs.areBinding

    private let client = HTTPClient()
    private let socket: String

    /// The one at a socket.
    public init(socket: String = DockerEngine.socketPath) { self.socket = socket }

    /// Calls the Engine's API.
    @discardableResult
    public func call(
        _ method: String, _ path: String, type: String = "application/json", body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await client.send(
            HTTPRequest(
                method, "/v1.41" + path, headers: [("Content-Type", type)], body: body,
                timeout: .seconds(60)),
            to: .unixSocket(path: socket))
    }

    /// A container as the Engine lists it.
    public struct Container: Decodable, Sendable {
        /// The Engine's id of it.
        public var Id: String
        /// Its names, each with a leading slash.
        public var Names: [String]
        /// One word, such as `running` or `exited`.
        public var State: String
        /// Its labels, pal's own and others.
        public var Labels: [String: String]
    }

    /// The containers of a swarm, by name.
    public func containers(swarm: String) async throws -> [Container] {
        let answer = try await call("GET", "/containers/json?all=1&filters=\(Self.filter(swarm))")
        return try JSONDecoder().decode([Container].self, from: Data(answer.body)).sorted {
            ($0.Labels["pal.name"] ?? "") < ($1.Labels["pal.name"] ?? "")
        }
    }

    /// What the Engine says of one container.
    public struct Detail: Decodable, Sendable {
        /// What its host gives it.
        public struct Host: Decodable, Sendable {
            /// The most memory, in bytes.
            public var Memory: Int
        }
        /// A port of the host.
        public struct Binding: Decodable, Sendable {
            /// Its number.
            public var HostPort: String
        }
        /// Where it is reached.
        public struct Network: Decodable, Sendable {
            /// By the port inside.
            public var Ports: [String: [Binding]?]
        }
        /// What is mounted.
        public struct Mount: Decodable, Sendable {
            /// Its kind, such as `volume`.
            public var `Type`: String
            /// A volume's name.
            public var Name: String?
        }
        /// How it runs.
        public struct Run: Decodable, Sendable {
            /// When its run began.
            public var StartedAt: String
        }
        /// How it runs.
        public var State: Run
        /// What its host gives it.
        public var HostConfig: Host
        /// Where it is reached.
        public var NetworkSettings: Network
        /// What is mounted.
        public var Mounts: [Mount]
    }

    /// What the Engine says of one container.
    public func detail(of id: String) async throws -> Detail {
        let answer = try await call("GET", "/containers/\(id)/json")
        return try JSONDecoder().decode(Detail.self, from: Data(answer.body))
    }

    /// The memory that a container may use, in MiB.
    public func memory(of id: String) async throws -> Int {
        try await detail(of: id).HostConfig.Memory >> 20
    }

    /// The names of the volumes and networks of a swarm.
    public func leftovers(of swarm: String) async throws -> [String] {
        try await volumes(of: swarm) + networks(of: swarm)
    }

    /// Removes everything that carries a swarm's label.
    public func removeEverything(of swarm: String) async throws {
        for container in try await containers(swarm: swarm) {
            try await call("DELETE", "/containers/\(container.Id)?force=1&v=1")
        }
        for volume in try await volumes(of: swarm) {
            try await call("DELETE", "/volumes/\(volume)")
        }
        for network in try await networks(of: swarm) {
            try await call("DELETE", "/networks/\(network)")
        }
    }

    /// Whether it keeps its images in containerd, as new installations of Docker do.
    public func keepsImagesInContainerd() async throws -> Bool {
        let answer = try await call("GET", "/info")
        return String(decoding: answer.body, as: UTF8.self).contains("containerd.snapshotter")
    }

    /// Whether a container's limits can be changed while it stands: not by Podman before 5.1.
    public func changesLimits() async throws -> Bool {
        guard Self.isPodman else { return true }
        struct Version: Decodable { var Version: String }
        let answer = try await call("GET", "/version")
        let text = try JSONDecoder().decode(Version.self, from: Data(answer.body)).Version
        let words = text.split(separator: ".").prefix(2).compactMap { Int($0) }
        return words.count == 2 && (words[0], words[1]) >= (5, 1)
    }

    private struct Named: Decodable { var Name: String }

    private func volumes(of swarm: String) async throws -> [String] {
        struct Volumes: Decodable { var Volumes: [Named]? }
        let answer = try await call("GET", "/volumes?filters=\(Self.filter(swarm))")
        return try JSONDecoder().decode(Volumes.self, from: Data(answer.body)).Volumes?
            .map(\.Name) ?? []
    }

    private func networks(of swarm: String) async throws -> [String] {
        let answer = try await call("GET", "/networks?filters=\(Self.filter(swarm))")
        return try JSONDecoder().decode([Named].self, from: Data(answer.body)).map(\.Name)
    }

    private static func filter(_ swarm: String) -> String {
        #"{"label":["pal.swarm=\#(swarm)"]}"#
            .addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

/// Something that a test needs went wrong.
public struct TestFailure: Error, CustomStringConvertible {
    /// What went wrong.
    public let description: String
    /// Makes one of its parts.
    public init(_ description: String) { self.description = description }
}

extension Trait where Self == ConditionTrait {
    /// Skips where no Docker Engine can be used, but not in CI.
    public static var needsDockerEngine: Self {
        .enabled(if: DockerEngine.isHere, "no Docker Engine at \(DockerEngine.socketPath)")
    }

    /// Skips where the tests run on a Podman that has no call to change limits.
    public static var needsChangesOfLimits: Self {
        .enabled("Podman before 5.1 has no call to change limits") {
            (try? await DockerEngine.shared.changesLimits()) ?? true
        }
    }

    /// Skips where the Engine keeps its images in containerd, which cannot do it in this way.
    public static func notWithContainerdStore(_ why: Comment) -> Self {
        .disabled(why) {
            // Where there is none, other traits skip.
            (try? await DockerEngine.shared.keepsImagesInContainerd()) ?? false
        }
    }

    /// Skips where the tests run on Podman, which cannot do it, or not in this way.
    public static func notOnPodman(_ why: Comment) -> Self {
        .disabled(if: DockerEngine.isPodman, why)
    }
}

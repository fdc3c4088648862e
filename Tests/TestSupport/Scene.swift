import DockerProvider
import Foundation
import Logging
import PalModel
public import PalProvider
import ProcessProvider
public import Testing

/// A world for one test: a specs directory, a state directory, and a swarm that nobody else uses.
public struct Scene: Sendable {
    /// Which real platform a scene's specs run on.
    public enum Platform: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case process, docker
        /// The platform's name.
        public var testDescription: String { rawValue }
    }

    /// The directory that holds everything of the scene, with pal.yaml in it.
    public let root: String
    /// The swarm's name, new for every scene.
    public let swarm: String
    /// Variables on top of the scene's own, such as `DOCKER_HOST`.
    public var variables: [String: String] = [:]
    /// The specs directory.
    public var specs: String { root + "/specs" }
    /// The directory of the ledger and the controller's lock.
    public var state: String { root + "/state/pal/\(swarm)" }
    /// The variables that programs of the scene are run with.
    public var environment: [String: String] {
        let own = [
            "HOME": root, "XDG_STATE_HOME": root + "/state", "XDG_DATA_HOME": root + "/data",
        ]
        let engine = DockerEngine.isPodman ? ["DOCKER_HOST": Podman.host] : [:]
        return own.merging(engine) { $1 }.merging(variables) { $1 }
    }

    /// The same scene with more variables.
    public func with(_ variables: [String: String]) -> Scene {
        var copy = self
        copy.variables.merge(variables) { $1 }
        return copy
    }

    /// Makes a scene, lets the body play, and clears everything away.
    public static func play(_ body: (Scene) async throws -> Void) async throws {
        let swarm = "e" + String(UInt64.random(in: 0 ... .max), radix: 36)
        let scene = Scene(
            root: FileManager.default.temporaryDirectory.appending(path: "pal-\(swarm)").path,
            swarm: swarm)
        try FileManager.default.createDirectory(
            atPath: scene.specs, withIntermediateDirectories: true)
        try "swarm: \(swarm)\nspecs: specs\n".write(
            toFile: scene.root + "/pal.yaml", atomically: true, encoding: .utf8)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(scene))
        } catch {
            result = .failure(error)
        }
        try await scene.clear()
        try result.get()
    }

    /// The process provider over this scene's data, without a controller.
    public func processProvider() throws -> any Provider {
        try ProcessProviderClass(
            supervisorCommand: [PalProgram.pal, "supervise"]
        ).makeProvider(
            ProviderSettings(
                type: "process", name: "process", swarm: swarm,
                dataDirectory: root + "/data/pal/\(swarm)"),
            logger: Logger(label: "scene"))
    }

    private func clear() async throws {
        let provider = try processProvider()
        try await provider.initialize()
        for instance in try await provider.listInstances(.all) {
            try await provider.stopInstance(instance.reference, force: true)
            _ = try await provider.deleteInstance(instance.reference)
        }
        await provider.shutdown()
        if access(DockerEngine.socketPath, R_OK | W_OK) == 0 {
            try await DockerEngine.shared.removeEverything(of: swarm)
        }
        try FileManager.default.removeItem(atPath: root)
    }

    // MARK: Files

    /// Writes a spec file.
    public func write(_ file: String, _ text: String) throws {
        let path = specs + "/" + file
        try FileManager.default.createDirectory(
            atPath: URL(filePath: path).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// Removes a spec file.
    public func remove(_ file: String) throws {
        try FileManager.default.removeItem(atPath: specs + "/" + file)
    }

    /// A spec that serves HTTP on either platform.
    public func spec(
        _ name: String, _ platform: Platform, _ more: String = ""
    ) -> String {
        switch platform {
        case .docker:
            """
            name: \(name)
            image: \(BusyboxImage.name)
            specific: { network: bridge }
            \(more)

            """
        case .process:
            """
            name: \(name)
            provider: process
            editor: custom
            command: [busybox, httpd, -f, -p, "127.0.0.1:\(Self.port(name + swarm))", -h, /]
            network: { port: \(Self.port(name + swarm)) }
            health: { path: /etc/hostname }
            \(more)

            """
        }
    }

    /// A port for a name, hardly the same for two: below those that pal and the kernel choose from.
    public static func port(_ name: String) -> Int {
        10000 + Int(name.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) } % 9973)
    }

    // MARK: pal

    /// Runs a command of pal in this scene.
    public func pal(_ arguments: String...) async throws -> PalProgram.Outcome {
        try await PalProgram.run(arguments, environment: environment, directory: root)
    }

    /// Runs `pal apply`, which must succeed.
    public func apply() async throws {
        let outcome = try await pal("apply")
        guard outcome.code == 0 else { throw TestFailure("pal apply: \(outcome)") }
    }

    /// Runs the body beside a running controller, and ends that by SIGTERM.
    public func running(
        _ body: () async throws -> Void
    ) async throws {
        let log = root + "/controller.log"
        let controller = try PalProgram.start(
            ["run"], environment: environment, directory: root, log: log)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        if controller.isRunning { controller.terminate() }
        controller.waitUntilExit()
        do {
            try result.get()
        } catch {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw TestFailure("\(error)\nthe controller said:\n\(said.suffix(4000))")
        }
    }

    /// One instance as `pal status -o json` tells it.
    public struct Row: Decodable, Sendable {
        /// A condition.
        public struct Told: Decodable, Sendable {
            /// What it is about, such as `Ready`.
            public var kind: String
            /// Whether it holds.
            public var isTrue: Bool
            /// One word for machines.
            public var reason: String
            /// A sentence for people.
            public var message: String
        }
        /// What the provider said of it.
        public struct Instance: Decodable, Sendable {
            /// Where it is reached.
            public struct Network: Decodable, Sendable {
                /// The editor's addresses, best first.
                public var urls: [String]
            }
            /// The platform's own id of the object.
            public var providerInstanceId: String
            /// Where it is reached.
            public var network: Network
        }
        /// The instance's name.
        public var name: String
        /// pal's own id.
        public var id: String
        /// The configured name of its provider.
        public var provider: String
        /// Where it stands in its life, such as `running`.
        public var status: String
        /// Whether the editor answers.
        public var ready: Bool
        /// Counts the replacements, from 1.
        public var generation: Int
        /// What the provider said of its object last, if there was one.
        public var instance: Instance?
        /// What is true of it.
        public var conditions: [Told]

        /// What a condition of a kind says, where it has one.
        public func message(_ kind: String) -> String? {
            conditions.first { $0.kind == kind && $0.isTrue }?.message
        }

        /// Whether it has a condition of a kind.
        public func has(_ kind: String) -> Bool {
            conditions.contains { $0.kind == kind && $0.isTrue }
        }
    }

    /// The whole of `pal status -o json`.
    public struct Status: Decodable, Sendable {
        /// A problem in the specs.
        public struct Problem: Decodable, Sendable {
            /// What is wrong and what to do.
            public var message: String
        }
        /// Deletions that wait for consent.
        public struct Parked: Decodable, Sendable {
            /// The instances' names, sorted.
            public var names: [String]
        }
        /// Who runs the controller; nil where nobody does.
        public var controller: String?
        /// Every problem in the specs.
        public var problems: [Problem]
        /// Why nothing is pruned; nil where pruning is free.
        public var pruneBlock: String?
        /// Deletions that wait for consent, or nil.
        public var parked: Parked?
        /// Every instance, sorted by name.
        public var instances: [Row]

        /// The instance of that name, or nil.
        public subscript(name: String) -> Row? { instances.first { $0.name == name } }
    }

    /// Asks pal for the status.
    public func status() async throws -> Status {
        let outcome = try await pal("status", "-o", "json")
        guard outcome.code == 0 else { throw TestFailure("status: \(outcome)") }
        return try JSONDecoder().decode(Status.self, from: Data(outcome.out.utf8))
    }

    /// Asks for the status until it is as expected; fails after a minute with what it was last.
    @discardableResult
    public func eventually(
        _ what: String, _ holds: (Status) async throws -> Bool
    ) async throws -> Status {
        var last: Status?
        for _ in 0..<300 {
            let now = try await status()
            if try await holds(now) { return now }
            last = now
            try await Task.sleep(for: .milliseconds(200))
        }
        throw TestFailure("never came true: \(what); at last \(String(describing: last))")
    }
}

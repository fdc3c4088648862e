import Foundation
import Glibc
import Logging
import PalHTTP
import PalModel
import PalProvider
import TestSupport
import Testing

@testable import DockerProvider

/// A swarm of its own for one test, at the real Engine.
struct TestSwarm: Sendable {
    let name: String
    let provider: DockerProvider
    /// The Engine without the provider in between, to arrange and to look.
    let engine: EngineClient

    /// Runs a test with a swarm, and removes all that carries its label afterwards.
    ///
    /// - Parameters:
    ///   - socketPath: what the provider talks to; the Engine itself, or a relay.
    ///   - engine: the Engine itself.
    static func run(
        socketPath: String = DockerEngine.socketPath, engine: String = DockerEngine.socketPath,
        specific: [String: Value] = [:],
        environment: [String: String] = [:], logger: Logger = Logger(label: "test"),
        _ body: (TestSwarm) async throws -> Void
    ) async throws {
        try await BusyboxImage.ensure()
        let name = "t" + String(UInt64.random(in: 0 ... .max), radix: 36)
        let data = FileManager.default.temporaryDirectory.appending(path: "pal-data-\(name)").path
        defer { try? FileManager.default.removeItem(atPath: data) }
        let settings = ProviderSettings(
            type: "docker", name: "docker", swarm: name, dataDirectory: data,
            specific: specific.merging(["socketPath": .string(socketPath)]) { $1 },
            environment: environment)
        let swarm = TestSwarm(
            name: name,
            provider: DockerProvider(try DockerSettings(settings), logger: logger),
            engine: EngineClient(endpoint: .unixSocket(path: engine)))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(swarm))
        } catch {
            result = .failure(error)
        }
        await swarm.provider.shutdown()
        try await swarm.removeEverything()
        swarm.engine.http.shutdown()
        try result.get()
    }

    /// Another provider of the same swarm, as a second process has; whoever takes it shuts it down.
    var another: DockerProvider { DockerProvider(provider.settings, logger: provider.logger) }

    /// A config that runs the test image. It joins the Engine's own bridge: an Engine has room for
    /// few networks, and many tests run at once.
    func config(
        _ name: String, _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) -> InstanceConfig {
        var config = InstanceConfig(name: name)
        config.image = BusyboxImage.name
        config.resources.storagePersistent = false
        config.specific = ["network": .string("bridge")]
        edit(&config)
        return config
    }

    func request(
        _ config: InstanceConfig, generation: Int = 1, starts: Bool = true,
        keptPorts: [Int: Int] = [:], progress: @escaping ProgressHandler = { _ in }
    ) -> CreateRequest {
        CreateRequest(
            config: config, ownership: ownership(config, generation: generation), starts: starts,
            keptPorts: keptPorts, progress: progress)
    }

    func ownership(_ config: InstanceConfig, generation: Int = 1) -> Ownership {
        Ownership(
            swarm: name, name: config.name, id: "id-\(config.name)", generation: generation,
            specHash: provider.getCapabilities().hash(of: config))
    }

    /// Makes and starts an instance of the test image.
    func create(
        _ name: String, _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) async throws -> VSCodeInstance {
        try await provider.createInstance(request(config(name, edit)))
    }

    /// Makes one and waits until its editor answers.
    func createReady(
        _ name: String, _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) async throws -> VSCodeInstance {
        let made = try await create(name, edit)
        return try await wait(made.reference) { $0.readiness.isReady }
    }

    /// Asks until the instance is as expected; fails after a minute with what it was last.
    func wait(
        _ reference: InstanceReference, until isExpected: (VSCodeInstance) -> Bool
    ) async throws -> VSCodeInstance {
        var last: VSCodeInstance?
        for _ in 0..<1200 {
            last = try await provider.getInstance(reference)
            if let last, isExpected(last) { return last }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure(
            "the instance never was as expected; at last: \(String(describing: last))")
    }

    /// A container that is not pal's, or not quite. Returns its id.
    func makeForeign(
        name: String? = nil, labels: [String: String] = [:], starts: Bool = false,
        _ more: [String: Value] = [:]
    ) async throws -> String {
        let name = name ?? "pal-test-foreign-\(self.name)"
        let body = more.merging(
            ["Image": .string(BusyboxImage.name), "Labels": .texts(labels)],
            uniquingKeysWith: { $1 })
        let answer = try await engine.send(
            EngineCall(
                "POST", "/containers/create", query: [("name", name)],
                body: .map(body)))
        let id = try answer.decoded(as: Created.self).id
        if starts { _ = try await engine.send(EngineCall("POST", "/containers/\(id)/start")) }
        return id
    }

    func removeContainer(_ id: String) async throws {
        _ = try await engine.send(
            EngineCall("DELETE", "/containers/\(id)", query: [("force", "1"), ("v", "1")]))
    }

    /// Networks beside the swarm's own, for as long as the body runs; few, for an Engine has room
    /// for some thirty.
    ///
    /// - Parameter subnets: Whether each has a range that is said, where addresses can be asked
    ///   for.
    func withNetworks(
        _ count: Int, subnets: Bool = false, _ body: ([String]) async throws -> Void
    ) async throws {
        let networks = (0..<count).map { "pal-test-\(name)-\($0)" }
        for network in networks {
            var wish: [String: Value] = ["Name": .string(network)]
            if subnets {
                let part = Int.random(in: 0...255)
                let range = Value.texts(["Subnet": "10.\(Int.random(in: 200...250)).\(part).0/24"])
                wish["IPAM"] = .map(["Config": .list([range])])
            }
            let answer = try await engine.send(
                EngineCall("POST", "/networks/create", body: .map(wish)))
            guard answer.isSuccess else { throw TestFailure(answer.message) }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(networks)) } catch { result = .failure(error) }
        for instance in try await provider.listInstances(.all) {
            _ = try await provider.deleteInstance(instance.reference)
        }
        for network in networks {
            _ = try await engine.send(EngineCall("DELETE", "/networks/\(network)"))
        }
        try result.get()
    }

    /// The beginning of a network's addresses, with the last dot.
    func subnet(of network: String) async throws -> String {
        let answer = try await engine.send(EngineCall("GET", "/networks/\(network)"))
        guard case .list(let ranges)? = try answer.decoded(as: Value.self)["IPAM.Config"],
            let subnet = ranges.first?.text("Subnet")
        else { throw TestFailure("\(network) has no range") }
        return subnet.split(separator: ".").prefix(3).map { $0 + "." }.joined()
    }

    private func removeEverything() async throws {
        let filter = EngineCall.filters(["label": ["pal.swarm=\(name)"]])
        let containers = try await engine.send(
            EngineCall("GET", "/containers/json", query: [("all", "1"), filter]))
        for container in try containers.decoded(as: [ContainerSummary].self) {
            try await removeContainer(container.id)
        }
        let volumes = try await engine.send(EngineCall("GET", "/volumes", query: [filter]))
        for volume in try volumes.decoded(as: VolumeList.self).volumes ?? [] {
            _ = try await engine.send(EngineCall("DELETE", "/volumes/\(volume.name)"))
        }
        let networks = try await engine.send(EngineCall("GET", "/networks", query: [filter]))
        for network in try networks.decoded(as: [NetworkSummary].self) {
            _ = try await engine.send(EngineCall("DELETE", "/networks/\(network.name)"))
        }
    }
}

/// The failure that a call ends with; fails the test where it ends well.
func failure<T>(
    _ body: () async throws(ProviderFailure) -> T,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
) async throws -> ProviderFailure {
    do throws(ProviderFailure) {
        let value = try await body()
        Issue.record("it succeeded with \(value)", sourceLocation: sourceLocation)
        throw .notFound("no failure")
    } catch {
        return error
    }
}

import FlyEmulation
import Foundation
import Logging
import PalHTTP
import PalModel
import PalProvider
import TestSupport

@testable import FlyProvider

/// A swarm of its own for one test, on an emulation of its own.
struct FlySwarm: Sendable {
    static let token = "fm2_test"

    let name = "team"
    let fly: FlyEmulation
    let provider: FlyProvider
    let data: String
    private let clock: ScaledClock

    /// Runs a test. Unless it says otherwise, pal's time and Fly.io's go ten times faster than
    /// everybody's: pal's minute of patience is six seconds, which a busy machine can need.
    static func run(
        options: FlyEmulation.Options = .init(), speed: Int = 10,
        specific: [String: Value] = [:], region: String? = "fra",
        _ body: (FlySwarm) async throws -> Void
    ) async throws {
        var options = options
        options.openAPI = ProcessInfo.processInfo.environment["PAL_FLY_OPENAPI"]
        let clock = ScaledClock(factor: speed)
        let fly = try FlyEmulation(options, clock: clock)
        try await fly.start()
        let scratch = try Scratch()
        let settings = ProviderSettings(
            type: "fly", name: "fly", region: region, swarm: "team",
            dataDirectory: scratch["data"], specific: specific, environment: environment(fly))
        let swarm = FlySwarm(
            fly: fly,
            provider: FlyProvider(
                try FlySettings(settings), logger: Logger(label: "test"), clock: clock),
            data: scratch["data"], clock: clock)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(swarm))
        } catch {
            result = .failure(error)
        }
        await swarm.provider.shutdown()
        await fly.stop()
        try result.get()
        if options.openAPI != nil, fly.calls.contains(where: { $0.status == 200 }),
            fly.checkedCalls == 0
        {
            throw TestFailure("no call was held against the OpenAPI document")
        }
        guard fly.mismatches.isEmpty else {
            throw TestFailure("not as the OpenAPI document has it: \(fly.mismatches.prefix(5))")
        }
    }

    static func environment(_ fly: FlyEmulation) -> [String: String] {
        [
            "FLY_API_TOKEN": token, "FLY_FLAPS_BASE_URL": fly.origin,
            "FLY_API_BASE_URL": fly.origin,
        ]
    }

    /// The same swarm as another process of pal sees it: with nothing in its memory.
    func anotherProvider(_ edit: (inout ProviderSettings) -> Void = { _ in }) throws -> FlyProvider
    {
        var settings = ProviderSettings(
            type: "fly", name: "fly", region: "fra", swarm: name, dataDirectory: data,
            environment: Self.environment(fly))
        edit(&settings)
        return FlyProvider(try FlySettings(settings), logger: Logger(label: "test"), clock: clock)
    }

    /// A config that runs a command that does nothing.
    func config(
        _ name: String, _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) -> InstanceConfig {
        var config = InstanceConfig(name: name)
        config.provider = "fly"
        config.image = "registry.example.org/editor:1"
        config.editor = .custom
        config.command = ["sleep", "1000"]
        config.network.port = 8080
        config.resources.storagePersistent = false
        edit(&config)
        return config
    }

    func request(
        _ config: InstanceConfig, generation: Int = 1, starts: Bool = true,
        keptPorts: [Int: Int] = [:]
    ) -> CreateRequest {
        let hash = provider.getCapabilities().hash(of: config)
        return CreateRequest(
            config: config,
            ownership: Ownership(
                swarm: name, name: config.name, id: "id-\(config.name)", generation: generation,
                specHash: hash),
            starts: starts, keptPorts: keptPorts)
    }

    func create(
        _ name: String, _ edit: (inout InstanceConfig) -> Void = { _ in }
    ) async throws -> VSCodeInstance {
        try await provider.createInstance(request(config(name, edit)))
    }

    func get(_ instance: VSCodeInstance) async throws -> VSCodeInstance {
        guard let now = try await provider.getInstance(instance.reference) else {
            throw TestFailure("'\(instance.name)' is gone")
        }
        return now
    }

    /// The machine of an instance as Fly.io has it.
    func machine(_ instance: VSCodeInstance) throws -> MachineSnapshot {
        let all = fly.machines(app: "pal-team")
        guard let one = all.first(where: { $0.id == instance.providerInstanceId }) else {
            throw TestFailure("Fly.io has no machine \(instance.providerInstanceId): \(all)")
        }
        return one
    }

    /// A call of somebody else's.
    func api(_ method: String, _ path: String, _ body: String) async throws -> HTTPResponse {
        let client = HTTPClient()
        defer { client.shutdown() }
        return try await client.send(
            HTTPRequest(
                method, path,
                headers: [
                    ("Authorization", "Bearer \(Self.token)"), ("Content-Type", "application/json"),
                ], body: Array(body.utf8)), to: .origin(fly.origin))
    }

    /// Asks until it is so; fails after a minute.
    func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
        for _ in 0..<600 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw TestFailure("never came true: \(what)")
    }
}

/// What a call is refused with.
func failure(_ body: () async throws(ProviderFailure) -> some Any) async throws -> ProviderFailure {
    do {
        _ = try await body()
    } catch {
        return error
    }
    throw TestFailure("no failure")
}

extension ProviderFailure {
    var isAmbiguous: Bool { if case .ambiguous = self { true } else { false } }
}

extension MachineSnapshot {
    /// The config that was asked for last.
    var value: Value {
        (try? JSONDecoder().decode(Value.self, from: config)) ?? .null
    }
}

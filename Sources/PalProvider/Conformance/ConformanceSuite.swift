public import PalModel

/// What every provider must do, as checks that run unchanged against each of them.
///
/// Each check makes its own instances in the given swarm and deletes them, and their storage. The
/// checks are independent; they run one after the other, so that a slow platform is not overrun.
public struct ConformanceSuite: Sendable {
    /// What came of one check.
    public struct Result: Sendable, Hashable {
        /// The check, as a sentence.
        public var check: String
        /// What was wrong; nil where it passed.
        public var problem: String?
    }

    /// A check that did not hold.
    struct Violation: Error {
        var message: String
    }

    let provider: any Provider
    let swarm: String
    let template: InstanceConfig
    let clock: any Clock<Duration>

    /// - Parameters:
    ///   - provider: The provider, configured for `swarm`.
    ///   - swarm: A swarm that nobody else uses.
    ///   - template: A config that runs an HTTP server which answers `health.path` with 200, on
    ///     `network.port` or `$PORT`, and whose `$HOME` is the editor's home.
    public init(
        provider: any Provider, swarm: String, template: InstanceConfig,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.provider = provider
        self.swarm = swarm
        self.template = template
        self.clock = clock
    }

    /// The names of the checks, in order.
    public var checks: [String] { all.map(\.name) }

    /// Runs every check.
    /// - Parameter progress: Called with each result as it comes.
    public func run(_ progress: @Sendable (Result) -> Void = { _ in }) async -> [Result] {
        var results: [Result] = []
        for check in all {
            let result = await run(check)
            progress(result)
            results.append(result)
        }
        return results
    }

    /// Runs one check by its name.
    public func run(check name: String) async -> Result {
        guard let check = all.first(where: { $0.name == name }) else {
            return Result(check: name, problem: "there is no such check")
        }
        return await run(check)
    }

    private func run(_ check: Check) async -> Result {
        var problem: String?
        do {
            try await provider.initialize()
            try await check.body(self)
        } catch let violation as Violation {
            problem = violation.message
        } catch {
            problem = "unexpected: \(error)"
        }
        do {
            try await cleanUp(check.instance)
        } catch {
            problem = problem ?? "cleaning up: \(error)"
        }
        return Result(check: check.name, problem: problem)
    }

    private func cleanUp(_ name: String) async throws {
        for instance in try await provider.listInstances(InstanceFilter(names: [name])) {
            _ = try await provider.deleteInstance(instance.reference)
        }
        guard let storage = provider as? any StorageProvider else { return }
        for volume in try await storage.listStorage() where volume.instanceName == name {
            _ = try await storage.deleteStorage(volume.providerStorageId)
        }
    }

    struct Check: Sendable {
        var name: String
        /// The name of the check's instance.
        var instance: String
        var body: @Sendable (ConformanceSuite) async throws -> Void
    }
}

// MARK: What checks are made of

extension ConformanceSuite {
    func config(_ name: String) -> InstanceConfig {
        var config = template
        config.name = name
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
                swarm: swarm, name: config.name, id: "id-\(config.name)", generation: generation,
                specHash: hash),
            starts: starts, keptPorts: keptPorts)
    }

    func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw Violation(message: message()) }
    }

    func get(_ instance: VSCodeInstance) async throws -> VSCodeInstance {
        guard let found = try await provider.getInstance(instance.reference) else {
            throw Violation(message: "getInstance does not find '\(instance.name)'")
        }
        return found
    }

    /// Waits until the instance is as wanted, at most half a minute.
    @discardableResult
    func wait(
        for instance: VSCodeInstance, _ what: String,
        until holds: (VSCodeInstance) -> Bool
    ) async throws -> VSCodeInstance {
        var last = try await get(instance)
        for _ in 0..<300 where !holds(last) {
            try await clock.sleep(for: .milliseconds(100))
            last = try await get(instance)
        }
        try expect(
            holds(last),
            "'\(instance.name)' is not \(what) after 30 s: \(last.status), \(last.readiness)")
        return last
    }

    /// Expects an error of a kind and a code.
    func expectError(
        _ kind: ProviderError.Kind, _ codes: [ProviderError.Code], from what: String,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch ProviderFailure.error(let error) {
            try expect(
                error.kind == kind && codes.contains(error.code),
                "\(what) gives \(error.kind.rawValue) \(error.code.rawValue), expected "
                    + "\(kind.rawValue) \(codes.map(\.rawValue).joined(separator: " or ")): "
                    + error.message)
            try expect(!error.message.isEmpty, "\(what) gives an error without a message")
            return
        }
        throw Violation(message: "\(what) gives no error")
    }
}

import FoundationEssentials
import Logging
import PalLedger
import PalModel
import PalProvider
import Synchronization

@testable import PalEngine

/// A platform in memory: what the engine's own tests run against. It keeps the provider's contract
/// and can be told to fail.
final class FakePlatform: AbstractProvider, EventfulProvider, StorageProvider {
    struct State {
        var objects: [String: VSCodeInstance] = [:]
        var volumes: Set<String> = []
        var removedVolumes: Set<String> = []
        /// Ids of objects that bear nobody's marks: in a list only where it is told to adopt them.
        var strangers: Set<String> = []
        var counter = 0
        var calls: [String] = []
        /// Failures by call, used up one after the other.
        var failures: [String: [ProviderFailure]] = [:]
        /// Failures after the effect.
        var lateFailures: [String: [ProviderFailure]] = [:]
        var listener: AsyncStream<ProviderEvent>.Continuation?
        /// How a started instance is: running and ready, unless told otherwise.
        var startedStatus = InstanceStatus.running
        var readiness = Readiness.ready
        /// Names that lists do not show yet.
        var hidden: Set<String> = []
        /// How many lists were asked for.
        var lists = 0
        /// How long a list takes.
        var listTime = Duration.zero
        /// Tells how far a creation, or the preparation of one, is.
        var tells: (@Sendable (ProgressHandler) async -> Void)?
        /// What happens while an instance is stopped.
        var duringStop: (@Sendable () async -> Void)?
        /// Whether it takes another limit than it is given.
        var roundsMemory = false
    }

    let type: ProviderType = "docker"
    let name: String
    let region = "local"
    let logger = Logger(label: "fake")
    let state = Mutex(State())

    init(name: String = "docker") { self.name = name }

    func getCapabilities() -> Capabilities {
        var capabilities = TestRules().getCapabilities()
        capabilities.features = [.events, .storage, .adoption]
        return capabilities
    }

    func classify(_ change: FieldChange) -> ChangeClass { TestRules().classify(change) }

    private func call(_ what: String) throws(ProviderFailure) {
        state.withLock { $0.calls.append(what) }
        try fail(what.split(separator: " ").first.map(String.init) ?? what)
    }

    private func fail(_ verb: String) throws(ProviderFailure) {
        let failure = state.withLock { state -> ProviderFailure? in
            guard var waiting = state.failures[verb], !waiting.isEmpty else { return nil }
            let first = waiting.removeFirst()
            state.failures[verb] = waiting
            return first
        }
        if let failure { throw failure }
    }

    private func afterEffect(_ verb: String) throws(ProviderFailure) {
        let failure = state.withLock { state -> ProviderFailure? in
            guard var waiting = state.lateFailures[verb], !waiting.isEmpty else { return nil }
            let first = waiting.removeFirst()
            state.lateFailures[verb] = waiting
            return first
        }
        if let failure { throw failure }
    }

    func createInstance(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        try call("create \(request.ownership.name)")
        await state.withLock { $0.tells }?(request.progress)
        let made = try state.withLock { state throws(ProviderFailure) -> VSCodeInstance in
            let name = request.ownership.name
            let generation = request.ownership.generation
            guard
                !state.objects.values.contains(where: {
                    $0.name == name && $0.ownership.generation == generation
                })
            else {
                throw .error(
                    ProviderError(.instance, .alreadyExists, "\(name) exists", isRetryable: true))
            }
            state.counter += 1
            if request.config.resources.storagePersistent != false { state.volumes.insert(name) }
            var instance = createBaseInstance(
                request.ownership, providerInstanceId: "object-\(state.counter)",
                status: request.starts ? state.startedStatus : .stopped, config: request.config)
            instance.readiness = request.starts ? state.readiness : .unknown
            state.objects[instance.providerInstanceId] = instance
            return instance
        }
        try afterEffect("create")
        return made
    }

    func follows(_ change: FieldChange, _ config: InstanceConfig) -> Bool {
        config.metadata?["follow"] == .bool(true)
    }

    func prepareInstance(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        await state.withLock { $0.tells }?(progress)
    }

    func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        state.withLock { $0.objects[reference.providerInstanceId ?? ""] }
    }

    func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        let time = state.withLock {
            $0.lists += 1
            return $0.listTime
        }
        if time > .zero { try? await Task.sleep(for: time) }
        try call("list")
        return state.withLock { state in
            var taken: Set<String> = []
            let adopted = filter.adopting.compactMap { adoption -> VSCodeInstance? in
                guard state.strangers.contains(adoption.object),
                    taken.insert(adoption.object).inserted,
                    let object = state.objects[adoption.object]
                else { return nil }
                return Self.marked(object, adoption)
            }
            let own = state.objects.values.filter {
                !state.strangers.contains($0.providerInstanceId)
            }
            return (own + adopted).filter {
                filter.takes($0.name) && !state.hidden.contains($0.name)
            }
            .sorted { $0.name < $1.name }
            .map { object in
                var shown = object
                if state.roundsMemory { shown.config.resources.memoryMax? += 1 }
                return shown
            }
        }
    }

    private static func marked(_ object: VSCodeInstance, _ adoption: Adoption) -> VSCodeInstance {
        var object = object
        object.ownership = adoption.ownership(in: "test")
        (object.id, object.name) = (adoption.id, object.ownership.name)
        object.isAdopted = true
        return object
    }

    private func change(
        _ verb: String, _ reference: InstanceReference, _ body: (inout VSCodeInstance) -> Void
    ) throws(ProviderFailure) {
        try call("\(verb) \(reference.providerInstanceId ?? "")")
        try state.withLock { state throws(ProviderFailure) in
            guard var instance = state.objects[reference.providerInstanceId ?? ""] else {
                throw .error(ProviderError(.instance, .notFound, "gone", isRetryable: true))
            }
            body(&instance)
            state.objects[instance.providerInstanceId] = instance
        }
        try afterEffect(verb)
    }

    func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        let (status, readiness) = state.withLock { ($0.startedStatus, $0.readiness) }
        try change("start", reference) {
            $0.status = status; $0.readiness = readiness
        }
    }

    func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) {
        await state.withLock { $0.duringStop }?()
        try change("stop", reference) {
            $0.status = .stopped; $0.readiness = .unknown
        }
    }

    func deleteInstance(_ reference: InstanceReference) async throws(ProviderFailure) -> Bool {
        try call("delete \(reference.providerInstanceId ?? "")")
        let removed = state.withLock {
            $0.objects.removeValue(forKey: reference.providerInstanceId ?? "")
        }
        try afterEffect("delete")
        return removed != nil
    }

    func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance {
        try change("update", reference) { $0.config = Shared(partial.applied(to: $0.config.value)) }
        guard let instance = try await getInstance(reference) else {
            throw .error(ProviderError(.instance, .notFound, "gone", isRetryable: true))
        }
        return instance
    }

    func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] { [] }

    func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult {
        CommandResult(exitCode: 0, standardOutput: [], standardError: [])
    }

    func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure) {
        let (stream, continuation) = AsyncStream<ProviderEvent>.makeStream()
        state.withLock { $0.listener = continuation }
        await handler(.connected)
        for await event in stream { await handler(event) }
    }

    func listStorage() async throws(ProviderFailure) -> [StorageVolume] {
        state.withLock { state in
            state.volumes.sorted().map {
                StorageVolume(providerStorageId: $0, instanceName: $0)
            }
        }
    }

    func deleteStorage(_ providerStorageId: String) async throws(ProviderFailure) -> Bool {
        try fail("deleteStorage")
        return state.withLock { state in
            state.removedVolumes.insert(providerStorageId)
            return state.volumes.remove(providerStorageId) != nil
        }
    }

    // MARK: For tests

    var objects: [VSCodeInstance] {
        state.withLock { state in
            state.objects.values.sorted {
                ($0.name, $0.ownership.generation) < ($1.name, $1.ownership.generation)
            }
        }
    }

    func changes() -> [String] { state.withLock { $0.calls.filter { $0 != "list" } } }

    func forgetCalls() { state.withLock { $0.calls = [] } }

    /// Changes an object behind pal's back, with the event that a platform sends.
    func meddle(_ name: String, _ body: (inout VSCodeInstance?) -> Void) {
        state.withLock { state in
            guard let old = state.objects.values.first(where: { $0.name == name }) else { return }
            var changed: VSCodeInstance? = old
            body(&changed)
            state.objects[old.providerInstanceId] = changed
            state.listener?.yield(
                .changed(name: name, providerInstanceId: old.providerInstanceId, what: "meddled"))
        }
    }
}

/// Specs in memory.
final class FakeSource: SpecSource {
    let desired: Mutex<Desired>
    let bell = Doorbell()

    init(_ configs: [InstanceConfig] = []) {
        desired = Mutex(Desired(specsPath: "/specs"))
        declare(configs)
    }

    func declare(_ configs: [InstanceConfig]) {
        desired.withLock { desired in
            desired.declarations = Declarations(
                configs.map { config in
                    let location = SourceLocation(file: "\(config.name).yaml", line: 1, column: 1)
                    return (config.name, Declaration(config: config, location: location))
                })
        }
        bell.ring()
    }

    func read() async -> Desired { desired.withLock { $0 } }

    func watch(_ changed: @Sendable () async -> Void) async {
        while !Task.isCancelled {
            await bell.wait()
            await changed()
        }
    }
}

/// A swarm for one test: platform, specs, ledger; controllers come and go.
struct TestSwarm {
    let platform = FakePlatform()
    /// A second provider; contacted only where a spec names it.
    let other = FakePlatform(name: "other")
    let source = FakeSource()
    let ledger: SQLiteLedger
    var policy: Policy

    init(_ edit: (inout Policy) -> Void = { _ in }) throws {
        ledger = try SQLiteLedger.inMemory()
        policy = Policy()
        policy.retry = Backoff(first: .milliseconds(2), limit: .milliseconds(10))
        policy.reconnect = Backoff(first: .milliseconds(2), limit: .milliseconds(10))
        policy.readiness = Backoff(first: .milliseconds(2), limit: .milliseconds(5))
        policy.eventDelay = .milliseconds(1)
        edit(&policy)
    }

    func reconciler(_ ledger: (any Ledger)? = nil) throws -> Reconciler {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try Reconciler(
            .init(
                swarm: "test", source: source, providers: [platform, other],
                ledger: ledger ?? self.ledger, logger: logger),
            policy: policy)
    }

    /// One controller's life, for one request.
    @discardableResult
    func perform(
        _ verb: ControlRequest.Verb, _ names: [String] = [], plan: BoundPlan? = nil
    ) async throws -> ControlReply {
        var request = ControlRequest(verb: verb, names: names, by: "ann")
        request.plan = plan
        request.number = try ledger.ask(request)
        let only = names.isEmpty ? nil : Set(names)
        return try await reconciler().perform(request, only: only)
            ?? ControlReply(isDone: false, messages: ["no answer"])
    }

    func record(_ name: String) throws -> InstanceRecord? {
        try ledger.records().first { $0.name == name }
    }

    func config(_ name: String, _ value: String = "1") -> InstanceConfig {
        var config = InstanceConfig(name: name)
        config.env = ["A": value]
        return config
    }
}

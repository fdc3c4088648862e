import Logging
import PalModel
import PalProvider
import Synchronization

/// A platform in memory with as many instances as are wanted.
///
/// It keeps little of each, and makes what it answers anew each time, as a platform that is asked
/// over a wire does: nothing that the engine keeps is shared with it.
final class SimPlatform: AbstractProvider, EventfulProvider {
    /// One instance, in as few bytes as it takes.
    private struct Object {
        var number: Int
        var limit: Int
        var generation: Int
        var hash: SpecHash
        var id: String
    }

    private struct State {
        var objects: [Int: Object] = [:]
        var changes = 0
        var listingTime = Duration.zero
        var keepsAnswer = false
        var answer: [VSCodeInstance] = []
        var listener: AsyncStream<ProviderEvent>.Continuation?
        var changed: AsyncStream<Int>.Continuation?
    }

    let type: ProviderType = "sim"
    let name = "sim"
    let region = "local"
    let logger: Logger
    private let swarm: String
    private let state = Mutex(State())
    private let checks = Atomic(0)

    init(swarm: String, logger: Logger) {
        self.swarm = swarm
        self.logger = logger
    }

    // MARK: - For the benchmark

    /// How many plans asked whether a config is valid: one for each plan of what is declared.
    var plans: Int { checks.load(ordering: .relaxed) }

    /// How many calls changed something.
    var changes: Int { state.withLock { $0.changes } }

    /// How long it has worked on lists of everything: the simulator's time, not pal's.
    var listingTime: Duration { state.withLock { $0.listingTime } }

    /// Keeps each list until the next one, so that giving its memory back is not pal's time.
    func keepAnswers() { state.withLock { $0.keepsAnswer = true } }

    /// Makes every instance as it is declared, as if an earlier controller had made it.
    func populate(_ count: Int) {
        let fields = getCapabilities().hashedFields
        state.withLock { state in
            state.objects.reserveCapacity(count)
            for number in 0..<count {
                let config = SpecFiles.config(number, limit: SpecFiles.usualLimit)
                state.objects[number] = Object(
                    number: number, limit: SpecFiles.usualLimit, generation: 1,
                    hash: SpecHash(of: config, fields: fields), id: "sim\(number)x")
            }
        }
    }

    /// Calls come out here, by the number of the instance, as soon as they are made.
    func observeChanges() -> AsyncStream<Int> {
        let (stream, continuation) = AsyncStream<Int>.makeStream()
        state.withLock { $0.changed = continuation }
        return stream
    }

    /// Somebody else sets another memory limit, and the platform tells.
    func interfere(with numbers: some Sequence<Int>, limit: Int) {
        let (listener, names) = state.withLock { state in
            for number in numbers { state.objects[number]?.limit = limit }
            return (state.listener, numbers.map(SpecFiles.name))
        }
        for name in names {
            listener?.yield(.changed(name: name, providerInstanceId: "", what: "update"))
        }
    }

    // MARK: - Provider

    private static let capabilities: Capabilities = {
        var fields: [String: FieldSupport] = [:]
        for field in FieldSet.platform { fields[field.path] = .honoured(.replace) }
        for path in ["resources.cpu.cores", "resources.memory.min", "resources.memory.max"] {
            fields[path] = .honoured(.live)
        }
        fields["region"] = .honoured(.live)
        fields["resources.storage.size"] = .honoured(.live)
        fields["secrets"] = .unsupported("there is nobody to tell them")
        return Capabilities(fields: fields, features: [.events], maximumConcurrentCalls: 64)
    }()

    func getCapabilities() -> Capabilities { Self.capabilities }

    func validateSpecifics(_ config: InstanceConfig) -> [ConfigProblem] {
        checks.add(1, ordering: .relaxed)
        return []
    }

    func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        guard filter.names == nil else {
            let wanted = (filter.names ?? []).compactMap(SpecFiles.number)
            return state.withLock { state in wanted.compactMap { state.objects[$0] } }.map(instance)
        }
        let start = ContinuousClock.now
        state.withLock { $0.answer = [] }
        let all = state.withLock { Array($0.objects.values) }.map(instance)
        state.withLock { if $0.keepsAnswer { $0.answer = all } }
        let time = ContinuousClock.now - start
        state.withLock { $0.listingTime += time }
        return all
    }

    func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        reference.providerInstanceId.flatMap(Self.number).flatMap { number in
            state.withLock { $0.objects[number] }
        }.map(instance)
    }

    func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let limit = partial.changes.first { $0.path == "resources.memory.max" }?.to
        guard let number = reference.providerInstanceId.flatMap(Self.number),
            case .int(let limit) = limit
        else { throw Self.refusal("only a memory limit can be changed") }
        let object = state.withLock { state -> Object? in
            state.changes += 1
            state.changed?.yield(number)
            state.objects[number]?.limit = limit
            return state.objects[number]
        }
        guard let object else { throw Self.refusal("there is no \(number)") }
        return instance(object)
    }

    func createInstance(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        throw Self.refusal("nothing is to be made here")
    }
    func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        throw Self.refusal("everything runs")
    }
    func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) { throw Self.refusal("nothing is to be stopped here") }
    func deleteInstance(_ reference: InstanceReference) async throws(ProviderFailure) -> Bool {
        throw Self.refusal("nothing is to be deleted here")
    }
    func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] { [] }
    func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult {
        throw Self.refusal("nothing can be run here")
    }

    func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure) {
        let (events, continuation) = AsyncStream<ProviderEvent>.makeStream()
        state.withLock { $0.listener = continuation }
        for await event in events { await handler(event) }
    }

    // MARK: - Answers

    private func instance(_ object: Object) -> VSCodeInstance {
        let name = SpecFiles.name(object.number)
        let ownership = Ownership(
            swarm: swarm, name: name, id: object.id, generation: object.generation,
            specHash: SpecHash(text: String(decoding: Array(object.hash.text.utf8), as: UTF8.self)))
        var instance = createBaseInstance(
            ownership, providerInstanceId: "object-\(object.number)", status: .running,
            config: SpecFiles.config(object.number, limit: object.limit))
        instance.readiness = .ready
        instance.network.port = 8080
        instance.network.urls = ["http://127.0.0.1:\(20_000 + object.number % 10_000)/"]
        return instance
    }

    private static func number(_ providerInstanceId: String) -> Int? {
        Int(providerInstanceId.dropFirst("object-".count))
    }

    private static func refusal(_ message: String) -> ProviderFailure {
        .error(ProviderError(.provider, .init(rawValue: "Simulated"), message, isRetryable: false))
    }
}

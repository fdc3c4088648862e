import Logging
import PalModel
import PalProvider

/// A provider of a simulated platform, as one controller has it: with storage, without events.
struct SimulatedProvider: WiredProvider {
    let wire: Wire
    let logger: Logger
}

/// The same with events.
struct EventfulSimulatedProvider: WiredProvider, EventfulProvider {
    let wire: Wire
    let logger: Logger

    func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure) {
        try await wire.ask("listen") { .success(()) }
        let (id, events) = platform.streams.open()
        defer { platform.streams.close(id) }
        await handler(.connected)
        for await event in events { await handler(event) }
        throw .unreachable(name)
    }
}

/// What both have in common: every method over the wire.
protocol WiredProvider: AbstractProvider, StorageProvider {
    var wire: Wire { get }
}

extension WiredProvider {
    var platform: SimulatedPlatform { wire.platform }
    var type: ProviderType { .init(rawValue: platform.kind.name) }
    var name: String { platform.kind.name }
    var region: String { "here" }

    func getCapabilities() -> Capabilities { platform.kind.capabilities }

    func classify(_ change: FieldChange) -> ChangeClass { platform.kind.classify(change) }

    func initialize() async throws(ProviderFailure) {
        do throws(ProviderFailure) {
            try await wire.ask("begin") { .success(()) }
            wire.hasJustBegun.value = true
        } catch {
            wire.platform.trace.add(
                .listFailed(provider: name, error.description), by: wire.controller.number)
            throw error
        }
    }

    func prepareInstance(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        try await wire.ask("prepare") {
            config.image == SimulatedPlatform.missingImage
                ? .failure(.imageMissing) : .success(())
        }
    }

    // MARK: Changes

    func createInstance(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let ownership = request.ownership
        let platform = platform
        let secrets = try secrets(of: request.config)
        let object = try await wire.change(
            .create, ownership.name, generation: ownership.generation
        ) { platform.create(request, secrets) }
        return try shown(object)
    }

    /// The values, as the controller's environment has them.
    private func secrets(
        of config: InstanceConfig
    ) throws(ProviderFailure) -> [String: SecretValue] {
        let isMissing = config.secrets != nil && platform.faults.strikes(.missingSecret)
        let environment = isMissing ? [:] : ["TOKEN": SecretScan.mark + config.name]
        return try SecretReader(environment: environment).values(of: config)
    }

    func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        let platform = platform
        try await wire.change(.start, platform.name(of: reference), id(reference)) {
            platform.start(reference)
        }
    }

    func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) {
        let platform = platform
        try await wire.change(.stop, platform.name(of: reference), id(reference)) {
            platform.stop(reference)
        }
    }

    func deleteInstance(_ reference: InstanceReference) async throws(ProviderFailure) -> Bool {
        let platform = platform
        let name = platform.name(of: reference)
        return try await wire.change(.delete, name, id(reference)) {
            platform.delete(reference)
        }
    }

    func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let platform = platform
        let object = try await wire.change(.update, platform.name(of: reference), id(reference)) {
            platform.update(reference, partial)
        }
        if let marks = reference.adopted { return platform.instance(object, adopted: marks) }
        return try shown(object)
    }

    func deleteStorage(_ providerStorageId: String) async throws(ProviderFailure) -> Bool {
        let platform = platform
        let name = platform.holder(ofVolume: providerStorageId)
        return try await wire.change(.deleteStorage, name, providerStorageId) {
            platform.deleteVolume(providerStorageId)
        }
    }

    private func id(_ reference: InstanceReference) -> String {
        reference.providerInstanceId ?? reference.id
    }

    private func shown(_ object: PlatformObject) throws(ProviderFailure) -> VSCodeInstance {
        guard let instance = platform.instance(object) else {
            throw .ambiguous("\(object.id) is gone again")
        }
        return instance
    }

    // MARK: Reading

    func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        let platform = platform
        return try await wire.ask("get") {
            .success(
                platform.own(reference).flatMap { object in
                    reference.adopted.map { platform.instance(object, adopted: $0) }
                        ?? platform.instance(object)
                })
        }
    }

    func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        let askedAt = platform.clock.elapsed()
        do throws(ProviderFailure) {
            let own = try await pages()
            let found = (own + (try await adopted(filter))).filter { filter.takes($0.name) }
            platform.trace.add(
                .listed(
                    provider: name, names: filter.names, found: found.count, askedAt: askedAt),
                by: wire.controller.number)
            return found
        } catch {
            platform.trace.add(
                .listFailed(provider: name, error.description), by: wire.controller.number)
            throw error
        }
    }

    /// Each object once: of two that mean one, the first has it.
    private func adopted(_ filter: InstanceFilter) async throws(ProviderFailure) -> [VSCodeInstance]
    {
        guard !filter.adopting.isEmpty else { return [] }
        let platform = platform
        return try await wire.ask("adopt", isPart: true) {
            var taken: Set<String> = []
            return .success(
                filter.adopting.filter { taken.insert($0.object).inserted }
                    .compactMap(platform.adopted))
        }
    }

    /// Page after page, each at its own time; complete, or an error.
    private func pages() async throws(ProviderFailure) -> [VSCodeInstance] {
        let platform = platform
        let isBehind = platform.faults.strikes(.staleList)
        let past = isBehind ? platform.faults.time(.staleList, 10...5000) : .zero
        let breaksOff = platform.faults.strikes(.partialList)
        var found: [VSCodeInstance] = []
        var last = ""
        while true {
            let after = last
            let isPart = !after.isEmpty || wire.hasJustBegun.value
            wire.hasJustBegun.value = false
            let page: [PlatformObject] = try await wire.ask("list", isPart: isPart) {
                let all = isBehind ? platform.past(past) : platform.objects
                return .success(Array(all.filter { $0.id > after }.prefix(platform.kind.pageSize)))
            }
            found += page.compactMap(platform.instance)
            guard let end = page.last, page.count == platform.kind.pageSize else { break }
            last = end.id
            if breaksOff { throw .platform(.platformFailure, "the list broke off") }
        }
        if breaksOff { throw .platform(.platformFailure, "the list broke off") }
        return found.sorted {
            ($0.name, $0.ownership.generation, $0.providerInstanceId)
                < ($1.name, $1.ownership.generation, $1.providerInstanceId)
        }
    }

    func listStorage() async throws(ProviderFailure) -> [StorageVolume] {
        let platform = platform
        return try await wire.ask("list storage") {
            .success(
                platform.volumes.map {
                    StorageVolume(providerStorageId: $0.id, instanceName: $0.instance)
                })
        }
    }

    func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] { [] }

    func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult {
        CommandResult(exitCode: 0, standardOutput: [], standardError: [])
    }
}

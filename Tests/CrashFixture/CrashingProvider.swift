import PalModel
import PalProvider

/// A provider that forwards everything, with a crash point before and after each call that changes
/// something. It has the optional interfaces that docker and process have.
struct CrashingProvider: EventfulProvider, StorageProvider, LogFollowingProvider {
    typealias Base = EventfulProvider & StorageProvider & LogFollowingProvider

    let base: any Base
    let points: CrashPoints

    // MARK: Calls that change something

    func createInstance(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        try await points.around { () async throws(ProviderFailure) in
            try await base.createInstance(request)
        }
    }

    func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        try await points.around { () async throws(ProviderFailure) in
            try await base.startInstance(reference)
        }
    }

    func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) {
        try await points.around { () async throws(ProviderFailure) in
            try await base.stopInstance(reference, force: force)
        }
    }

    func deleteInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> Bool {
        try await points.around { () async throws(ProviderFailure) in
            try await base.deleteInstance(reference)
        }
    }

    func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance {
        try await points.around { () async throws(ProviderFailure) in
            try await base.updateInstance(reference, partial)
        }
    }

    func deleteStorage(_ providerStorageId: String) async throws(ProviderFailure) -> Bool {
        try await points.around { () async throws(ProviderFailure) in
            try await base.deleteStorage(providerStorageId)
        }
    }

    // MARK: Everything else

    var type: ProviderType { base.type }
    var name: String { base.name }
    var region: String { base.region }
    func getCapabilities() -> Capabilities { base.getCapabilities() }
    func classify(_ change: FieldChange) -> ChangeClass { base.classify(change) }
    func initialize() async throws(ProviderFailure) { try await base.initialize() }
    func shutdown() async { await base.shutdown() }

    func validateInstanceConfig(_ config: InstanceConfig) -> [ConfigProblem] {
        base.validateInstanceConfig(config)
    }

    func prepareInstance(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        try await base.prepareInstance(config, progress: progress)
    }

    func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        try await base.getInstance(reference)
    }

    func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        try await base.listInstances(filter)
    }

    func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine] {
        try await base.getInstanceLogs(reference, options)
    }

    func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult {
        try await base.executeCommand(reference, command)
    }

    func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure) {
        try await base.watchEvents(handler)
    }

    func listStorage() async throws(ProviderFailure) -> [StorageVolume] {
        try await base.listStorage()
    }

    func followInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        try await base.followInstanceLogs(reference, options, handler)
    }
}

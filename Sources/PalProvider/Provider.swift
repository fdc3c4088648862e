public import PalModel

/// What a provider knows without asking its platform.
///
/// The planner is given this and nothing more, so that planning cannot change anything.
public protocol ProviderRules: Sendable {
    /// What this provider honours. Pure: it makes no call.
    func getCapabilities() -> Capabilities

    /// The keys that a spec's `specific` has here, each with what it takes; nil where anything
    /// goes. `AbstractProvider` checks them, and the reference lists them.
    var specificKeys: [Shape.Member]? { get }

    /// What is wrong with a config on this provider; empty where nothing is. Pure.
    func validateInstanceConfig(_ config: InstanceConfig) -> [ConfigProblem]

    /// How a change of one field is made. Pure.
    func classify(_ change: FieldChange) -> ChangeClass

    /// Whether an instance is replaced because what it was made from has moved. Pure.
    func follows(_ change: FieldChange, _ config: InstanceConfig) -> Bool

    /// Whether two instances of a config can run at once, as far as only the provider knows: that
    /// they would not write to one place. Pure.
    func canStandBeside(_ config: InstanceConfig) -> Bool

    /// What a person should know of a config that is honoured all the same. Pure.
    func warnings(_ config: InstanceConfig) -> [Condition]
}

extension ProviderRules {
    /// Anything goes.
    public var specificKeys: [Shape.Member]? { nil }
    /// Nothing is followed; what moved is shown.
    public func follows(_ change: FieldChange, _ config: InstanceConfig) -> Bool { false }
    /// Nothing speaks against it.
    public func canStandBeside(_ config: InstanceConfig) -> Bool { true }
    /// Nothing to know.
    public func warnings(_ config: InstanceConfig) -> [Condition] { [] }
}

/// A platform that instances run on.
///
/// The one interface between pal and every platform. What it asks of an implementation is checked
/// by `ConformanceSuite`, which runs unchanged against each of them.
///
/// - Every method throws `ProviderFailure` and nothing else.
/// - Nothing that does not carry `pal.swarm` with the provider's swarm is ever changed.
/// - Methods may be called from many tasks at once, also for different instances.
public protocol Provider: ProviderRules {
    /// The platform's type, such as `docker`.
    var type: ProviderType { get }
    /// The name that specs use for this provider.
    var name: String { get }
    /// The region that it stands for; `local` where the platform has none.
    var region: String { get }

    /// Makes contact, settles the protocol's version, and tells the platform's ability.
    /// Called before any other call, and again after a connection was lost.
    func initialize() async throws(ProviderFailure)

    /// Makes sure that a creation can succeed, before a replacement destroys what stands: fetches
    /// the image, looks whether the workspace exists. Changes nothing of what stands.
    func prepareInstance(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure)

    /// Makes an instance and starts it, unless the request says otherwise.
    ///
    /// The object's name at the platform is made from swarm, name and generation, so that a second
    /// call finds what a first one made: it then throws an instance error `AlreadyExists` where the
    /// object is pal's, `NameTaken` where it is not. A half-made object may be left: a list shows
    /// it, and the engine starts or replaces it.
    /// - Returns: The instance as it stands; usually not ready yet.
    func createInstance(_ request: CreateRequest) async throws(ProviderFailure) -> VSCodeInstance

    /// The instance as it is now, or nil where there is none.
    func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance?

    /// Every instance of the swarm that the filter takes: complete, or an error; never a part.
    func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance]

    /// Starts a stopped instance; nothing happens to one that runs.
    func startInstance(_ reference: InstanceReference) async throws(ProviderFailure)

    /// Stops an instance: asks it to end, and ends it after its grace time; at once with `force`.
    /// Nothing happens to one that is stopped.
    func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure)

    /// Deletes an instance, running or not. Never deletes persistent storage.
    /// - Returns: False where there was none.
    func deleteInstance(_ reference: InstanceReference) async throws(ProviderFailure) -> Bool

    /// Makes live and restart changes; throws *needs replacement*, and changes nothing, where one
    /// of them is neither.
    func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance

    /// Lines of both output streams, oldest first.
    func getInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions
    ) async throws(ProviderFailure) -> [LogLine]

    /// Runs a command inside a running instance and waits for its end. A non-zero exit code is a
    /// result, not an error.
    func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult

    /// Gives back connections and threads. Instances go on.
    func shutdown() async
}

/// A provider that tells when something happened, so that nobody has to poll.
public protocol EventfulProvider: Provider {
    /// Calls the handler for every event until the task is cancelled or the connection is lost.
    ///
    /// `connected` comes first, as soon as nothing can be missed any more: the listener lists then.
    /// Events are hints; they may be lost, late, doubled, and about what the listener did itself.
    /// - Throws: The connection error that ended it.
    func watchEvents(
        _ handler: @Sendable (ProviderEvent) async -> Void
    ) async throws(ProviderFailure)
}

/// A provider whose instances are made from what can move by itself, such as an image's tag.
public protocol FollowingProvider: Provider {
    /// Whether something newer is looked for. Pure.
    func looksForNewer(_ config: InstanceConfig) -> Bool

    /// Asks the place that a config's image comes from whether there is a newer one, and fetches
    /// it: the next list then shows the instance as outdated. The caller asks often; the provider
    /// sees to it that the place is not.
    func fetchNewer(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure)
}

/// A provider with persistent storage that outlives instances.
public protocol StorageProvider: Provider {
    /// Every storage of the swarm, complete or an error.
    func listStorage() async throws(ProviderFailure) -> [StorageVolume]
    /// Deletes one storage and all that is in it, for ever.
    /// - Returns: False where there was none.
    func deleteStorage(_ providerStorageId: String) async throws(ProviderFailure) -> Bool
}

/// A provider whose logs can be followed.
public protocol LogFollowingProvider: Provider {
    /// Calls the handler for each line, first those that the options ask for, then new ones as they
    /// come, until the instance ends or the task is cancelled.
    func followInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure)

    /// Calls the handler for each line that the options ask for, oldest first: as
    /// `getInstanceLogs` where nothing is held in memory.
    func readInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure)
}

extension LogFollowingProvider {
    /// By `getInstanceLogs`, which holds all of them.
    public func readInstanceLogs(
        _ reference: InstanceReference, _ options: LogOptions,
        _ handler: @Sendable (LogLine) async -> Void
    ) async throws(ProviderFailure) {
        for line in try await getInstanceLogs(reference, options) { await handler(line) }
    }
}

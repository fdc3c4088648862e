public import PalModel

/// What an instance uses now; nil where the platform does not tell.
public struct ResourceUsage: Sendable, Hashable, Codable {
    /// Cores, over the last moment.
    public var cpu: Double?
    /// MiB, without what the kernel only keeps for a while.
    public var memory: Double?
    /// GiB.
    public var storage: Double?

    /// Makes one of its parts.
    public init(cpu: Double? = nil, memory: Double? = nil, storage: Double? = nil) {
        self.cpu = cpu
        self.memory = memory
        self.storage = storage
    }

    /// Puts what is known into an instance.
    public func filled(into instance: VSCodeInstance) -> VSCodeInstance {
        var instance = instance
        instance.resources.cpu.used = cpu
        instance.resources.memory.used = memory
        instance.resources.storage.used = storage
        return instance
    }
}

/// A provider that can measure what an instance uses.
///
/// Asked when a person asks, and by nobody else: what is used changes all the time, and belongs
/// neither to a list nor to the ledger.
public protocol MetricsProvider: Provider {
    /// What it uses now; nil where it does not run. May take a moment: a rate needs two looks.
    func getUsage(_ reference: InstanceReference) async throws(ProviderFailure) -> ResourceUsage?
}

public import PalModel

/// A provider that can say how something that others made would be declared.
public protocol DescribingProvider: Provider {
    /// Everything of nobody's at the platform that could be an instance, running or not: complete
    /// or an error. What carries the marks of a swarm is not in it. Changes nothing.
    func describeForeign() async throws(ProviderFailure) -> [ForeignInstance]
}

/// Something that others made, as a spec would say it.
public struct ForeignInstance: Sendable, Hashable {
    /// The platform's id of it, for `adopt`.
    public var providerInstanceId: String
    /// Its name at the platform.
    public var name: String
    /// Whether it runs.
    public var isRunning: Bool
    /// What a spec says of it: neither its variables nor what is mounted.
    public var config: InstanceConfig
    /// Its own variables, those of its image left out. There may be secrets among them.
    public var environment: [String: String]
    /// What is mounted.
    public var mounts: [ForeignMount]
    /// What no spec says, in sentences.
    public var remarks: [String]

    /// Makes one of its parts.
    public init(
        providerInstanceId: String, name: String, isRunning: Bool, config: InstanceConfig,
        environment: [String: String] = [:], mounts: [ForeignMount] = [], remarks: [String] = []
    ) {
        self.providerInstanceId = providerInstanceId
        self.name = name
        self.isRunning = isRunning
        self.config = config
        self.environment = environment
        self.mounts = mounts
        self.remarks = remarks
    }
}

/// Something that is mounted in what others made.
public struct ForeignMount: Sendable, Hashable {
    /// `bind`, `volume` or `tmpfs`.
    public var kind: String
    /// A path of the host's, or a volume's name.
    public var source: String?
    /// Where it is inside.
    public var target: String
    /// Whether it cannot be written.
    public var isReadOnly: Bool
    /// The size of memory in MiB, where it has a limit.
    public var size: Int?
    /// Which way mounts below it go, where that is said: one of `propagations`.
    public var propagation: String?
    /// Whether a new volume stays without what the image has there.
    public var isWithoutCopy = false

    /// Linux's words for which way mounts below another go (mount_namespaces(7)); `r` is for those
    /// below these, too.
    public static let propagations = [
        "private", "rprivate", "shared", "rshared", "slave", "rslave",
    ]

    /// Makes one of its parts.
    public init(
        kind: String, source: String?, target: String, isReadOnly: Bool = false, size: Int? = nil
    ) {
        self.kind = kind
        self.source = source
        self.target = target
        self.isReadOnly = isReadOnly
        self.size = size
    }
}

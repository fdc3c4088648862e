public import FoundationEssentials

/// Where an instance stands in its life.
public enum InstanceStatus: String, Sendable, Hashable, Codable, CaseIterable {
    case pending, creating, starting, running, stopping, stopped, updating, deleting, failed,
        unknown
    /// There is none, as its spec says; no provider reports this.
    case absent
}

/// One VS Code instance as its provider reports it.
public struct VSCodeInstance: Sendable, Hashable, Codable {
    /// pal's own id: minted once, kept over replacements.
    public var id: String
    /// The name that the spec gives it.
    public var name: String
    /// The provider's type, such as `docker`.
    public var type: ProviderType
    /// The configured name of its provider.
    public var providerName: String
    /// The region that its provider works in.
    public var providerRegion: String
    /// The platform's own id of the object.
    public var providerInstanceId: String
    /// Where it stands in its life, as of this look.
    public var status: InstanceStatus
    /// What the platform says of the fields, normalised to the spec's units. Fields that the
    /// platform does not report are nil.
    public var config: Shared<InstanceConfig>
    /// What it may use and uses, as far as the platform tells.
    @Rare public var resources = ResourceState()
    /// Where it is reached.
    public var network = NetworkState()
    /// What else the platform says, for people.
    public var metadata: [String: String] = [:]
    /// When the platform's object was made.
    public var createdAt: Date?
    /// When the platform's object last changed.
    public var updatedAt: Date?
    /// The marks by which pal knows its own.
    public var ownership: Ownership
    /// True of an object that somebody else made and that does not carry the marks itself.
    public var isAdopted: Bool?
    /// Whether the editor answers.
    public var readiness: Readiness
    /// How the last run ended, where it has ended.
    @Rare public var exit: ExitReport?
    /// What it was made from and what that name stands for now, where the two differ, as an image's
    /// tag that moved; nil where nothing has moved as far as the provider knows.
    public var outdated: [FieldChange]?
    /// Remarks for the user about the call that returned this, such as a volume attached again.
    public var notices: [String] = []

    /// Makes one of its parts; what is not asked for here can be set afterwards.
    public init(
        id: String, name: String, type: ProviderType, providerName: String, providerRegion: String,
        providerInstanceId: String, status: InstanceStatus, config: InstanceConfig,
        ownership: Ownership, readiness: Readiness = .unknown
    ) {
        self.id = id
        self.name = name
        self.type = type
        self.providerName = providerName
        self.providerRegion = providerRegion
        self.providerInstanceId = providerInstanceId
        self.status = status
        self.config = Shared(config)
        self.ownership = ownership
        self.readiness = readiness
    }

    /// The reference to exactly this object.
    public var reference: InstanceReference {
        InstanceReference(
            id: id, providerInstanceId: providerInstanceId,
            adopted: isAdopted == true ? ownership : nil)
    }
}

/// A provider's type: `docker`, `process`, or whatever comes next.
public struct ProviderType: RawRepresentable, Sendable, Hashable, Codable,
    ExpressibleByStringLiteral,
    CustomStringConvertible
{
    /// The word as specs and pal.yaml write it.
    public let rawValue: String
    /// Makes one of a word, known or not.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Makes one of a literal.
    public init(stringLiteral value: String) { rawValue = value }
    /// Reads it from a single value.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }
    /// Writes it as a single value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
    /// The word itself.
    public var description: String { rawValue }
}

/// Names an instance to a provider: by pal's id, and by the platform's own where it is known.
public struct InstanceReference: Sendable, Hashable, Codable {
    /// pal's id.
    public var id: String
    /// The platform's id. With it exactly that object is meant, also while a replacement stands
    /// beside it; without it the provider looks for the one object that bears `id`.
    public var providerInstanceId: String?
    /// The marks that an adopted object counts as bearing: consent to act on it, though it carries
    /// none. Nil for pal's own.
    public var adopted: Ownership?

    /// Makes one of its parts.
    public init(id: String, providerInstanceId: String? = nil, adopted: Ownership? = nil) {
        self.id = id
        self.providerInstanceId = providerInstanceId
        self.adopted = adopted
    }
}

/// The labels that every object of pal carries.
public struct Ownership: Sendable, Hashable, Codable {
    /// The swarm that owns the object.
    public var swarm: String
    /// The instance's name.
    public var name: String
    /// pal's id of the instance, the same in every generation.
    public var id: String
    /// Counts the replacements, from 1.
    public var generation: Int
    /// The hash of the config that the object was made from.
    public var specHash: SpecHash

    /// Makes one of its parts.
    public init(swarm: String, name: String, id: String, generation: Int, specHash: SpecHash) {
        self.swarm = swarm
        self.name = name
        self.id = id
        self.generation = generation
        self.specHash = specHash
    }

    /// The labels as a platform stores them.
    public var labels: [String: String] {
        [
            "pal.swarm": swarm, "pal.name": name, "pal.id": id,
            "pal.generation": String(generation), "pal.spec-hash": specHash.text,
        ]
    }

    /// Reads the labels; nil where one is missing or malformed: then the object is not pal's.
    public init?(labels: [String: String]) {
        guard let swarm = labels["pal.swarm"], let name = labels["pal.name"],
            let id = labels["pal.id"], let hash = labels["pal.spec-hash"],
            let generation = labels["pal.generation"].flatMap({ Int($0) })
        else { return nil }
        self.init(
            swarm: swarm, name: name, id: id, generation: generation,
            specHash: SpecHash(text: hash))
    }
}

/// Whether the editor answers.
public enum Readiness: Sendable, Hashable, Codable {
    case ready
    /// Not yet, or no more; with the reason for people.
    case notReady(String)
    /// Nothing is known: it does not run, or was not asked.
    case unknown

    /// True only where the editor is known to answer.
    public var isReady: Bool { self == .ready }
}

/// How a run ended.
public struct ExitReport: Sendable, Hashable, Codable {
    /// The exit code, with docker 128 + n where signal n ended the run; nil where none is known.
    public var code: Int?
    /// The number of the signal that ended the run, or nil.
    public var signal: Int?
    /// Whether the kernel ended it for want of memory.
    public var isOutOfMemory: Bool
    /// When it ended, where that is known.
    public var at: Date?

    /// Makes one of its parts.
    public init(code: Int?, signal: Int? = nil, isOutOfMemory: Bool = false, at: Date? = nil) {
        self.code = code
        self.signal = signal
        self.isOutOfMemory = isOutOfMemory
        self.at = at
    }

    /// `exit code 1`, `killed by signal 9`, `out of memory`.
    public var text: String {
        if isOutOfMemory { return "out of memory" }
        if let signal { return "killed by signal \(signal)" }
        return code.map { "exit code \($0)" } ?? "exit code unknown"
    }
}

/// What an instance may use and uses.
public struct ResourceState: Sendable, Hashable, Codable, Blank {
    /// A limit and what is used of it; nil where it is not known.
    public struct Amount: Sendable, Hashable, Codable {
        /// The most that it may use.
        public var limit: Double?
        /// What it uses now.
        public var used: Double?
        /// Makes one of its parts.
        public init(limit: Double? = nil, used: Double? = nil) {
            self.limit = limit
            self.used = used
        }
    }
    /// Cores.
    public var cpu = Amount()
    /// MiB.
    public var memory = Amount()
    /// GiB.
    public var storage = Amount()
    /// Nothing known.
    public init() {}
    /// Nothing known.
    public static var blank: Self { Self() }
}

/// Where an instance is reached.
public struct NetworkState: Sendable, Hashable, Codable {
    /// The address on the platform's own network.
    public var internalIp: String?
    /// The address or host name at which the editor's port is reached.
    public var externalIp: String?
    /// The editor's port outside.
    public var port: Int?
    /// All ports, with the outside ones filled in.
    public var ports: [PortMapping] = []
    /// The editor's addresses, best first.
    public var urls: [String] = []
    /// Nothing known.
    public init() {}
}

extension VSCodeInstance {
    /// Whether an instance somewhere else is the same in all its parts.
    ///
    /// As `==`, but part by part where they lie: to compare a list of 100,000 with what is known is
    /// most of what a resync does, and what the compiler writes copies both for it.
    public static func isSame(_ known: Shared<Self>, as other: UnsafePointer<Self>) -> Bool {
        let box = known.box
        return box.value.status == other.pointee.status
            && box.value.readiness == other.pointee.readiness
            && box.value.providerInstanceId == other.pointee.providerInstanceId
            && box.value.ownership == other.pointee.ownership
            && box.value.config == other.pointee.config
            && box.value.network == other.pointee.network
            && box.value.metadata == other.pointee.metadata
            && box.value._resources == other.pointee._resources
            && box.value._exit == other.pointee._exit
            && box.value.outdated == other.pointee.outdated
            && box.value.createdAt == other.pointee.createdAt
            && box.value.updatedAt == other.pointee.updatedAt
            && box.value.isAdopted == other.pointee.isAdopted
            && box.value.notices == other.pointee.notices
            && box.value.id == other.pointee.id && box.value.name == other.pointee.name
            && box.value.type == other.pointee.type
            && box.value.providerName == other.pointee.providerName
            && box.value.providerRegion == other.pointee.providerRegion
    }
}

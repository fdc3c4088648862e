public import FoundationEssentials

/// Where an instance stands in its life.
public enum InstanceStatus: String, Sendable, Hashable, Codable, CaseIterable {
    case pending, creating, starting, running, stopping, stopped, updating, deleting, failed,
        unknown
}

/// One VS Code instance as its provider reports it.
public struct VSCodeInstance: Sendable, Hashable, Codable {
    /// pal's own id: minted once, kept over replacements.
    public var id: String
    public var name: String
    /// The provider's type, such as `docker`.
    public var type: ProviderType
    public var providerName: String
    public var providerRegion: String
    /// The platform's own id of the object.
    public var providerInstanceId: String
    public var status: InstanceStatus
    /// What the platform says of the fields, normalised to the spec's units. Fields that the
    /// platform does not report are nil.
    public var config: InstanceConfig
    public var resources = ResourceState()
    public var network = NetworkState()
    /// What else the platform says, for people.
    public var metadata: [String: String] = [:]
    public var createdAt: Date?
    public var updatedAt: Date?
    /// The marks by which pal knows its own.
    public var ownership: Ownership
    public var readiness: Readiness
    /// How the last run ended, where it has ended.
    public var exit: ExitReport?
    /// Remarks for the user about the call that returned this, such as a volume attached again.
    public var notices: [String] = []

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
        self.config = config
        self.ownership = ownership
        self.readiness = readiness
    }

    /// The reference to exactly this object.
    public var reference: InstanceReference {
        InstanceReference(id: id, providerInstanceId: providerInstanceId)
    }
}

/// A provider's type: `docker`, `process`, or whatever comes next.
public struct ProviderType: RawRepresentable, Sendable, Hashable, Codable,
    ExpressibleByStringLiteral,
    CustomStringConvertible
{
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { rawValue = value }
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
    public var description: String { rawValue }
}

/// Names an instance to a provider: by pal's id, and by the platform's own where it is known.
public struct InstanceReference: Sendable, Hashable, Codable {
    /// pal's id.
    public var id: String
    /// The platform's id. With it exactly that object is meant, also while a replacement stands
    /// beside it; without it the provider looks for the one object that bears `id`.
    public var providerInstanceId: String?

    public init(id: String, providerInstanceId: String? = nil) {
        self.id = id
        self.providerInstanceId = providerInstanceId
    }
}

/// The labels that every object of pal carries.
public struct Ownership: Sendable, Hashable, Codable {
    public var swarm: String
    public var name: String
    public var id: String
    /// Counts the replacements, from 1.
    public var generation: Int
    public var specHash: SpecHash

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
    public var code: Int?
    public var signal: Int?
    public var isOutOfMemory: Bool
    public var at: Date?

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
public struct ResourceState: Sendable, Hashable, Codable {
    /// A limit and what is used of it; nil where it is not known.
    public struct Amount: Sendable, Hashable, Codable {
        public var limit: Double?
        public var used: Double?
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
    public init() {}
}

/// Where an instance is reached.
public struct NetworkState: Sendable, Hashable, Codable {
    public var internalIp: String?
    public var externalIp: String?
    /// The editor's port outside.
    public var port: Int?
    /// All ports, with the outside ones filled in.
    public var ports: [PortMapping] = []
    /// The editor's addresses, best first.
    public var urls: [String] = []
    public init() {}
}

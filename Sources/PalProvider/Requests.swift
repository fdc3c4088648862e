public import FoundationEssentials
public import PalModel

/// What a creation needs to know.
public struct CreateRequest: Sendable {
    /// What the spec declares.
    public var config: InstanceConfig
    /// The marks that the object will carry.
    public var ownership: Ownership
    /// Whether it is started; false makes it and leaves it stopped.
    public var starts: Bool
    /// Outside ports, by `PortMapping.key` of the inside port, that the instance had before and
    /// should keep, where they are free.
    public var keptPorts: [Int: Int]
    /// Whether the generation before it goes on beside it until this one is ready. Only then may
    /// two objects of one name stand, and each needs a name of its own at the platform.
    public var standsBeside: Bool
    /// Told how far the creation is, where it takes long.
    public var progress: ProgressHandler

    /// Makes one of its parts.
    public init(
        config: InstanceConfig, ownership: Ownership, starts: Bool = true,
        keptPorts: [Int: Int] = [:], standsBeside: Bool = false,
        progress: @escaping ProgressHandler = { _ in }
    ) {
        self.config = config
        self.ownership = ownership
        self.starts = starts
        self.keptPorts = keptPorts
        self.standsBeside = standsBeside
        self.progress = progress
    }
}

/// Which instances of the swarm a list holds; all where nothing is set.
public struct InstanceFilter: Sendable, Hashable {
    /// Only the instances with these names.
    public var names: Set<String>?
    /// Objects of strangers that count as the swarm's, as far as they stand and `names` takes
    /// theirs. Two may turn out to mean one object: then it is the first one's.
    public var adopting: [Adoption]
    /// Makes one of its parts.
    public init(names: Set<String>? = nil, adopting: [Adoption] = []) {
        self.names = names
        self.adopting = adopting
    }
    /// All of the swarm.
    public static let all = InstanceFilter()

    /// Whether the filter takes an instance of that name.
    public func takes(_ name: String) -> Bool { names?.contains(name) ?? true }
}

/// Which lines of the logs are wanted.
public struct LogOptions: Sendable, Hashable {
    /// So many lines from the end; nil for all. Counted before the pattern is applied.
    public var lines: Int?
    /// Only lines from this time on.
    public var since: Date?
    /// Only lines that this regular expression (Swift's `Regex` syntax) finds a match in.
    public var pattern: String?

    /// Makes one of its parts.
    public init(lines: Int? = nil, since: Date? = nil, pattern: String? = nil) {
        self.lines = lines
        self.since = since
        self.pattern = pattern
    }
}

/// One line that an instance wrote.
public struct LogLine: Sendable, Hashable, Codable {
    /// Where it was written to.
    public enum Stream: String, Sendable, Codable { case stdout, stderr }
    /// Which of the two it was written to.
    public var stream: Stream
    /// When, where the platform keeps it.
    public var at: Date?
    /// The line without its end.
    public var text: String

    /// Makes one of its parts.
    public init(stream: Stream, at: Date? = nil, text: String) {
        self.stream = stream
        self.at = at
        self.text = text
    }
}

/// A command to run inside an instance.
public struct Command: Sendable, Hashable {
    /// The program and its arguments; no shell is put in between.
    public var arguments: [String]
    /// Variables on top of the instance's own.
    public var environment: [String: String]
    /// Where it runs; the instance's own working directory where nil.
    public var workingDirectory: String?
    /// The user that it runs as, as the platform names users; the instance's own where nil.
    public var user: String?
    /// The longest time that it may take; no limit where nil.
    public var timeout: Duration?

    /// Makes one of its parts.
    public init(
        _ arguments: [String], environment: [String: String] = [:],
        workingDirectory: String? = nil, user: String? = nil, timeout: Duration? = nil
    ) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.timeout = timeout
    }
}

/// How a command ended, and what it wrote.
public struct CommandResult: Sendable, Hashable {
    /// The exit code; 128 + n where signal n ended it.
    public var exitCode: Int
    /// The bytes that it wrote to standard output.
    public var standardOutput: [UInt8]
    /// The bytes that it wrote to standard error.
    public var standardError: [UInt8]

    /// Makes one of its parts.
    public init(exitCode: Int, standardOutput: [UInt8], standardError: [UInt8]) {
        self.exitCode = exitCode
        self.standardOutput = standardOutput
        self.standardError = standardError
    }
}

/// Something that happened at a platform.
public enum ProviderEvent: Sendable, Hashable {
    /// The stream is open: from here on nothing is missed. What was before must be listed.
    case connected
    /// Something happened to the object of that instance.
    case changed(name: String, providerInstanceId: String, what: String)
}

/// Persistent storage at a platform.
public struct StorageVolume: Sendable, Hashable, Codable {
    /// The platform's own id of the storage.
    public var providerStorageId: String
    /// The instance that it belongs to.
    public var instanceName: String
    /// When it was made, where the platform tells.
    public var createdAt: Date?

    /// Makes one of its parts.
    public init(providerStorageId: String, instanceName: String, createdAt: Date? = nil) {
        self.providerStorageId = providerStorageId
        self.instanceName = instanceName
        self.createdAt = createdAt
    }
}

/// One thing that is wrong with a config on a provider.
public struct ConfigProblem: Sendable, Hashable, Codable {
    /// The field.
    public var path: String
    /// What is wrong and what to do.
    public var message: String

    /// Makes one of its parts.
    public init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }
}

/// What a spec declares of one instance: exactly the fields that the user set, the others nil.
///
/// Defaults are not filled in, so that a later release's defaults change no instance that stands.
/// What each field means is said once, in `FieldTable`.
public struct InstanceConfig: Sendable, Hashable {
    /// The instance's name, unique in the directory: a DNS label; empty means unset.
    public var name: String = ""
    /// Pins the id that pal would mint; it cannot be changed afterwards.
    public var id: String?
    /// The configured provider that runs it; unset means `docker`.
    public var provider: String?
    /// The provider's region. docker and process: must be the provider's own.
    public var region: String?
    /// An existing directory: mounted as the project folder, or the working directory.
    public var workspacePath: String?
    /// The container image. docker: codercom/code-server:latest where none is given.
    public var image: String?
    /// The command and its arguments, instead of the image's or the editor's own.
    public var command: [String]?
    /// Which editor is served; it decides port, home, project folder and readiness.
    public var editor: Editor?
    /// Editor extensions to install, such as golang.go.
    public var extensions: [String]?
    /// Environment variables. Not for secrets.
    public var env: [String: String]?
    /// Secrets by reference, never by value; the key is the variable's name.
    public var secrets: [String: SecretReference]?
    /// Labels on the platform's object and in status.
    public var labels: [String: String]?
    /// Notes of the user's own; shown in status, sent nowhere.
    public var metadata: [String: Value]?
    /// Cores, memory and storage that it may use.
    public var resources = ResourceLimits()
    /// The editor's port and further ports.
    public var network = NetworkConfig()
    /// How readiness is probed.
    @Rare public var health = HealthConfig()
    /// What the instance should be; unset means `running`.
    public var state: DesiredState?
    /// So many instances, named name-0, name-1, …; 0 to 1000.
    public var replicas: Int?
    /// Instances that must be ready first, by name.
    public var dependsOn: [String]?
    /// What becomes of persistent storage at a deletion; unset means `retain`.
    public var onDelete: DeletePolicy?
    /// Whether a replacement may lose persistent data; unset means `refuse`.
    public var onReplace: ReplacePolicy?
    /// Whether a running editor may be interrupted unasked; unset means `auto`.
    public var disruption: DisruptionPolicy?
    /// Keeps the instance when its file goes; unset means no.
    public var protect: Bool?
    /// pal leaves the instance alone while this is true; unset means no.
    public var suspend: Bool?
    /// The platform's id of an existing instance to take over, used once.
    public var adopt: String?
    /// The provider's own settings, which only it understands.
    public var specific: [String: Value]?

    /// A config with nothing set but the name.
    public init(name: String) { self.name = name }
    init() {}
}

/// How much of the machine an instance may use. Nil: no limit declared.
public struct ResourceLimits: Sendable, Hashable {
    /// Cores, with fractions.
    public var cpuCores: Double?
    /// The reservation in MiB.
    public var memoryMin: Int?
    /// The hard limit in MiB.
    public var memoryMax: Int?
    /// The size of the persistent storage in GiB.
    public var storageSize: Int?
    /// Whether the editor's home outlives the instance; unset means yes.
    public var storagePersistent: Bool?

    /// No limits.
    public init() {}
}

/// The ports of an instance.
public struct NetworkConfig: Sendable, Hashable {
    /// The editor's port inside the instance.
    public var port: Int?
    /// Further ports, or fixed outside ports.
    public var ports: [PortMapping]?

    /// No ports declared: the editor's own is used.
    public init() {}
}

/// One port that is reachable from outside.
public struct PortMapping: FieldValue {
    /// The port inside the instance.
    public var `internal`: Int
    /// The fixed port outside, or nil for any free one.
    public var external: Int?
    /// `tcp` (nil too) or `udp`.
    public var `protocol`: String?

    /// Makes one of its parts.
    public init(internal: Int, external: Int? = nil, protocol: String? = nil) {
        self.internal = `internal`
        self.external = external
        self.protocol = `protocol`
    }

    /// What tells the port inside apart from all others of the instance: its number, for `udp`
    /// beyond the last one of `tcp`.
    public var key: Int { `protocol` == "udp" ? `internal` + 65_536 : `internal` }

    /// Reads a map with `internal`, `external` and `protocol`.
    public init?(_ value: Value) {
        guard let inside = value["internal"].flatMap(Int.init(_:)) else { return nil }
        self.init(
            internal: inside, external: value["external"].flatMap(Int.init(_:)),
            protocol: value["protocol"].flatMap { String($0) })
    }

    /// A map with the keys that are set.
    public var value: Value {
        var entries: [String: Value] = ["internal": .int(`internal`)]
        if let external { entries["external"] = .int(external) }
        if let `protocol` { entries["protocol"] = .string(`protocol`) }
        return .map(entries)
    }
}

/// How readiness is probed: an HTTP GET of `path` on the editor's port that answers 200.
public struct HealthConfig: Sendable, Hashable, Blank {
    /// Ready when a GET of this path on the editor's port answers 200.
    public var path: String?
    /// Time between two probes.
    public var interval: TimeSpan?
    /// Longest time for one probe.
    public var timeout: TimeSpan?
    /// Failures inside this span after a start do not count.
    public var grace: TimeSpan?

    /// Nothing declared: the editor's own way is used.
    public init() {}
    /// Nothing declared.
    public static var blank: Self { Self() }
}

/// Where a secret's value comes from. The value itself is never part of a spec.
public struct SecretReference: FieldValue {
    /// The controller's environment variable that holds the value.
    public var fromEnv: String?
    /// The file on the controller's machine that holds the value.
    public var fromFile: String?
    /// `env` hands the value over as an environment variable; otherwise it is a file inside.
    public var `as`: String?

    /// Reads a map with `fromEnv`, `fromFile` and `as`; looks nothing up.
    public init?(_ value: Value) {
        fromEnv = value["fromEnv"].flatMap { String($0) }
        fromFile = value["fromFile"].flatMap { String($0) }
        `as` = value["as"].flatMap { String($0) }
    }

    /// A map with the keys that are set; never the secret's value.
    public var value: Value {
        var entries: [String: Value] = [:]
        if let fromEnv { entries["fromEnv"] = .string(fromEnv) }
        if let fromFile { entries["fromFile"] = .string(fromFile) }
        if let `as` { entries["as"] = .string(`as`) }
        return .map(entries)
    }
}

/// Which editor an instance serves; `custom` for anything that pal has no table entry for.
public enum Editor: String, FieldValue, CaseIterable {
    case codeServer = "code-server"
    case openvscodeServer = "openvscode-server"
    case vscode
    case custom
}

/// What the user wants an instance to be.
public enum DesiredState: String, FieldValue, CaseIterable {
    case running, stopped, absent
}

/// What happens to persistent storage when the instance is deleted.
public enum DeletePolicy: String, FieldValue, CaseIterable {
    case retain, delete
}

/// What may happen to persistent data that a replacement cannot keep.
public enum ReplacePolicy: String, FieldValue, CaseIterable {
    case refuse, discard
}

/// Whether a running editor may be interrupted without asking.
public enum DisruptionPolicy: String, FieldValue, CaseIterable {
    case auto, approve
}

/// What a spec declares of one instance: exactly the fields that the user set, the others nil.
///
/// Defaults are not filled in, so that a later release's defaults change no instance that stands.
/// What each field means is said once, in `FieldTable`.
public struct InstanceConfig: Sendable, Hashable {
    public var name: String = ""
    public var id: String?
    public var provider: String?
    public var region: String?
    public var workspacePath: String?
    public var image: String?
    public var command: [String]?
    public var editor: Editor?
    public var extensions: [String]?
    public var env: [String: String]?
    public var secrets: [String: SecretReference]?
    public var labels: [String: String]?
    public var metadata: [String: Value]?
    public var resources = ResourceLimits()
    public var network = NetworkConfig()
    public var health = HealthConfig()
    public var state: DesiredState?
    public var replicas: Int?
    public var dependsOn: [String]?
    public var onDelete: DeletePolicy?
    public var onReplace: ReplacePolicy?
    public var disruption: DisruptionPolicy?
    public var protect: Bool?
    public var suspend: Bool?
    public var adopt: String?
    public var specific: [String: Value]?

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

    public init() {}
}

/// The ports of an instance.
public struct NetworkConfig: Sendable, Hashable {
    /// The editor's port inside the instance.
    public var port: Int?
    /// Further ports, or fixed outside ports.
    public var ports: [PortMapping]?

    public init() {}
}

/// One port that is reachable from outside.
public struct PortMapping: FieldValue, Codable {
    /// The port inside the instance.
    public var `internal`: Int
    /// The fixed port outside, or nil for any free one.
    public var external: Int?
    /// `tcp` (nil too) or `udp`.
    public var `protocol`: String?

    public init(internal: Int, external: Int? = nil, protocol: String? = nil) {
        self.internal = `internal`
        self.external = external
        self.protocol = `protocol`
    }

    public init?(_ value: Value) {
        guard let inside = value["internal"].flatMap(Int.init(_:)) else { return nil }
        self.init(
            internal: inside, external: value["external"].flatMap(Int.init(_:)),
            protocol: value["protocol"].flatMap { String($0) })
    }

    public var value: Value {
        var entries: [String: Value] = ["internal": .int(`internal`)]
        if let external { entries["external"] = .int(external) }
        if let `protocol` { entries["protocol"] = .string(`protocol`) }
        return .map(entries)
    }
}

/// How readiness is probed: an HTTP GET of `path` on the editor's port that answers 200.
public struct HealthConfig: Sendable, Hashable {
    public var path: String?
    public var interval: TimeSpan?
    public var timeout: TimeSpan?
    /// Failures inside this span after a start do not count.
    public var grace: TimeSpan?

    public init() {}
}

/// Where a secret's value comes from. The value itself is never part of a spec.
public struct SecretReference: FieldValue, Codable {
    /// The controller's environment variable that holds the value.
    public var fromEnv: String?
    /// The file on the controller's machine that holds the value.
    public var fromFile: String?
    /// `env` hands the value over as an environment variable; otherwise it is a file inside.
    public var `as`: String?

    public init?(_ value: Value) {
        fromEnv = value["fromEnv"].flatMap { String($0) }
        fromFile = value["fromFile"].flatMap { String($0) }
        `as` = value["as"].flatMap { String($0) }
    }

    public var value: Value {
        var entries: [String: Value] = [:]
        if let fromEnv { entries["fromEnv"] = .string(fromEnv) }
        if let fromFile { entries["fromFile"] = .string(fromFile) }
        if let `as` { entries["as"] = .string(`as`) }
        return .map(entries)
    }
}

/// Which editor an instance serves; `custom` for anything that pal has no table entry for.
public enum Editor: String, FieldValue, CaseIterable, Codable {
    case codeServer = "code-server"
    case openvscodeServer = "openvscode-server"
    case vscode
    case custom
}

/// What the user wants an instance to be.
public enum DesiredState: String, FieldValue, CaseIterable, Codable {
    case running, stopped, absent
}

/// What happens to persistent storage when the instance is deleted.
public enum DeletePolicy: String, FieldValue, CaseIterable, Codable {
    case retain, delete
}

/// What may happen to persistent data that a replacement cannot keep.
public enum ReplacePolicy: String, FieldValue, CaseIterable, Codable {
    case refuse, discard
}

/// Whether a running editor may be interrupted without asking.
public enum DisruptionPolicy: String, FieldValue, CaseIterable, Codable {
    case auto, approve
}

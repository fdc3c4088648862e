/// The one definition of a spec's fields.
///
/// It drives decoding, defaults, validation, the diff, the spec hash, `pal schema` and the
/// reference table. Adding a field is adding an entry here and the property that holds it.
public enum FieldTable {
    /// Every field, in the order of the reference.
    public static let all: [Field] = (identity + platform + engine).enumerated().map {
        var field = $0.element
        field.index = $0.offset
        return field
    }

    private static let port = Shape.integer(1...65535)
    private static let mebibytes = Shape.integer(1...(1 << 24))

    private static let identity: [Field] = [
        Field(
            "name", { $0.optionalName }, { $0.optionalName = $1 }, .text(.dnsLabel), .identity,
            "The instance's name, unique in the directory: a DNS label."),
        Field(
            "id", { $0.id }, { $0.id = $1 }, .text(.dnsLabel), .identity,
            "Pins the id that pal would mint; it cannot be changed afterwards."),
        Field(
            "provider", { $0.provider }, { $0.provider = $1 }, .text(.dnsLabel), .identity,
            fallback: .string("docker"),
            "The configured provider that runs it."),
    ]

    private static let platform: [Field] = [
        Field(
            "region", { $0.region }, { $0.region = $1 }, .text(.nonEmpty), .platform,
            "The provider's region. docker and process: must be the provider's own."),
        Field(
            "image", { $0.image }, { $0.image = $1 }, .text(.nonEmpty), .platform,
            "The container image. docker: codercom/code-server:latest where none is given."),
        Field(
            "editor", { $0.editor }, { $0.editor = $1 }, .choice(Editor.allCases.map(\.rawValue)),
            .platform,
            fallback: .string("code-server"),
            "Which editor is served; it decides port, home, project folder and readiness."),
        Field(
            "command", { $0.command }, { $0.command = $1 }, .list(.text(.any)), .platform,
            "The command and its arguments, instead of the image's or the editor's own."),
        Field(
            "workspacePath", { $0.workspacePath }, { $0.workspacePath = $1 }, .text(.absolutePath),
            .platform,
            "An existing directory: mounted as the project folder, or the working directory."),
        Field(
            "env", { $0.env }, { $0.env = $1 }, .map(key: .variableName, .text(.any)), .platform,
            "Environment variables. Not for secrets."),
        Field(
            "secrets", { $0.secrets }, { $0.secrets = $1 }, .map(key: .variableName, secretShape),
            .platform,
            "Secrets by reference, never by value."),
        Field(
            "extensions", { $0.extensions }, { $0.extensions = $1 }, .list(.text(.nonEmpty)),
            .platform,
            "Editor extensions to install, such as golang.go."),
        Field(
            "labels", { $0.labels }, { $0.labels = $1 }, .map(key: .labelKey, .text(.any)),
            .platform,
            "Labels on the platform's object and in status."),
        Field(
            "resources.cpu.cores", { $0.resources.cpuCores }, { $0.resources.cpuCores = $1 },
            .number(0.01...1024), .platform,
            "Cores that it may use, with fractions."),
        Field(
            "resources.memory.min", { $0.resources.memoryMin }, { $0.resources.memoryMin = $1 },
            mebibytes, .platform,
            "Memory reservation in MiB."),
        Field(
            "resources.memory.max", { $0.resources.memoryMax }, { $0.resources.memoryMax = $1 },
            mebibytes, .platform,
            "Hard memory limit in MiB."),
        Field(
            "resources.storage.size", { $0.resources.storageSize },
            { $0.resources.storageSize = $1 }, .integer(1...65536), .platform,
            "Size of the persistent storage in GiB."),
        Field(
            "resources.storage.persistent", { $0.resources.storagePersistent },
            { $0.resources.storagePersistent = $1 }, .flag, .platform,
            fallback: .bool(true),
            "Whether the editor's home outlives the instance."),
        Field(
            "network.port", { $0.network.port }, { $0.network.port = $1 }, port, .platform,
            "The editor's port inside; the editor's own where none is given."),
        Field(
            "network.ports", { $0.network.ports }, { $0.network.ports = $1 }, .list(portShape),
            .platform,
            "Further ports, or fixed outside ports."),
        Field(
            "health.path", { $0.health.path }, { $0.health.path = $1 }, .text(.urlPath), .platform,
            "Ready when a GET of this path on the editor's port answers 200."),
        Field(
            "health.interval", { $0.health.interval }, { $0.health.interval = $1 }, .span,
            .platform, "Time between two probes."),
        Field(
            "health.timeout", { $0.health.timeout }, { $0.health.timeout = $1 }, .span, .platform,
            "Longest time for one probe."),
        Field(
            "health.grace", { $0.health.grace }, { $0.health.grace = $1 }, .span, .platform,
            "Failures this soon after a start do not count."),
        Field(
            "specific", { $0.specific }, { $0.specific = $1 }, .map(key: .nonEmpty, .anything),
            .platform,
            "The provider's own settings."),
    ]

    private static let engine: [Field] = [
        Field(
            "state", { $0.state }, { $0.state = $1 },
            .choice(DesiredState.allCases.map(\.rawValue)), .engine,
            fallback: .string("running"), "What the instance should be."),
        Field(
            "metadata", { $0.metadata }, { $0.metadata = $1 }, .map(key: .nonEmpty, .anything),
            .engine,
            "Notes of your own; shown in status, sent nowhere."),
        Field(
            "replicas", { $0.replicas }, { $0.replicas = $1 }, .integer(0...1000), .engine,
            "So many instances, named name-0, name-1 and so on."),
        Field(
            "dependsOn", { $0.dependsOn }, { $0.dependsOn = $1 }, .list(.text(.dnsLabel)), .engine,
            "Instances that must be ready first."),
        Field(
            "onDelete", { $0.onDelete }, { $0.onDelete = $1 },
            .choice(DeletePolicy.allCases.map(\.rawValue)), .engine,
            fallback: .string("retain"), "What becomes of persistent storage at a deletion."),
        Field(
            "onReplace", { $0.onReplace }, { $0.onReplace = $1 },
            .choice(ReplacePolicy.allCases.map(\.rawValue)), .engine,
            fallback: .string("refuse"), "Whether a replacement may lose persistent data."),
        Field(
            "disruption", { $0.disruption }, { $0.disruption = $1 },
            .choice(DisruptionPolicy.allCases.map(\.rawValue)), .engine,
            fallback: .string("auto"), "Whether a running editor may be interrupted unasked."),
        Field(
            "protect", { $0.protect }, { $0.protect = $1 }, .flag, .engine, fallback: .bool(false),
            "Keeps the instance when its file goes."),
        Field(
            "suspend", { $0.suspend }, { $0.suspend = $1 }, .flag, .engine, fallback: .bool(false),
            "pal leaves the instance alone while this is true."),
        Field(
            "adopt", { $0.adopt }, { $0.adopt = $1 }, .text(.nonEmpty), .engine,
            "The platform's id of an existing instance to take over, used once."),
    ]

    private static let portShape = Shape.object([
        .init("internal", port, required: true, "The port inside."),
        .init("external", port, "The fixed port outside; any free one where none is given."),
        .init("protocol", .choice(["tcp", "udp"]), "tcp where none is given."),
    ])

    private static let secretShape = Shape.object([
        .init("fromEnv", .text(.variableName), "The controller's environment variable."),
        .init("fromFile", .text(.absolutePath), "A file on the controller's machine."),
        .init(
            "as", .choice(["file", "env"]),
            "How it is handed over: file, unless env is asked for."),
    ])

    private static let byPath = Dictionary(
        all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })

    /// The field at a path, or nil.
    public static func field(_ path: String) -> Field? { byPath[path] }
}

extension InstanceConfig {
    /// The name as the table sees it: unset where it is empty.
    var optionalName: String? {
        get { name.isEmpty ? nil : name }
        set { name = newValue ?? "" }
    }
}

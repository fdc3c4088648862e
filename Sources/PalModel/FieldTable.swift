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
            "name", \.optionalName, .text(.dnsLabel), .identity,
            "The instance's name, unique in the directory: a DNS label."),
        Field(
            "id", \.id, .text(.dnsLabel), .identity,
            "Pins the id that pal would mint; it cannot be changed afterwards."),
        Field(
            "provider", \.provider, .text(.dnsLabel), .identity, fallback: .string("docker"),
            "The configured provider that runs it."),
    ]

    private static let platform: [Field] = [
        Field(
            "region", \.region, .text(.nonEmpty), .platform,
            "The provider's region. docker and process: must be the provider's own."),
        Field(
            "image", \.image, .text(.nonEmpty), .platform,
            "The container image. docker: codercom/code-server:latest where none is given."),
        Field(
            "editor", \.editor, .choice(Editor.allCases.map(\.rawValue)), .platform,
            fallback: .string("code-server"),
            "Which editor is served; it decides port, home, project folder and readiness."),
        Field(
            "command", \.command, .list(.text(.any)), .platform,
            "The command and its arguments, instead of the image's or the editor's own."),
        Field(
            "workspacePath", \.workspacePath, .text(.absolutePath), .platform,
            "An existing directory: mounted as the project folder, or the working directory."),
        Field(
            "env", \.env, .map(key: .variableName, .text(.any)), .platform,
            "Environment variables. Not for secrets."),
        Field(
            "secrets", \.secrets, .map(key: .variableName, secretShape), .platform,
            "Secrets by reference, never by value."),
        Field(
            "extensions", \.extensions, .list(.text(.nonEmpty)), .platform,
            "Editor extensions to install, such as golang.go."),
        Field(
            "labels", \.labels, .map(key: .labelKey, .text(.any)), .platform,
            "Labels on the platform's object and in status."),
        Field(
            "resources.cpu.cores", \.resources.cpuCores, .number(0.01...1024), .platform,
            "Cores that it may use, with fractions."),
        Field(
            "resources.memory.min", \.resources.memoryMin, mebibytes, .platform,
            "Memory reservation in MiB."),
        Field(
            "resources.memory.max", \.resources.memoryMax, mebibytes, .platform,
            "Hard memory limit in MiB."),
        Field(
            "resources.storage.size", \.resources.storageSize, .integer(1...65536), .platform,
            "Size of the persistent storage in GiB."),
        Field(
            "resources.storage.persistent", \.resources.storagePersistent, .flag, .platform,
            fallback: .bool(true),
            "Whether the editor's home outlives the instance."),
        Field(
            "network.port", \.network.port, port, .platform,
            "The editor's port inside; the editor's own where none is given."),
        Field(
            "network.ports", \.network.ports, .list(portShape), .platform,
            "Further ports, or fixed outside ports."),
        Field(
            "health.path", \.health.path, .text(.urlPath), .platform,
            "Ready when a GET of this path on the editor's port answers 200."),
        Field("health.interval", \.health.interval, .span, .platform, "Time between two probes."),
        Field("health.timeout", \.health.timeout, .span, .platform, "Longest time for one probe."),
        Field(
            "health.grace", \.health.grace, .span, .platform,
            "Failures this soon after a start do not count."),
        Field(
            "specific", \.specific, .map(key: .nonEmpty, .anything), .platform,
            "The provider's own settings."),
    ]

    private static let engine: [Field] = [
        Field(
            "state", \.state, .choice(DesiredState.allCases.map(\.rawValue)), .engine,
            fallback: .string("running"), "What the instance should be."),
        Field(
            "metadata", \.metadata, .map(key: .nonEmpty, .anything), .engine,
            "Notes of your own; shown in status, sent nowhere."),
        Field(
            "replicas", \.replicas, .integer(0...1000), .engine,
            "So many instances, named name-0, name-1 and so on."),
        Field(
            "dependsOn", \.dependsOn, .list(.text(.dnsLabel)), .engine,
            "Instances that must be ready first."),
        Field(
            "onDelete", \.onDelete, .choice(DeletePolicy.allCases.map(\.rawValue)), .engine,
            fallback: .string("retain"), "What becomes of persistent storage at a deletion."),
        Field(
            "onReplace", \.onReplace, .choice(ReplacePolicy.allCases.map(\.rawValue)), .engine,
            fallback: .string("refuse"), "Whether a replacement may lose persistent data."),
        Field(
            "disruption", \.disruption, .choice(DisruptionPolicy.allCases.map(\.rawValue)), .engine,
            fallback: .string("auto"), "Whether a running editor may be interrupted unasked."),
        Field(
            "protect", \.protect, .flag, .engine, fallback: .bool(false),
            "Keeps the instance when its file goes."),
        Field(
            "suspend", \.suspend, .flag, .engine, fallback: .bool(false),
            "pal leaves the instance alone while this is true."),
        Field(
            "adopt", \.adopt, .text(.nonEmpty), .engine,
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

import PalModel
import PalProvider

/// What a spec's `specific` may say to Fly.io.
struct FlySpecifics: Sendable, Hashable {
    /// The kind of a machine's cores.
    enum CPUKind: String, Sendable, CaseIterable { case shared, performance }
    /// What a stop is.
    enum StopMode: String, Sendable, CaseIterable { case stop, suspend }

    var cpuKind: CPUKind
    var stopMode: StopMode
    /// Instead of the image's entry point.
    var entrypoint: [String]?
    /// Fly.io's restart policy.
    var restart: String
    /// Ports inside that are passed on as they come, without TLS.
    var rawPorts: Set<Int>
    /// Who owns the home: user and group, as `chown` takes them; nil leaves a new one root's.
    var homeOwner: String?
    /// Swap in MiB.
    var swap: Int?

    static let stopModeKey = "stopMode"

    /// The keys, and what each takes.
    static let keys: [Shape.Member] = [
        .init("home", .text(.absolutePath), "Where the home's volume is mounted."),
        .init("cpuKind", .choice(CPUKind.allCases.map(\.rawValue)), "The kind of the cores."),
        .init(stopModeKey, .choice(StopMode.allCases.map(\.rawValue)), "What a stop is."),
        .init("entrypoint", .list(.text(.any)), "Instead of the image's entry point."),
        .init("restart", .choice(["always", "on-failure", "no"]), "The restart policy."),
        .init("rawPorts", .list(.integer(1...65_535)), "Ports without TLS."),
        .init("homeOwner", .text(owner), "Who owns a new home."),
        .init("swap", .integer(1...(1 << 16)), "Swap in MiB."),
    ]

    private static let owner = TextRule(
        expectation: "a user and a group as numbers, such as 1000:1000", pattern: nil
    ) { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { UInt32($0) != nil }
    }

    /// Reads what is good.
    init(_ config: InstanceConfig) {
        let values = config.specific ?? [:]
        func text(_ key: String) -> String? { values[key].flatMap { String($0) } }
        cpuKind = text("cpuKind").flatMap(CPUKind.init(rawValue:)) ?? .shared
        stopMode = text(Self.stopModeKey).flatMap(StopMode.init(rawValue:)) ?? .stop
        entrypoint = values["entrypoint"].flatMap { [String]($0) }
        restart = text("restart") ?? "always"
        rawPorts = Set(values["rawPorts"].flatMap { [Int]($0) } ?? [])
        let isEditor = (config.editor ?? .codeServer) != .custom
        // The usual images run their editors as the user 1000.
        let owner = text("homeOwner") ?? (isEditor ? "1000:1000" : "0:0")
        homeOwner = owner == "0:0" ? nil : owner
        swap = values["swap"].flatMap { Int($0) }
    }
}

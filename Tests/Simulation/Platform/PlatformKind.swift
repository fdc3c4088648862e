import PalModel
import PalProvider

/// What distinguishes the two simulated platforms.
struct PlatformKind: Sendable {
    var name: String
    var capabilities: Capabilities
    /// The ports that it gives out.
    var ports: ClosedRange<Int>
    /// Objects on one page of a list.
    var pageSize: Int
    /// What a change of a field means.
    var classify: @Sendable (FieldChange) -> ChangeClass

    /// Like a container engine on one machine: events, storage, few classes of change.
    static let container = PlatformKind(
        name: "docker",
        capabilities: Capabilities(
            fields: fields([
                "resources.cpu.cores": .live, "resources.memory.max": .live, "command": .restart,
                "image": .replace, "env": .replace, "secrets": .replace, "labels": .replace,
                "network.port": .replace, "network.ports": .replace,
                "resources.storage.persistent": .replace,
            ]).merging(["resources.storage.size": .notEnforced("no limits here")]) { $1 },
            features: [.events, .storage, .adoption], maximumConcurrentCalls: 8),
        ports: 20_000...20_099, pageSize: 100,
        classify: { change in
            switch change.path {
            case "resources.cpu.cores", "resources.memory.max":
                change.to == nil ? .replace : .live
            case "command": .restart
            case "resources.storage.persistent":
                change.to == .bool(false) ? .replaceLosingData : .replace
            default: .replace
            }
        })

    /// Like machines in a cloud: no events, pages, regions, storage that can only grow.
    static let machine = PlatformKind(
        name: "fly",
        capabilities: Capabilities(
            fields: fields([
                "resources.cpu.cores": .restart, "resources.memory.max": .restart,
                "resources.storage.size": .live, "region": .replaceLosingData,
                "image": .replace, "env": .replace, "secrets": .replace, "network.port": .replace,
                "network.ports": .replace, "resources.storage.persistent": .replace,
            ]), features: [.storage], maximumConcurrentCalls: 3,
            sharesOutsidePorts: true),
        ports: 30_000...30_049, pageSize: 3,
        classify: { change in
            switch change.path {
            case "resources.cpu.cores", "resources.memory.max": .restart
            case "region": .replaceLosingData
            case "resources.storage.size": grows(change) ? .live : .replaceLosingData
            case "resources.storage.persistent":
                change.to == .bool(false) ? .replaceLosingData : .replace
            default: .replace
            }
        })

    private static func grows(_ change: FieldChange) -> Bool {
        guard case .int(let new)? = change.to else { return change.to != nil }
        guard case .int(let old)? = change.from else { return true }
        return new >= old
    }

    private static func fields(_ classes: [String: ChangeClass]) -> [String: FieldSupport] {
        classes.mapValues { .honoured($0) }
    }
}

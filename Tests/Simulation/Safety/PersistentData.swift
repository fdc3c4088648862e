import PalEngine
import PalModel

/// Persistent data is deleted only where the spec allows it: `onDelete: delete` for an instance
/// that goes, `onReplace: discard` for one that is replaced.
struct PersistentData: Checker {
    static let promise = "persistent data is lost only with permission"

    private struct Permission {
        var delete: Duration?
        var discard: Duration?
        var config: InstanceConfig
    }

    private var permissions: [String: Permission] = [:]
    private var declared: Set<String> = []
    private var groups: Set<String> = []

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .told(let desired): note(desired, entry.at)
        case .took(let call, .storageDeleted(let id)):
            guard let known = permissions[call.name] else {
                return Breach(call.name, "\(id) is deleted, and no spec ever named it")
            }
            let config = known.config
            if let group = Replica.group(of: call.name), groups.contains(group),
                !declared.contains(call.name)
            {
                return Breach(call.name, "\(id) is deleted, and only replicas became fewer")
            }
            let goes = !declared.contains(call.name) || config.state == .absent
            let since = goes ? known.delete : known.discard
            let either = [known.delete, known.discard].compactMap(\.self).max()
            if let since, entry.at - since <= Plans.longest || isCurrent(known, goes) { return nil }
            // Which of the two it was when the plan began cannot be seen; both within its time do.
            if let either, entry.at - either <= Plans.longest { return nil }
            return Breach(
                call.name,
                "\(id) is deleted, and the spec says onDelete: "
                    + "\(config.onDelete?.rawValue ?? "retain"), onReplace: "
                    + "\(config.onReplace?.rawValue ?? "refuse")")
        default: break
        }
        return nil
    }

    private func isCurrent(_ known: Permission, _ goes: Bool) -> Bool {
        goes ? known.config.onDelete == .delete : known.config.onReplace == .discard
    }

    private mutating func note(_ desired: Desired, _ at: Duration) {
        declared = Set(desired.declarations.keys)
        groups = Set(desired.groups.keys)
        for (name, declaration) in desired.declarations {
            let config = declaration.config.value
            let old = permissions[name]
            permissions[name] = Permission(
                delete: config.onDelete == .delete ? at : old?.delete,
                discard: config.onReplace == .discard ? at : old?.discard, config: config)
        }
    }
}

import PalEngine
import PalModel

/// What an instance depends on was ready before it is made or started.
struct DependenciesFirst: Checker {
    static let promise = "what others depend on comes first"

    private struct Need {
        var names: [String]
        var since: Duration
    }

    private var needs: [String: Need] = [:]
    private var declared: Set<String> = []
    private var wasReady: Set<String> = []

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .told(let desired): note(desired, entry.at)
        case .platform(_, let name):
            if scene.objects(of: name).contains(where: { $0.readiness == .ready }) {
                wasReady.insert(name)
            }
        case .intended(_, let intent) where [.create, .start].contains(intent.step.verb):
            guard let need = needs[intent.name], entry.at - need.since > Plans.longestWait,
                let missing = need.names.first(where: { !wasReady.contains($0) })
            else { return nil }
            return Breach(
                intent.name,
                "a \(intent.step.verb.rawValue) begins, and \(missing), on which it depends, "
                    + "never was ready")
        default: break
        }
        return nil
    }

    private mutating func note(_ desired: Desired, _ at: Duration) {
        var now: [String: Need] = [:]
        for (name, declaration) in desired.declarations {
            let names = (declaration.config.value.dependsOn ?? []).flatMap { other in
                // Of a name and a group of that name the name is meant.
                desired.declarations[other] != nil
                    ? [other]
                    : desired.groups[other].map { (0..<$0).map { "\(other)-\($0)" } } ?? [other]
            }
            guard !names.isEmpty else { continue }
            let old = needs[name]
            // Of a name that is new nothing can be under way.
            let start = declared.contains(name) ? at : at - .seconds(3600)
            now[name] = Need(names: names, since: old?.names == names ? old?.since ?? at : start)
        }
        needs = now
        declared = Set(desired.declarations.keys)
    }
}

import PalEngine
import PalModel

/// A running editor whose spec says `disruption: approve` is not stopped before somebody agreed.
struct AsksBeforeInterrupting: Checker {
    static let promise = "a running editor is interrupted only with consent"

    /// By name: since when its spec asks to be asked.
    private var careful: [String: Duration] = [:]
    /// Names of which somebody asked for something that stops them.
    private var agreed: Set<String> = []

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .told(let desired):
            let now = desired.declarations.filter { $0.value.config.value.disruption == .approve }
            careful = now.reduce(into: [:]) { $0[$1.key] = careful[$1.key] ?? entry.at }
        case .requested(let request) where [.approve, .stop, .restart].contains(request.verb):
            agreed.formUnion(request.names)
        case .intended(_, let intent) where intent.step.verb == .stop:
            return interrupts(intent, entry.at, scene)
        default: break
        }
        return nil
    }

    private func interrupts(_ intent: Intent, _ at: Duration, _ scene: Scene) -> Breach? {
        guard let since = careful[intent.name], at - since > Plans.longestWait,
            !agreed.contains(intent.name)
        else { return nil }
        let all = scene.objects(of: intent.name).filter(\.isLive)
        guard let object = all.first(where: { $0.id == intent.step.target?.providerInstanceId }),
            object.status == .running
        else { return nil }
        // A new one that is given up again serves nobody yet.
        let generation = object.ownership?.generation ?? 0
        if all.contains(where: { ($0.ownership?.generation ?? 0) < generation }) { return nil }
        return Breach(
            intent.name,
            "\(object.id) runs and is to be stopped; its spec says disruption: approve since "
                + "\(since.milliseconds) ms, and nobody was asked")
    }
}

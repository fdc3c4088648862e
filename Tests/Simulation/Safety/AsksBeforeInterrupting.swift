import PalEngine
import PalModel

/// A running editor whose spec says `disruption: approve` is not stopped before somebody agreed.
struct AsksBeforeInterrupting: Checker {
    static let promise = "a running editor is interrupted only with consent"

    /// By name: since when its spec asks to be asked.
    private var careful: [String: Duration] = [:]
    /// By name: the requests that agree to something that stops it. They end with what they were
    /// for.
    private var agreed: [String: [Int64: ControlRequest.Verb]] = [:]
    /// The requests that are not answered.
    private var open: Set<Int64> = []

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .told(let desired):
            let now = desired.declarations.filter { $0.value.config.value.disruption == .approve }
            careful = now.reduce(into: [:]) { $0[$1.key] = careful[$1.key] ?? entry.at }
        case .requested(let request) where [.approve, .stop, .restart].contains(request.verb):
            open.insert(request.number)
            for name in request.names { agreed[name, default: [:]][request.number] = request.verb }
        case .answered(let number, _): open.remove(number)
        // Its requests went with the ledger.
        case .struck(.lostLedger): (agreed, open) = ([:], [])
        case .noted(let event):
            guard let name = event.name, let verbs = Self.ends[event.reason] else { break }
            agreed[name] = agreed[name]?.filter {
                open.contains($0.key) || !verbs.contains($0.value)
            }
        case .intended(_, let intent): return check(intent, entry.at, scene)
        default: break
        }
        return nil
    }

    /// By event: the requests whose wish is done by then.
    private static let ends: [String: Set<ControlRequest.Verb>] = [
        "Replaced": [.approve], "Updated": [.approve], "Deleted": [.approve, .stop, .restart],
        "Stopped": [.approve, .stop], "Restarted": [.restart], "HoldEnded": [.stop],
    ]

    private func check(_ intent: Intent, _ at: Duration, _ scene: Scene) -> Breach? {
        switch intent.step.verb {
        case .stop: return interrupts(intent, at, scene)
        case .update:
            let kind = scene.platform(intent.provider)?.kind
            let classes = intent.step.partial?.changes.compactMap { kind?.classify($0) } ?? []
            return classes.contains { $0 > .live } ? interrupts(intent, at, scene) : nil
        case .create, .start, .delete, .deleteStorage: return nil
        }
    }

    private func interrupts(_ intent: Intent, _ at: Duration, _ scene: Scene) -> Breach? {
        guard let since = careful[intent.name], at - since > Plans.longestWait,
            agreed[intent.name, default: [:]].isEmpty
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
            "\(object.id) runs and is to be interrupted; its spec says disruption: approve since "
                + "\(since.milliseconds) ms, and nobody was asked")
    }
}

import PalEngine
import PalModel

/// pal never touches what it does not own: a stranger's object without somebody's consent, and an
/// instance that its spec tells to leave alone.
struct OwnObjectsOnly: Checker {
    static let promise = "touches only what it owns"

    private var consents: Set<String> = []
    /// Every object that a spec ever told pal to adopt.
    private var adoptable: Set<String> = []
    private var suspended: [String: Duration] = [:]
    private var lastIntent: [String: Duration] = [:]

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .requested(let request) where request.verb == .approve:
            consents.formUnion(request.names)
        case .began:
            lastIntent = [:]
            suspended = [:]
        case .told(let desired):
            note(desired, entry.at)
            adoptable.formUnion(desired.declarations.values.compactMap(\.config.value.adopt))
        case .intended(_, let intent):
            defer { lastIntent[intent.name] = entry.at }
            return isLeftAlone(intent, entry.at)
        case .took(let call, let effect): return isStranger(call, effect, scene)
        default: break
        }
        return nil
    }

    private mutating func note(_ desired: Desired, _ at: Duration) {
        for name in Set(suspended.keys).union(desired.declarations.keys).sorted() {
            if desired.declarations[name]?.config.suspend == true {
                suspended[name] = suspended[name] ?? at
            } else {
                suspended[name] = nil
            }
        }
    }

    /// A plan that was begun before is carried through.
    private func isLeftAlone(_ intent: Intent, _ at: Duration) -> Breach? {
        guard let since = suspended[intent.name] else { return nil }
        if let last = lastIntent[intent.name], last > since - Plans.longest { return nil }
        return Breach(
            intent.name,
            "a \(intent.step.verb.rawValue) begins, though the spec says suspend since "
                + "\(since.milliseconds) ms")
    }

    private func isAgreed(_ call: Call) -> Bool { consents.contains(call.name) }

    private func isStranger(_ call: Call, _ effect: Effect, _ scene: Scene) -> Breach? {
        switch effect {
        case .deleted(let id), .changed(let id):
            guard
                let object = scene.platform(call.provider)?.objects.first(where: { $0.id == id }),
                object.maker != .pal,
                !(object.maker == .predecessor ? adoptable.contains(id) : isAgreed(call))
            else { return nil }
            return Breach(
                call.name, "\(call.verb.rawValue) of \(id), which a stranger put there")
        case .created, .storageDeleted, .nothing: return nil
        }
    }
}

/// How long one plan can take, from its first intent to its last call: four calls, each given up
/// after a minute.
enum Plans {
    static let longest = Duration.seconds(245)
    /// How long one can wait for an answer before its first intent.
    static let longestWait = Duration.seconds(31)
}

import FoundationEssentials
import PalEngine
import PalModel

/// In a start-first replacement the old instance serves until the new one is ready.
struct OldServesUntilReady: Checker {
    static let promise = "the old one serves until the new one is ready"

    private struct Wish: Hashable {
        var provider: String
        var since: Duration
    }

    /// By name: where it is declared to run, and since when without a break.
    private var wishes: [String: Wish] = [:]
    private var heldNames: Set<String> = []
    private var wasReady: Set<String> = []

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .told(let desired): note(desired, entry.at)
        case .requested(let request) where request.verb == .stop:
            heldNames.formUnion(request.names)
        case .platform(_, let name):
            for object in scene.objects(of: name) where object.readiness == .ready {
                wasReady.insert(Self.key(object))
            }
        case .intended(_, let intent) where intent.step.verb == .stop:
            return isTooEarly(intent, entry.at, scene)
        default: break
        }
        return nil
    }

    private mutating func note(_ desired: Desired, _ at: Duration) {
        var now: [String: Wish] = [:]
        for (name, declaration) in desired.declarations {
            let config = declaration.config.value
            guard config.state ?? .running == .running else { continue }
            let provider = config.provider ?? "docker"
            let old = wishes[name]
            let since = old?.provider == provider ? old?.since : nil
            now[name] = Wish(provider: provider, since: since ?? at)
        }
        wishes = now
    }

    private func isTooEarly(_ intent: Intent, _ at: Duration, _ scene: Scene) -> Breach? {
        guard let wish = wishes[intent.name], wish.provider == intent.provider,
            at - wish.since > Plans.longestWait, !heldNames.contains(intent.name)
        else { return nil }
        let all = scene.objects(of: intent.name).filter(\.isLive)
        guard let old = all.first(where: { $0.id == intent.step.target?.providerInstanceId }),
            let new = all.first(where: { Self.generation($0) > Self.generation(old) }),
            !wasReady.contains(Self.key(new))
        else { return nil }
        return Breach(
            intent.name, "\(old.id) is to be stopped, and \(new.id) never was ready")
    }

    private static func generation(_ object: PlatformObject) -> Int {
        object.ownership?.generation ?? 0
    }

    /// An id may be given out again.
    private static func key(_ object: PlatformObject) -> String {
        "\(object.id) \(object.createdAt.timeIntervalSinceReferenceDate)"
    }
}

import PalEngine
import PalModel

/// There are never two live instances for one name, but for the old and the new one of one
/// replacement, whoever of two controllers made them.
///
/// What the other one made since a platform was last listed is nothing that a controller can know:
/// a platform refuses a name that is taken, but not an earlier generation of it, and two platforms
/// know nothing of each other. Both then stand, and are told of, until the one who sees them acts
/// or somebody decides.
struct OneInstanceOfRivals: Checker {
    static let promise = "one live instance for a name"

    private struct Place: Hashable {
        var controller: Int
        var provider: String
        /// Nil for everything there.
        var name: String?
    }

    /// When it was last listed.
    private var listed: [Place: Duration] = [:]
    /// By name, without a provider: when what had been listed as its last plan began.
    private var begun: [Place: [Place: Duration]] = [:]
    /// By the number of a creation's call: when what had been listed as its plan began.
    private var lists: [Int: [Place: Duration]] = [:]
    /// By object: who made it, and when.
    private var made: [String: (by: Int, at: Duration)] = [:]

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .listed(let provider, let names, _, let askedAt):
            for name in names.map({ $0.map(Optional.some) }) ?? [nil] {
                let place = Place(controller: entry.controller, provider: provider, name: name)
                listed[place] = askedAt
            }
        case .noted(let event) where CompleteReads.beginnings.contains(event.reason):
            guard let name = event.name else { break }
            let place = Place(controller: entry.controller, provider: "", name: name)
            begun[place] = listed
        case .called(let call) where call.verb == .create:
            let place = Place(controller: call.controller, provider: "", name: call.name)
            lists[call.number] = begun[place] ?? listed
        case .took(let call, .created(let id)):
            made[id] = (call.controller, entry.at)
            return check(call, id, scene)
        default: break
        }
        return nil
    }

    private func check(_ call: Call, _ id: String, _ scene: Scene) -> Breach? {
        let others = scene.platforms.flatMap { platform in
            platform.objects.filter {
                $0.id != id && $0.isLive && $0.maker == .pal && $0.belongs(to: scene.swarm)
                    && $0.name == call.name && !isUnseen($0.id, call, platform.kind.name)
            }
        }
        guard !others.isEmpty, !isReplacement(call, id, others, scene) else { return nil }
        let all = others.map { "\($0.id) (generation \($0.ownership?.generation ?? 0))" }
        return Breach(
            call.name, "\(id) was made while others live: \(all.sorted().joined(separator: ", "))")
    }

    /// Whether the other controller made it, and this one could not know when it called.
    private func isUnseen(_ id: String, _ call: Call, _ provider: String) -> Bool {
        guard let made = made[id], made.by != call.controller else { return false }
        let names: [String?] = [nil, call.name]
        // A list that is behind shows less still.
        let seen = made.at + SimulatedPlatform.longestPast
        return names.allSatisfy { name in
            let place = Place(controller: call.controller, provider: provider, name: name)
            return lists[call.number]?[place].map { $0 < seen } ?? true
        }
    }

    private func isReplacement(
        _ call: Call, _ id: String, _ others: [PlatformObject], _ scene: Scene
    ) -> Bool {
        let here = scene.platform(call.provider)?.objects ?? []
        guard others.count == 1, here.contains(others[0]), let old = others[0].ownership,
            let new = here.first(where: { $0.id == id })?.ownership
        else { return false }
        return new.id == old.id && new.generation > old.generation
    }
}

import PalModel
import PalProvider

/// There are never two live instances for one name, but for the old and the new one of one
/// start-first replacement: at one provider, of one id, the new one of a later generation. What
/// only a lost ledger knew of is excused, at another platform that could not be asked; so is a call
/// without an answer, of which a clock that was set says that it is too long ago.
struct OneLiveInstance: Checker {
    static let promise = "one live instance for a name"

    /// By the call's number: what could not be known when it was made.
    private var unknown: [Int: Set<String>] = [:]
    /// By the call's number: since when only the clock tells how long ago it was.
    private var begun: [Int: (controller: Int, at: Duration, end: Duration?)] = [:]
    /// The calls whose answer said what came of them.
    private var answered: Set<Int> = []
    /// What a call made that arrived again after its answer.
    private var late: Set<String> = []
    private var excused: [String: Set<String>] = [:]
    private var makers: [String: Int] = [:]
    private var jumps: [Duration] = []

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .struck(.clockJump): jumps.append(entry.at)
        case .returned(let call, let failure):
            begun[call.number]?.end = entry.at
            if case .ambiguous = failure {} else { answered.insert(call.number) }
        case .called(let call) where call.verb == .create:
            unknown[call.number] = unknowable(call, entry.at, scene)
            begun[call.number] = (call.controller, entry.at, nil)
        case .took(let call, .created(let id)): return check(call, id, scene)
        // Its id may be given out again.
        case .took(_, .deleted(let id)): late.remove(id)
        default: break
        }
        return nil
    }

    private mutating func check(_ call: Call, _ id: String, _ scene: Scene) -> Breach? {
        makers[id] = call.number
        var unknowable = unknown[call.number] ?? []
        if scene.lineage.value.wasLost(id) {
            // It comes after the ledger was lost that knew of the call.
            unknowable.formUnion(elsewhere(call, scene).flatMap(\.objects).map(\.id))
        }
        unknowable.formUnion(late)
        if answered.contains(call.number) {
            late.insert(id)
            // The same call arrives again when it was answered long ago.
            unknowable.formUnion(elsewhere(call, scene).flatMap(\.objects).map(\.id))
        }
        for object in elsewhere(call, scene).flatMap(\.objects)
        where makers[object.id].map({ isOverByTheClock($0, call.number) }) == true {
            unknowable.insert(object.id)
        }
        let live = scene.objects(of: call.name).filter {
            $0.isLive && $0.maker == .pal && !unknowable.contains($0.id)
        }
        guard live.count > 1, !isReplacement(call, id, live, scene) else { return nil }
        let all = live.map { "\($0.id) (generation \($0.ownership?.generation ?? 0))" }
        return Breach(
            call.name,
            "\(id) was made while others live: \(all.sorted().joined(separator: ", "))")
    }

    /// Whether the clock was set between two creations, when nothing else told how long ago the
    /// earlier one was.
    private func isOverByTheClock(_ one: Int, _ other: Int) -> Bool {
        guard let first = begun[min(one, other)], let second = begun[max(one, other)] else {
            return false
        }
        let since = first.controller == second.controller ? first.end ?? first.at : first.at
        return jumps.contains { $0 > since && $0 < second.at }
    }

    private mutating func unknowable(
        _ call: Call, _ at: Duration, _ scene: Scene
    ) -> Set<String> {
        // What stood unknown beside the one that is replaced now still does.
        let before = excused[call.name, default: []]
        let ids = elsewhere(call, scene).flatMap { platform in
            platform.objects.map(\.id).filter {
                scene.lineage.value.excuses($0, of: platform, at)
                    || before.contains($0)
                        && scene.lineage.value.isUnknown($0, at: platform.kind.name)
            }
        }
        excused[call.name] = Set(ids)
        return Set(ids)
    }

    private func elsewhere(_ call: Call, _ scene: Scene) -> [SimulatedPlatform] {
        scene.platforms.filter { $0.kind.name != call.provider }
    }

    private func isReplacement(
        _ call: Call, _ id: String, _ live: [PlatformObject], _ scene: Scene
    ) -> Bool {
        let here = scene.platform(call.provider)?.objects ?? []
        guard live.count == 2, live.allSatisfy({ here.contains($0) }),
            let new = live.first(where: { $0.id == id })?.ownership,
            let old = live.first(where: { $0.id != id })?.ownership
        else { return false }
        return new.id == old.id && new.generation > old.generation
            && new.generation == call.generation
    }
}

import PalModel

/// There are never two live instances for one name, but for the old and the new one of one
/// start-first replacement: at one provider, of one id, the new one of a later generation. What
/// only a lost ledger knew of is excused, at another platform that could not be asked.
struct OneLiveInstance: Checker {
    static let promise = "one live instance for a name"

    /// By the call's number: what could not be known when it was made.
    private var unknown: [Int: Set<String>] = [:]

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        if case .called(let call) = entry.fact, call.verb == .create {
            unknown[call.number] = unknowable(call, entry.at, scene)
        }
        guard case .took(let call, .created(let id)) = entry.fact else { return nil }
        var unknowable = unknown[call.number] ?? []
        if scene.lineage.value.wasLost(id) {
            // It comes after the ledger was lost that knew of the call.
            unknowable.formUnion(elsewhere(call, scene).flatMap(\.objects).map(\.id))
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

    private func unknowable(_ call: Call, _ at: Duration, _ scene: Scene) -> Set<String> {
        let ids = elsewhere(call, scene).flatMap { platform in
            platform.objects.map(\.id).filter {
                scene.lineage.value.excuses($0, of: platform, at)
            }
        }
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

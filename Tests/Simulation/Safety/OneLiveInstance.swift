import PalModel

/// There are never two live instances for one name, but for the old and the new one of one
/// start-first replacement: at one provider, of one id, the new one of a later generation.
struct OneLiveInstance: Checker {
    static let promise = "one live instance for a name"

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        guard case .took(let call, .created(let id)) = entry.fact else { return nil }
        let live = scene.objects(of: call.name).filter { $0.isLive && $0.maker == .pal }
        guard live.count > 1, !isReplacement(call, id, live, scene) else { return nil }
        let all = live.map { "\($0.id) (generation \($0.ownership?.generation ?? 0))" }
        return Breach(
            call.name,
            "\(id) was made while others live: \(all.sorted().joined(separator: ", "))")
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

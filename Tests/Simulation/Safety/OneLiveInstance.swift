import PalModel
/// There are never two live instances for one name, but for the old and the new one of one
/// start-first replacement.
struct OneLiveInstance: Checker {
    static let promise = "one live instance for a name"

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        guard case .took(let call, .created(let id)) = entry.fact else { return nil }
        let live = scene.objects(of: call.name).filter { $0.isLive && $0.maker == .pal }
        guard live.count > 1 else { return nil }
        let all = live.map { "\($0.id) (generation \($0.ownership?.generation ?? 0))" }
        return Breach(
            call.name,
            "\(id) was made while others live: \(all.sorted().joined(separator: ", "))")
    }
}

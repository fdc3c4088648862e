import PalModel

/// A platform that asks for a pause, because of too many calls, is not called before it is over.
/// Calls that are under way then come to their end.
struct KeepsPauses: Checker {
    static let promise = "a platform that asks for a pause gets it"

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        guard case .impatient(let provider, let what) = entry.fact else { return nil }
        return Breach("-", "\(provider) is called: \(what)")
    }
}

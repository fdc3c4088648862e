/// That nothing is to be done for a name is decided once, and remembered as long as it is true.
struct StandingDecisions: Checker {
    static let promise = "what was decided stands only while it is true"

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        guard case .decidedWrongly(let name) = entry.fact else { return nil }
        return Breach(name, "nothing is to be done, it is remembered, and that is not so")
    }
}

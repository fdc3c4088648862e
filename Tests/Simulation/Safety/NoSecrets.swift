/// No secret's value ever stands in the ledger, in an event or in the log.
struct NoSecrets: Checker {
    static let promise = "no secret is written down"

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        guard case .leaked(let place) = entry.fact else { return nil }
        return Breach("-", "a secret's value stands in \(place)")
    }
}

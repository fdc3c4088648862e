/// While a controller lives no other one begins on the same state directory.
struct OneController: Checker {
    static let promise = "one controller at a time"

    private var living: Int?

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .began:
            defer { living = entry.controller }
            guard let living else { return nil }
            return Breach("-", "controller \(entry.controller) begins beside \(living)")
        case .crashed, .ended: if living == entry.controller { living = nil }
        default: break
        }
        return nil
    }
}

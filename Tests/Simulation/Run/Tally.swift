import PalEngine
import PalModel
/// Counts what was seen in a run, so that nobody believes in something that never happens.
struct Tally {
    private(set) var effects = 0
    private(set) var seen: [String: Int] = [:]

    mutating func see(_ entry: Entry) {
        switch entry.fact {
        case .took(let call, let effect):
            guard effect != .nothing else { return }
            effects += 1
            count("call \(call.verb.rawValue)")
        case .noted(let event): count("event \(event.reason)")
        case .began: count("controllers")
        case .refusedSecond: count("controllers refused")
        case .answered: count("requests answered")
        default: break
        }
    }

    private mutating func count(_ what: String) { seen[what, default: 0] += 1 }
}

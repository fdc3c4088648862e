import PalEngine
import PalModel

/// Before every call that changes something its intent stands in the ledger.
struct IntentFirst: Checker {
    static let promise = "an intent before every effect"

    private struct Open {
        var controller: Int
        var intent: Intent
    }

    private var open: [Int64: Open] = [:]

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .intended(let number, let intent):
            open[number] = Open(controller: entry.controller, intent: intent)
        case .finished(let number, _): open[number] = nil
        // A lost ledger counts its intents anew.
        case .began: open = [:]
        case .called(let call):
            guard !open.values.contains(where: { covers($0, call) }) else { return nil }
            return Breach(call.name, "\(call.text) without an open intent")
        default: break
        }
        return nil
    }

    private func covers(_ open: Open, _ call: Call) -> Bool {
        let step = open.intent.step
        guard open.controller == call.controller, step.verb == call.verb,
            open.intent.provider == call.provider
        else { return false }
        switch call.verb {
        case .create:
            return open.intent.name == call.name && step.generation == call.generation
        case .deleteStorage: return open.intent.name == call.name
        // An id may by now be another name's; the platform looks at the marks.
        default: return step.target?.providerInstanceId == call.target
        }
    }
}

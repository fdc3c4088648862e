/// No call is made a second time before pal has looked what came of the first: a list that was
/// asked for while the first was under way may be from before its effect, and says nothing.
struct LooksBeforeRepeating: Checker {
    static let promise = "looks before it repeats a call"

    /// When a call returned of which nobody has looked what came. The calls are without numbers.
    private var returned: [Call: Duration] = [:]

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .began: returned = [:]
        case .returned(let call, _): returned[withoutNumber(call)] = entry.at
        case .listed(let provider, let names, _, let askedAt):
            returned = returned.filter { call, at in
                call.provider != provider || call.controller != entry.controller || at > askedAt
                    || names.map { !$0.contains(call.name) } ?? false
            }
        case .called(let call):
            guard let at = returned[withoutNumber(call)] else { return nil }
            return Breach(
                call.name,
                "\(call.text), made already until \(at.milliseconds) ms, and not looked at since")
        default: break
        }
        return nil
    }

    private func withoutNumber(_ call: Call) -> Call {
        var same = call
        same.number = 0
        return same
    }
}

/// A controller never has two changes of one instance on their way at once.
struct OneChangeInFlight: Checker {
    static let promise = "one change in flight for an instance"

    private struct Key: Hashable {
        var controller: Int
        var name: String
    }

    private var calls: [Key: Call] = [:]

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .called(let call):
            let key = Key(controller: call.controller, name: call.name)
            defer { calls[key] = call }
            guard let other = calls[key] else { return nil }
            return Breach(call.name, "\(call.text), while this was not answered: \(other.text)")
        case .returned(let call, _):
            calls[Key(controller: call.controller, name: call.name)] = nil
        default: break
        }
        return nil
    }
}

import PalModel
import PalProvider

extension FlyProvider {
    /// Looks at what came of a change that Fly.io has accepted: whatever fails here, it was made.
    func afterEffect<Result>(
        _ what: String, _ look: () async throws(ProviderFailure) -> Result
    ) async throws(ProviderFailure) -> Result {
        do throws(ProviderFailure) {
            return try await look()
        } catch {
            if case .ambiguous = error { throw error }
            throw .ambiguous("\(what), and then: \(error)")
        }
    }

    /// Waits until a machine is in a state, in slices of at most a minute, as Fly.io allows.
    ///
    /// - Returns: False where it is not within that time, or is no more.
    func wait(
        _ machine: Machine, for state: String, atMost limit: Duration
    ) async throws(ProviderFailure) -> Bool {
        let end = ticker.elapsed() + limit
        var version = machine.version
        while true {
            let left = end - ticker.elapsed()
            guard left > .zero else { return false }
            let slice = min(60, max(1, left.components.seconds))
            var query = [("state", state), ("timeout", String(slice))]
            // Without it Fly.io may mean the version before.
            if let version { query.append(("version", version)) }
            var call = MachinesCall(.wait, "GET", machine: machine.id, "/wait", query: query)
            call.timeout = .seconds(slice + 15)
            let answer = try await api.send(call)
            if answer.isSuccess { return true }
            switch answer.status {
            case 404: return state == "destroyed"
            case 408 where !answer.message.contains("replaced"): continue
            case 400, 408, 409, 412:
                // Another version is there, or it cannot come to that state any more.
                guard let now = try await self.machine(machine.id) else {
                    return state == "destroyed"
                }
                guard now.version != version else { return now.state == state }
                version = now.version
            default:
                throw .unexpected(
                    answer, doing: "wait for the machine \(machine.id)", changesSomething: false)
            }
        }
    }
}

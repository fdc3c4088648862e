import PalModel
import Synchronization

/// The instances as they were last handed out.
///
/// What is the same again is handed out as the same in memory: whoever compares it with what they
/// keep is done at once, and keeps it once.
final class HandedOut: Sendable {
    private let last = Mutex<[String: VSCodeInstance]>([:])

    /// The instance, or an equal one that was handed out before.
    func same(as instance: VSCodeInstance) -> VSCodeInstance {
        last.withLock { last in
            let id = instance.providerInstanceId
            if let known = last[id], known == instance { return known }
            last[id] = instance
            return instance
        }
    }

    /// One of the swarm's own as it was last handed out; what was adopted is none. The marks of a
    /// container never change, so that it is still the swarm's, where it still stands.
    func own(_ id: String) -> VSCodeInstance? {
        last.withLock { $0[id].flatMap { $0.isAdopted == true ? nil : $0 } }
    }

    /// Forgets the containers that are gone.
    func retain(_ ids: Set<String>) {
        last.withLock { last in last = last.filter { ids.contains($0.key) } }
    }
}

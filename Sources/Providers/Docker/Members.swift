import Logging
import PalModel
import PalProvider
import Synchronization

/// The containers of the swarm that are known to stand, so that nobody has to ask after each
/// deletion whether it was the last.
final class Members: Sendable {
    private struct State {
        /// Nil until there was a list.
        var ids: Set<String>?
        var changes = 0
        /// Creations under way.
        var creations = 0
    }

    private let state = Mutex(State())

    /// To be taken before a list is asked for: how many changes there were.
    var changes: Int { state.withLock { $0.changes } }

    /// A list of all containers. One that was asked for before the last change shows what is gone,
    /// and lacks what was made: it does not count.
    func replace(_ all: Set<String>, asOf changes: Int) {
        state.withLock { if $0.changes == changes { $0.ids = all } }
    }

    /// One was made.
    func insert(_ id: String) {
        state.withLock { state in
            state.ids?.insert(id)
            state.changes += 1
        }
    }

    /// One is gone.
    func remove(_ id: String) {
        state.withLock { state in
            state.ids?.remove(id)
            state.changes += 1
        }
    }

    /// One is going to be made, until as many have ended.
    func beginCreation() { state.withLock { $0.creations += 1 } }

    /// A creation has ended, whatever came of it.
    func endCreation() { state.withLock { $0.creations -= 1 } }

    /// False where one is known to stand, or to come.
    var mayBeEmpty: Bool { state.withLock { $0.creations == 0 && $0.ids?.isEmpty ?? true } }
}

extension DockerProvider {
    /// Removes the swarm's network where no container is left: the last one was deleted, or the
    /// first one could not be made.
    ///
    /// For the list that follows a deletion, not the deletion itself: the only instance of a swarm
    /// may be made anew right after. Asks the Engine only where no other is known. What the Engine
    /// refuses, the next list tries again, and a network that stays is used again.
    ///
    /// - Throws: Where the Engine does not answer: with the last instance gone nobody else would
    ///   look again.
    func removeNetworkAfterLast() async throws(ProviderFailure) {
        guard members.mayBeEmpty else { return }
        await networkTurnstile.enter()
        defer { networkTurnstile.leave() }
        do throws(ProviderFailure) {
            let changes = members.changes
            let left = try await summaries(labels: [:])
            members.replace(Set(left.map(\.id)), asOf: changes)
            guard left.isEmpty else { return networkOwed.set(false) }
            // Before the call: a creation that comes now looks for itself.
            networkSeen.set(false)
            let label = "\(DockerLabel.swarm)=\(settings.swarm)"
            let answer = try await engine.send(
                EngineCall(
                    "GET", "/networks",
                    query: [EngineCall.filters(["name": [networkName], "label": [label]])]))
            guard answer.isSuccess, members.mayBeEmpty else { return }
            let isThere = try answer.decoded(as: [NetworkSummary].self).contains {
                $0.name == networkName
            }
            if isThere {
                let removal = try await engine.send(
                    EngineCall("DELETE", "/networks/\(networkName)"))
                guard removal.status < 500 else { return }
                if !removal.isSuccess, removal.status != 404 { tellKept(removal.message) }
            }
            // Gone, or refused: a container that is not pal's is on it, and it stays.
            networkOwed.set(false)
        } catch {
            throw .connection(
                .unreachable, "Docker was lost while \(networkName) was removed: \(error)")
        }
    }

    private func tellKept(_ reason: String) {
        logger.warning(
            """
            \(name): the last instance is gone, and Docker keeps the network \(networkName): \
            \(reason). Where nothing of yours is on it, 'docker network inspect' shows what is; \
            Docker itself forgets one now and then, and is rid of it when it is started anew
            """)
    }
}

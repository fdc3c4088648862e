import PalModel
import PalProvider
import Synchronization

/// Lets one task at a time through, in the order in which they came.
///
/// Engines before 25 make a second network of the same name when two creations meet, so those of
/// one provider do not meet.
final class Turnstile: Sendable {
    private struct State {
        var isOccupied = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Waits for its turn. Everybody who entered must leave. A cancelled task waits, too: those
    /// before it are bound by the limits of their calls.
    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isOccupied {
                    state.waiting.append(continuation)
                    return false
                }
                state.isOccupied = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.isOccupied = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

/// Whether something was seen, and no reason to look again has come since.
final class Seen: Sendable {
    private let state = Mutex(false)

    var isTrue: Bool { state.withLock { $0 } }

    func set(_ seen: Bool) { state.withLock { $0 = seen } }
}

extension DockerProvider {
    /// Makes the swarm's network where it is missing.
    ///
    /// Looks once: an Engine that refuses a container for whatever reason makes it look again.
    func ensureNetwork() async throws(ProviderFailure) {
        guard !networkSeen.isTrue else { return }
        await networkTurnstile.enter()
        defer { networkTurnstile.leave() }
        guard !networkSeen.isTrue else { return }
        try await makeNetwork()
        networkSeen.set(true)
    }

    private func makeNetwork() async throws(ProviderFailure) {
        guard try await !networkExists(networkName) else { return }
        let answer = try await engine.send(
            EngineCall(
                "POST", "/networks/create",
                body: .map([
                    "Name": .string(networkName), "Driver": .string("bridge"),
                    "CheckDuplicate": .bool(true),
                    "Labels": .texts([DockerLabel.swarm: settings.swarm]),
                ])))
        // 409: another controller was faster.
        guard !answer.isSuccess, answer.status != 409 else { return }
        if EngineMessage.isOutOfAddresses(answer.message) {
            throw .error(
                ProviderError(
                    .provider, .platformFailure,
                    "Docker has no address range left for the network \(networkName); remove "
                        + "networks that nobody uses (docker network prune), or set "
                        + "specific.network to an existing one", cause: answer.message,
                    isRetryable: true))
        }
        throw .unexpected(
            answer, doing: "make the network \(networkName)", changesSomething: true)
    }

    var networkName: String { DockerName.network(swarm: settings.swarm) }

    /// Whether a network of exactly that name is there.
    func networkExists(_ name: String) async throws(ProviderFailure) -> Bool {
        // To Podman a way to run, and no network.
        if engine.isPodman, ["bridge", "host", "none"].contains(name) { return true }
        // The Engine's filter takes every name that contains the text.
        let answer = try await engine.send(
            EngineCall("GET", "/networks", query: [EngineCall.filters(["name": [name]])]))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the networks", changesSomething: false)
        }
        return try answer.decoded(as: [NetworkSummary].self).contains { $0.name == name }
    }
}

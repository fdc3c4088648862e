import PalEngine
import PalModel

/// What its platform never makes is tried again after pauses that double up to the longest one, so
/// often as the policy says, and then not again.
struct Attempts {
    static let promise = "pauses between attempts stay within their limit"
    static let name = "in-vain"
    /// What the world may add: a look at the files, a call, a list.
    private static let slack = Duration.seconds(5)

    let policy: Policy

    /// Until the last attempt, and long enough after it that another would be seen.
    var time: Duration {
        (1...policy.stallAfter).reduce(policy.retry.limit * 2) { $0 + pause($1) + Self.slack }
    }

    /// The longest pause after so many failures.
    private func pause(_ failures: Int) -> Duration {
        min(policy.retry.first * (1 << min(failures - 1, 30)), policy.retry.limit)
    }

    /// What was wrong with attempts at these times.
    func problems(_ times: [Duration]) -> [String] {
        var found: [String] = []
        if times.count != policy.stallAfter {
            found.append("\(times.count) attempts, not \(policy.stallAfter)")
        }
        for (index, pair) in zip(times, times.dropFirst()).enumerated() {
            let (pause, longest) = (pair.1 - pair.0, pause(index + 1))
            // The jitter may take half away.
            guard pause < longest * 0.45 || pause > longest + Self.slack else { continue }
            found.append(
                "\(pause.milliseconds) ms after \(index + 1) failures; the policy says "
                    + "\(longest.milliseconds) ms")
        }
        return found
    }
}

extension Run {
    /// Something is declared that its platform does not make.
    func tryInVain() {
        let attempts = Attempts(policy: world.setup.policy)
        let platform = world.platforms[0]
        platform.state.value.balks[Attempts.name] = []
        world.tree.write(
            "\(Attempts.name).yaml", [InstanceConfig(name: Attempts.name)])
        guard run(for: attempts.time) else { return }
        for what in attempts.problems(platform.state.value.balks[Attempts.name] ?? []) {
            broken(Attempts.promise, what, Attempts.name)
        }
    }
}

import PalEngine

/// All safety checkers, and what they found.
struct Safety {
    private var checkers: [any Checker]
    private(set) var findings: [Finding] = []

    /// These alone.
    init(_ checkers: [any Checker]) { self.checkers = checkers }

    /// All of them, for one controller at a time.
    init(_ policy: Policy) {
        checkers = [
            OwnObjectsOnly(), OneLiveInstance(), OneChangeInFlight(), CompleteReads(),
            PruneBudget(policy), PersistentData(), NoSecrets(), IntentFirst(),
            OldServesUntilReady(), AsksBeforeInterrupting(), DependenciesFirst(),
            PausesAfterFailures(policy), LooksBeforeRepeating(), KeepsPauses(),
            OneController(), StandingDecisions(),
        ]
    }

    /// So many are told; the rest follows from them as a rule.
    private static let most = 20

    mutating func see(_ entry: Entry, _ scene: Scene) {
        for index in checkers.indices {
            guard let breach = checkers[index].see(entry, scene), findings.count < Self.most
            else { continue }
            findings.append(
                Finding(
                    promise: type(of: checkers[index]).promise, at: entry.at.milliseconds,
                    name: breach.name, what: breach.what))
        }
    }
}

public import FoundationEssentials
public import PalModel

/// What spans names: the prune budget, and what must be ready first.
///
/// A value without effects: the reconciler tells it who would be pruned, and asks before each
/// plan is carried out.
public struct Admission: Sendable {
    private let policy: Policy
    /// Deletions that were let through lately, by the clock's time.
    private var recent: [(name: String, at: Duration, date: Date)] = []
    /// The deletions that wait, with the consent once it was given.
    public private(set) var parked: ParkedPlan?

    /// - Parameter state: What the ledger kept from the last run: deletions of the last minute
    ///   count, whoever made them.
    public init(
        policy: Policy, from state: SwarmState? = nil, at elapsed: Duration = .zero,
        _ date: Date = Date()
    ) {
        self.policy = policy
        parked = state?.parked
        recent = (state?.recentDeletions ?? []).map { deletion in
            // A clock that was set back makes nothing older than it is.
            let age = max(0, date.timeIntervalSince(deletion.at))
            return (deletion.name, elapsed - .seconds(age), deletion.at)
        }
    }

    /// The deletions that count against the budget of the next ones.
    public var recentDeletions: [RecentDeletion] {
        recent.map { RecentDeletion(name: $0.name, at: $0.date) }
    }

    /// Weighs the deletions that the specs ask for against the budget.
    ///
    /// What was parked stays parked until somebody consents or its own file comes back, however few
    /// are left: who restores files one after the other must not lose the last ones.
    ///
    /// - Parameters:
    ///   - candidates: Every name that would be pruned now; nil where that is not known, or nothing
    ///     may be pruned at all.
    ///   - declared: How many names the specs declare now.
    ///   - isUndeclared: Whether pal knows a name, and no good declaration of it.
    public mutating func weigh(
        _ candidates: Set<String>?, declared: Int, isUndeclared: (String) -> Bool,
        at elapsed: Duration, _ date: Date
    ) {
        // Whose file was back in between is nobody's to delete by the consent of before, and what
        // is gone waits for nobody, whatever may be deleted now.
        parked?.names.removeAll { !isUndeclared($0) }
        if parked?.names.isEmpty == true { parked = nil }
        guard let candidates else { return }
        recent.removeAll { elapsed - $0.at > policy.pruneWindow }
        let together = candidates.union(recent.map(\.name))
        let total = declared + together.count
        let isTooMany =
            together.count > policy.pruneCount
            && together.count * 100 > policy.prunePercent * total
        let held = Set(parked?.approvedBy == nil ? parked?.names ?? [] : [])
        let names = (isTooMany ? candidates.union(held) : held).sorted()
        guard !names.isEmpty else {
            parked = nil
            return
        }
        if let old = parked, old.approvedBy != nil, Set(old.names).isSuperset(of: names) { return }
        parked = ParkedPlan(names: names, since: parked?.since ?? date)
    }

    /// Lets the parked deletions go on.
    public mutating func approve(by person: String) { parked?.approvedBy = person }

    /// Whether a deletion may go on; the condition says why not.
    public mutating func admit(
        _ plan: InstancePlan, at elapsed: Duration, _ date: Date
    ) -> Condition? {
        guard plan.isPrune, plan.action == .delete else { return nil }
        if let parked, parked.approvedBy == nil, parked.names.contains(plan.name) {
            return waiting(parked)
        }
        recent.append((plan.name, elapsed, date))
        return nil
    }

    /// Whether what a plan starts may be started yet.
    ///
    /// - Parameters:
    ///   - isReady: Whether an instance is ready now.
    /// - Returns: The plan as it may go on: itself; without steps, because a demand can never be
    ///   met; or with the names that its steps wait for in `waitsFor`.
    static func gate(
        _ plan: InstancePlan, _ dependencies: Dependencies, isReady: (String) -> Bool
    ) -> InstancePlan {
        if let problem = dependencies.problems[plan.name] {
            guard plan.action != .delete else { return plan }
            var gated = plan
            gated.action = .none
            (gated.causes, gated.steps) = ([], [])
            gated.conditions.append(
                Condition(.blocked, reason: "InvalidDependency", message: problem.description))
            return gated
        }
        guard plan.leadsToStart, let needed = dependencies.needs[plan.name]
        else { return plan }
        let missing = needed.filter { !isReady($0) }
        guard !missing.isEmpty else { return plan }
        var gated = plan
        gated.waitsFor = missing
        gated.conditions.append(
            Condition(
                .waiting, reason: "DependsOn",
                message: "waits until \(missing.joined(separator: ", ")) "
                    + (missing.count == 1 ? "is ready" : "are ready")))
        return gated
    }

    private func waiting(_ parked: ParkedPlan) -> Condition {
        Condition(
            .parked, reason: "PruneBudget",
            message: "more deletions at once than the prune budget allows "
                + "(\(policy.pruneCount) and \(policy.prunePercent)%), \(parked.names.count) wait: "
                + "'pal approve' lets them go on, and restoring their files takes them back",
            since: parked.since)
    }
}

extension InstancePlan {
    /// Whether it starts something, or takes away what is made elsewhere right after: what serves
    /// goes only when the other can come.
    fileprivate var leadsToStart: Bool {
        steps.contains { $0.verb == .create || $0.verb == .start }
            || (action == .replace && change == .replaceLosingData && !steps.isEmpty)
    }
}

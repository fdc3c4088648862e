import PalEngine
import PalModel

/// Not more instances than the budget allows are deleted at once because their declarations are
/// gone, unless somebody consents.
struct PruneBudget: Checker {
    static let promise = "the prune budget"

    let policy: Policy
    private var declared: Set<String> = []
    private var frozen: Set<String> = []
    private var most: [(at: Duration, count: Int)] = []
    private var consents: Set<String> = []
    private var pruned: [String: Duration] = [:]
    /// When the plan of a name began, and whether the name was declared then.
    private var begun: [String: (at: Duration, wasDeclared: Bool)] = [:]
    private var known: Set<String> = []

    init(_ policy: Policy) { self.policy = policy }

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .told(let desired):
            declared = Set(desired.declarations.keys)
            frozen = Set(desired.frozen.keys)
            known.formUnion(declared)
            consents.subtract(declared)
            most.append((entry.at, declared.count))
        case .requested(let request) where request.verb == .approve:
            let names = request.names.isEmpty ? known.subtracting(declared) : Set(request.names)
            consents.formUnion(names)
        case .intended(_, let intent): return note(intent, entry.at)
        default: break
        }
        return nil
    }

    private mutating func note(_ intent: Intent, _ at: Duration) -> Breach? {
        let name = intent.name
        let isDeclared = declared.contains(name) || frozen.contains(name)
        if begun[name].map({ at - $0.at > Plans.longest || isDeclared != $0.wasDeclared }) ?? true,
            intent.step.verb != .delete || begun[name] == nil || isDeclared
                || at - (begun[name]?.at ?? .zero) > Plans.longest
        {
            begun[name] = (at, isDeclared)
        }
        guard let plan = begun[name], !plan.wasDeclared, intent.step.verb == .delete,
            !consents.contains(name)
        else { return nil }
        let begun = plan.at
        pruned[name] = begun
        let together = pruned.filter { begun - $0.value <= policy.pruneWindow }
        let total =
            together.count
            + (most.filter { at - $0.at <= policy.pruneWindow * 5 }
                .map(\.count).max() ?? 0)
        guard together.count > policy.pruneCount,
            together.count * 100 > policy.prunePercent * total
        else { return nil }
        return Breach(
            name,
            "\(together.count) of \(total) deleted within "
                + "\(policy.pruneWindow.milliseconds / 1000) s, more than \(policy.pruneCount) and "
                + "\(policy.prunePercent)%, without consent: \(together.keys.sorted())")
    }
}

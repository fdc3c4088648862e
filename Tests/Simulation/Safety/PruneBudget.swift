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
    /// When the plan of a name began, and whether the name was declared or parked then.
    private var begun: [String: (at: Duration, wasDeclared: Bool, wasParked: Bool)] = [:]
    private var stopped: [String: Duration] = [:]
    private var known: Set<String> = []
    /// What the controller said waits for consent: only that, or its file, lets it go.
    private var parked: Set<String> = []
    private var openRequests = 0
    private var hasJumped = false

    init(_ policy: Policy) { self.policy = policy }

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .told(let desired):
            declared = Set(desired.declarations.keys)
            frozen = Set(desired.frozen.keys)
            known.formUnion(declared)
            parked.subtract(declared.union(frozen))
            // What somebody has asked for, and was not told of, may still be carried out.
            if openRequests <= 0 { consents.subtract(declared) }
            most.append((entry.at, declared.count))
        case .requested(let request):
            openRequests += 1
            guard request.verb == .approve else { break }
            let names = request.names.isEmpty ? known.subtracting(declared) : Set(request.names)
            consents.formUnion(names)
            parked.subtract(names)
        case .answered: openRequests -= 1
        case .struck(.clockJump): hasJumped = true
        case .began(let ledgerIsNew):
            if ledgerIsNew { (openRequests, parked) = (0, []) }
            // How long ago a deletion was, a new controller knows from the clock alone.
            if ledgerIsNew || hasJumped { pruned = [:] }
            hasJumped = false
        case .wroteState(let state):
            guard let waiting = state.parked, waiting.approvedBy == nil else { break }
            parked.formUnion(Set(waiting.names).subtracting(declared.union(frozen)))
        case .intended(_, let intent): note(intent, entry.at)
        case .took(let call, .deleted): return check(call.name)
        default: break
        }
        return nil
    }

    private mutating func note(_ intent: Intent, _ at: Duration) {
        let name = intent.name
        let isDeclared = declared.contains(name) || frozen.contains(name)
        // A deletion goes on what a stop began; everything else begins a plan.
        let goesOn =
            intent.step.verb == .delete && stopped[name].map { at - $0 < Plans.longest } == true
        if !goesOn { begun[name] = (at, isDeclared, parked.contains(name)) }
        stopped[name] = intent.step.verb == .stop ? at : nil
    }

    private mutating func check(_ name: String) -> Breach? {
        guard let plan = begun[name], !plan.wasDeclared, !consents.contains(name) else {
            return nil
        }
        guard !plan.wasParked else {
            return Breach(name, "deleted, though it was parked and nobody consented")
        }
        let begun = plan.at
        pruned[name] = begun
        // Another may have begun after it, and ended before.
        let starts = pruned.values.filter { $0 <= begun && begun - $0 <= policy.pruneWindow }
        let together =
            starts.map { start in
                pruned.filter { $0.value >= start && $0.value - start <= policy.pruneWindow }
            }.max { $0.count < $1.count } ?? [:]
        let total =
            together.count
            + (most.filter { begun - $0.at <= policy.pruneWindow * 5 }
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

import PalEngine
import PalModel

/// Nothing is deleted because of an incomplete read: neither of the files (an instance whose
/// declaration was only not seen) nor of a provider (one that was not listed as a whole yet, where
/// nothing is made either).
struct CompleteReads: Checker {
    static let promise = "deletes only after complete reads"

    private var look = Look(isComplete: false)
    private var goodFiles: Set<String> = []
    private var toldAt: [String: Duration] = [:]
    private var absentAt: [String: Duration] = [:]
    private var listedAt: [String: Duration] = [:]
    private var failedAt: [String: Duration] = [:]
    private var consents: Set<String> = []
    /// What was not told of last because of a broken file alone.
    private var hidden: Set<String> = []

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .began:
            let old = consents
            self = CompleteReads()
            consents = old
        case .looked(let look):
            self.look = look
            goodFiles.formUnion(look.goodFiles)
        case .told(let desired): note(desired, entry.at)
        case .listed(let provider, nil, _): listedAt[provider] = entry.at
        case .listFailed(let provider, _): failedAt[provider] = entry.at
        case .requested(let request) where request.verb == .approve:
            consents.formUnion(request.names)
        case .noted(let event) where event.reason == "Deleting":
            return event.name.flatMap(hidden)
        case .called(let call) where call.verb == .delete || call.verb == .create:
            return unlisted(call, entry.at) ?? undeclared(call, entry.at)
        default: break
        }
        return nil
    }

    private mutating func note(_ desired: Desired, _ at: Duration) {
        hidden = []
        for name in desired.declarations.keys { toldAt[name] = at }
        for name in toldAt.keys where desired.declarations[name] == nil {
            // A name that was frozen, or that a broken file hides, is not gone.
            let isGone =
                look.isComplete && !look.declared.contains(name)
                && !look.hidden.contains(name) && look.brokenFiles.isSubset(of: goodFiles)
            if isGone { absentAt[name] = at }
            if look.hidden.subtracting(look.torn).contains(name), !look.declared.contains(name),
                desired.frozen[name] == nil, desired.pruneBlock == nil
            {
                hidden.insert(name)
            }
        }
        if look.isComplete, look.brokenFiles.isSubset(of: goodFiles) { certainAt = at }
    }

    /// When a look last told everything for certain; names that this controller was never told of
    /// are known to be absent since then.
    private var certainAt: Duration?

    /// A deletion begins of something that a broken file stands for.
    private func hidden(_ name: String) -> Breach? {
        guard hidden.contains(name), !consents.contains(name) else { return nil }
        return Breach(name, "its deletion begins, and a file that is broken now declared it")
    }

    private func unlisted(_ call: Call, _ at: Duration) -> Breach? {
        guard let listed = listedAt[call.provider] else {
            return Breach(call.name, "\(call.text), and \(call.provider) was never listed")
        }
        if let failed = failedAt[call.provider], failed > listed, at - failed > Plans.longest {
            return Breach(
                call.name, "\(call.text), and the list of \(failed.milliseconds) ms failed")
        }
        return nil
    }

    private func undeclared(_ call: Call, _ at: Duration) -> Breach? {
        guard call.verb == .delete, !consents.contains(call.name) else { return nil }
        guard let told = toldAt[call.name] else {
            return certainAt == nil
                ? Breach(call.name, "\(call.text), and no look at the files was complete") : nil
        }
        if at - told <= Plans.longest || (absentAt[call.name] ?? .zero) > told { return nil }
        // It is declared now, or its absence is certain.
        if isDeclared(call.name, at) { return nil }
        return Breach(
            call.name,
            "\(call.text), and no complete look showed that its declaration is gone; "
                + "it was last told at \(told.milliseconds) ms")
    }

    private func isDeclared(_ name: String, _ at: Duration) -> Bool {
        guard let last = toldAt.values.max() else { return false }
        return toldAt[name] == last
    }
}

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
    /// By name: what was begun, and the providers whose last list had not come whole then.
    private var begun: [String: Set<String>] = [:]

    /// The events that a plan begins with.
    static let beginnings: Set = [
        "Creating", "Starting", "Stopping", "Restarting", "Updating", "Replacing", "Deleting",
    ]

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
        case .listed(let provider, nil, _, _): listedAt[provider] = entry.at
        case .listFailed(let provider, _): failedAt[provider] = entry.at
        case .requested(let request) where request.verb == .approve:
            consents.formUnion(request.names)
        case .noted(let event) where Self.beginnings.contains(event.reason):
            guard let name = event.name else { break }
            begun[name] = Set(scene.platforms.map(\.kind.name).filter { isInDoubt($0, entry.at) })
            guard event.reason == "Deleting" else { break }
            return hidden(name) ?? undeclared(name, entry.at)
        case .noted(let event) where event.reason == "Parked":
            // What waits for a word is as good as begun: somebody will say it.
            return parked(in: event.message).compactMap { undeclared($0, entry.at) }.first
        case .intended(_, let intent):
            guard begun.removeValue(forKey: intent.name)?.contains(intent.provider) == true
            else { break }
            return Breach(
                intent.name,
                "\(intent.step.verb.rawValue), and the last list of \(intent.provider) failed")
        case .called(let call) where call.verb == .delete || call.verb == .create:
            guard listedAt[call.provider] == nil else { break }
            return Breach(call.name, "\(call.text), and \(call.provider) was never listed")
        default: break
        }
        return nil
    }

    private mutating func note(_ desired: Desired, _ at: Duration) {
        hidden = []
        for name in desired.declarations.keys { toldAt[name] = at }
        for name in toldAt.keys where desired.declarations[name] == nil {
            // A name that was frozen, or that a broken file hides, is not gone. What is half
            // written may look whole: then nobody can tell.
            let isGone =
                look.isComplete && !look.declared.contains(name)
                && (!look.hidden.contains(name) || look.torn.contains(name))
                && look.brokenFiles.isSubset(of: goodFiles)
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

    /// Whether a provider's last list failed. What happens at the same moment may come after.
    private func isInDoubt(_ provider: String, _ at: Duration) -> Bool {
        guard let failed = failedAt[provider], failed < at else { return false }
        return listedAt[provider].map { $0 < failed } ?? true
    }

    /// The names that an event about parked deletions ends with.
    private func parked(in message: String) -> [String] {
        let names = message.split(separator: ": ").last ?? ""
        return names.split(separator: ", ").map(String.init)
    }

    /// A deletion begins of what may only not have been seen.
    private func undeclared(_ name: String, _ at: Duration) -> Breach? {
        guard !consents.contains(name) else { return nil }
        guard let told = toldAt[name] else {
            return certainAt == nil
                ? Breach(name, "its deletion begins, and no look at the files was complete") : nil
        }
        // It is declared now, or was until this moment, or its absence is certain.
        if told == at || isDeclared(name, at) { return nil }
        if let absent = absentAt[name], absent > told { return nil }
        return Breach(
            name,
            "its deletion begins, and no complete look showed that its declaration is gone; "
                + "it was last told at \(told.milliseconds) ms")
    }

    private func isDeclared(_ name: String, _ at: Duration) -> Bool {
        guard let last = toldAt.values.max() else { return false }
        return toldAt[name] == last
    }
}

import PalEngine
import PalModel

/// What the ledger that is in use can know of what stands at the platforms, worked out from the
/// trace alone.
///
/// With the ledger lost, an object is unknown until its platform is listed completely to the new
/// one; where no spec names that platform, nobody asks it (docs/decisions.md). Only for such an
/// object it is excused that its name is made a second time elsewhere.
struct Lineage {
    /// A platform that answers, and fails, is waited for at least so long before that.
    private static let patience = Duration.seconds(20)

    private struct Making {
        var ledger: Int
        var at: Duration
    }

    /// Counts the ledgers that were lost.
    private var ledger = 0
    /// The ledger that each controller had.
    private var ledgers: [Int: Int] = [:]
    private var made: [String: Making] = [:]
    /// By provider: its last complete list to the ledger that is in use.
    private var listedAt: [String: Duration] = [:]
    private var named: Set<String> = []
    /// By provider: since when the controller that runs knows of it.
    private var namedSince: [String: Duration] = [:]
    private var problems: [String: String] = [:]

    mutating func see(_ entry: Entry) {
        switch entry.fact {
        case .struck(.lostLedger):
            ledger += 1
            listedAt = [:]
        case .began:
            ledgers[entry.controller] = ledger
            (named, namedSince, problems) = ([], [:], [:])
        case .told(let desired) where entry.controller > 0: note(desired, entry.at)
        case .listed(let provider, nil, _, _) where ledgers[entry.controller] == ledger:
            listedAt[provider] = entry.at
            problems[provider] = nil
        case .listFailed(let provider, let why) where entry.controller > 0:
            problems[provider] = why
        case .noted(let event) where event.reason == "ProviderUnreachable": note(event)
        case .took(let call, .created(let id)):
            made[id] = Making(ledger: ledgers[call.controller] ?? 0, at: entry.at)
        default: break
        }
    }

    private mutating func note(_ desired: Desired, _ at: Duration) {
        named = Set(desired.declarations.values.map { $0.config.value.provider ?? "docker" })
        for provider in named { namedSince[provider] = namedSince[provider] ?? at }
    }

    private mutating func note(_ event: EventRecord) {
        let words = event.message.split(separator: "'")
        guard words.count > 2 else { return }
        problems[String(words[1])] = event.message
    }

    /// Whether an object was made under a ledger that is lost, and its platform was not listed
    /// since.
    func isUnknown(_ id: String, at provider: String) -> Bool {
        guard wasLost(id), let making = made[id] else { return false }
        return listedAt[provider].map { $0 < making.at } ?? true
    }

    /// Whether the ledger that an object was made under is lost.
    func wasLost(_ id: String) -> Bool { made[id].map { $0.ledger < ledger } ?? false }

    /// Whether nothing more can be asked of the engine before it makes the name elsewhere: nobody
    /// names the platform, it does not answer at all, or it failed for a while.
    func excuses(_ id: String, of platform: SimulatedPlatform, _ now: Duration) -> Bool {
        let provider = platform.kind.name
        guard isUnknown(id, at: provider) else { return false }
        // A call of the lost ledger's that took effect after the first list to the new one.
        if listedAt[provider] != nil { return true }
        guard named.contains(provider), platform.isReachable else { return true }
        guard let problem = problems[provider], let since = namedSince[provider] else {
            return false
        }
        return problem.contains("does not answer") || now - since >= Self.patience
    }
}

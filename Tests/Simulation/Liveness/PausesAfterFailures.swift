import PalEngine
import PalModel
import PalProvider

/// After a failed call pal waits before the next one, but never longer than the longest pause; and
/// after so many in a row it waits for somebody.
struct PausesAfterFailures: Checker {
    static let promise = "pauses after failures"

    private struct Failure {
        var controller: Int
        var at: Duration
        var what: String
        /// Whether nothing has happened since that may be why nothing is tried.
        var isOpen = true
    }

    private static let successes: Set = [
        "Created", "Replaced", "Updated", "Started", "Restarted", "Deleted",
    ]

    private let shortest: Duration
    private let longest: Duration
    private let most: Int
    private var last: [String: Failure] = [:]
    private var inARow: [String: Int] = [:]
    private var desired: Desired?
    private var toldAt = Duration.zero
    private var openRequests = 0
    private var askedAt = Duration.zero

    init(_ policy: Policy) {
        // The jitter may take half away.
        shortest = policy.retry.first * 0.45
        // Others may be in the way for a while.
        longest = policy.retry.limit + policy.resync + .seconds(300)
        most = policy.stallAfter
    }

    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach? {
        switch entry.fact {
        case .began:
            last = [:]
            inARow = [:]
        case .requested:
            openRequests += 1
            inARow = [:]
        case .answered:
            openRequests -= 1
            askedAt = entry.at
            inARow = [:]
        case .told(let new): note(new, entry.at)
        case .platform(_, let name):
            last[name]?.isOpen = false
            if scene.objects(of: name).contains(where: { $0.readiness == .ready }) {
                inARow[name] = nil
            }
        case .noted(let event) where Self.successes.contains(event.reason):
            if let name = event.name { inARow[name] = nil }
        case .listFailed: for name in last.keys { last[name]?.isOpen = false }
        case .returned(let call, let failure): note(call, failure, entry.at)
        case .called(let call):
            return isTooSoon(call, entry.at) ?? isTooLate(call, entry.at) ?? isTooOften(call)
        default: break
        }
        return nil
    }

    /// Whatever the specs newly say gives every attempt again.
    private mutating func note(_ new: Desired, _ at: Duration) {
        let isSame =
            desired.map {
                $0.declarations == new.declarations && $0.frozen == new.frozen
                    && $0.pruneBlock == new.pruneBlock
            } ?? false
        desired = new
        guard !isSame else { return }
        toldAt = at
        inARow = [:]
    }

    private mutating func note(_ call: Call, _ failure: ProviderFailure?, _ at: Duration) {
        guard let failure else {
            if [.create, .start, .update].contains(call.verb) { inARow[call.name] = nil }
            return
        }
        // These are followed by another plan, or by the wait for the provider.
        if case .needsReplacement = failure { return }
        if failure.error?.kind == .connection { return }
        last[call.name] = Failure(controller: call.controller, at: at, what: failure.description)
        // What is not the spec's own failure is tried for ever.
        guard let error = failure.error, error.kind != .provider,
            ![.notFound, .alreadyExists].contains(error.code)
        else { return }
        inARow[call.name, default: 0] += 1
    }

    private func isTooSoon(_ call: Call, _ at: Duration) -> Breach? {
        guard let failure = last[call.name], failure.controller == call.controller,
            at - failure.at < shortest, toldAt < failure.at, openRequests <= 0,
            askedAt < failure.at
        else { return nil }
        return Breach(
            call.name,
            "\(call.text), \((at - failure.at).milliseconds) ms after '\(failure.what)'")
    }

    private func isTooLate(_ call: Call, _ at: Duration) -> Breach? {
        guard let failure = last[call.name], failure.controller == call.controller, failure.isOpen,
            at - failure.at > longest, toldAt < failure.at, openRequests <= 0,
            askedAt < failure.at,
            desired?.declarations[call.name]?.config.value.dependsOn?.isEmpty ?? true
        else { return nil }
        return Breach(
            call.name,
            "\(call.text), only \((at - failure.at).milliseconds) ms after '\(failure.what)'")
    }

    private func isTooOften(_ call: Call) -> Breach? {
        guard [.create, .start, .update].contains(call.verb), openRequests <= 0,
            let count = inARow[call.name], count > most
        else { return nil }
        return Breach(call.name, "\(call.text), after \(count) failures in a row")
    }
}

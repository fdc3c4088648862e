import PalEngine
import PalModel
import PalProvider

/// A call that changes something at a platform.
struct Call: Sendable, Hashable {
    /// Unique in a run.
    var number: Int
    /// The controller that makes it.
    var controller: Int
    /// The provider's configured name.
    var provider: String
    /// What it does.
    var verb: Step.Verb
    /// The instance that is meant, as far as the platform ever knew it.
    var name: String
    /// The platform's id of the object or storage; empty for a creation.
    var target = ""
    /// The generation that a creation makes; 0 otherwise.
    var generation = 0

    var text: String {
        var text = "\(verb.rawValue) \(name)"
        if !target.isEmpty { text += " (\(target))" }
        if generation > 0 { text += " generation \(generation)" }
        return "\(text) at \(provider), call \(number)"
    }
}

/// What a call did to a platform.
enum Effect: Sendable, Hashable {
    case created(String)
    case deleted(String)
    case changed(String)
    case storageDeleted(String)
    /// Nothing: it was so already.
    case nothing

    var text: String {
        switch self {
        case .created(let id): "made \(id)"
        case .deleted(let id): "deleted \(id)"
        case .changed(let id): "changed \(id)"
        case .storageDeleted(let id): "deleted storage \(id)"
        case .nothing: "changed nothing"
        }
    }
}

/// One look at the tree of files, as it truly was.
struct Look: Sendable {
    /// Whether the reader could know everything: the directory itself, readable, settled.
    var isComplete: Bool
    /// The names of all good documents.
    var declared: Set<String>
    /// The names that broken files stand for: nobody said that they should go.
    var hidden: Set<String>
    /// Those of them whose file is half written: it may happen to look whole.
    var torn: Set<String> = []
    /// The files that are good as a whole.
    var goodFiles: Set<String>
    /// The files that say nothing now.
    var brokenFiles: Set<String>
}

/// One thing that happened in a run. Checkers see nothing else of the engine.
enum Fact: Sendable {
    // The controller.
    case began(ledgerIsNew: Bool)
    case refusedSecond
    case crashed(String)
    case ended

    // Reading.
    case looked(Look)
    case told(Desired)

    // The provider.
    case listed(provider: String, names: Set<String>?, found: Int, askedAt: Duration)
    case listFailed(provider: String, String)
    case impatient(String, String)
    case called(Call)
    case took(Call, Effect)
    case refused(Call, String)
    case returned(Call, ProviderFailure?)

    // The ledger.
    case intended(Int64, Intent)
    case finished(Int64, String)
    case wrote(String, name: String?)
    case wroteState(SwarmState)
    case noted(EventRecord)
    case ledgerRefused(String)
    case requested(ControlRequest)
    case answered(Int64, ControlReply)

    // The world outside.
    case outside(String)
    case platform(String, name: String)
    case struck(Fault)
    case leaked(String)
    case decidedWrongly(String)

    /// One line for people; also what the run's hash is made of.
    var text: String {
        switch self {
        case .began(let isNew): "a controller begins\(isNew ? " with an empty ledger" : "")"
        case .refusedSecond: "a second controller is refused"
        case .crashed(let place): "it crashes \(place)"
        case .ended: "it has ended"
        case .looked(let look): Self.text(look)
        case .told(let desired): Self.text(desired)
        case .listed(let provider, let names, let found, _):
            "\(provider) lists \(found) of "
                + (names.map { $0.sorted().joined(separator: ",") } ?? "all")
        case .listFailed(let provider, let why): "\(provider) lists nothing: \(why)"
        case .impatient(let provider, let what): "does not give \(provider) its pause: \(what)"
        case .called(let call): "calls \(call.text)"
        case .took(let call, let effect): "\(effect.text): \(call.text)"
        case .refused(let call, let why): "refused (\(why)): \(call.text)"
        case .returned(let call, let what):
            "returns \(what.map { "'\($0)'" } ?? "well"): \(call.text)"
        case .intended(let number, let intent):
            "intends \(intent.step.verb.rawValue) \(intent.name), intent \(number)"
        case .finished(let number, let outcome): "closes intent \(number): \(outcome)"
        case .wroteState: "writes the state of the swarm"
        case .wrote(let what, let name): "writes \(what)\(name.map { " of \($0)" } ?? "")"
        case .noted(let event):
            "notes \(event.name.map { "\($0): " } ?? "")\(event.reason): \(event.message)"
        case .ledgerRefused(let why): "the ledger refuses: \(why)"
        case .requested(let request):
            "somebody asks: \(request.verb.rawValue) \(request.names.joined(separator: " "))"
        case .answered(let number, let reply):
            "answers request \(number): \(reply.isDone) \(reply.messages.joined(separator: "; "))"
        case .outside(let what): what
        case .platform(let what, let name): "\(name) \(what)"
        case .struck(let fault): "fault: \(fault.rawValue)"
        case .leaked(let place): "a secret stands in \(place)"
        case .decidedWrongly(let name): "something else would be decided now of \(name)"
        }
    }

    private static func text(_ look: Look) -> String {
        "looks at the files: \(look.isComplete ? "complete" : "incomplete"), "
            + "\(look.declared.sorted().joined(separator: " "))"
    }

    private static func text(_ desired: Desired) -> String {
        "is told \(desired.declarations.keys.sorted().joined(separator: " "))"
            + (desired.frozen.isEmpty
                ? "" : ", frozen \(desired.frozen.keys.sorted().joined(separator: " "))")
            + (desired.pruneBlock.map { ", no pruning: \($0)" } ?? "")
    }
}

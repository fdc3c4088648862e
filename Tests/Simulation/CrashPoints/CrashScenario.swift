import PalEngine
import PalModel

/// One change that somebody asks for, in a world in which nothing goes wrong but a crash.
public enum CrashScenario: String, CaseIterable, Sendable {
    case create, updateLive, updateWithRestart
    case replaceStopFirst, replaceStartFirst, replaceLosingStorage, replaceLosingRegion
    case start, stop, restart, hold
    case delete, deleteWithStorage, absent
    case move, adopt, replaceAdopted, findAgain, takeOver
}

/// What a scenario consists of.
struct CrashScript {
    /// What becomes of the storage that stood before.
    enum Storage { case kept, lost }

    /// The declaration before the change; nil where there is none.
    var before: InstanceConfig?
    /// The declaration after it; nil where there is none.
    var after: InstanceConfig?
    /// What somebody asks for, where the change is not one of the files.
    var request: ControlRequest.Verb?
    /// Whether a stranger's object bears the name before.
    var hasStranger = false
    /// Whether somebody made an editor before there was pal, for pal to adopt.
    var hasPredecessor = false
    /// Whether that editor is the instance afterwards.
    var keepsPredecessor = false
    /// Whether pal starts anew with an empty ledger, and finds what it made.
    var startsAnew = false
    /// Whether the object must be the same one afterwards.
    var keepsObject = false
    var storage = Storage.kept
    /// The calls that the change takes, in order, where nothing goes wrong.
    var calls: [Step.Verb]

    static let name = "subject"
    static let neighbour = "neighbour"
    static let predecessor = "attic"

    /// Another instance, to which nothing may happen. With the ledger lost it is what leads to the
    /// former provider of one that moves: a provider that nothing names is not asked.
    var neighbourConfig: InstanceConfig { InstanceConfig(name: Self.neighbour) }

    /// A change of the declaration, from one to another.
    init(
        _ calls: [Step.Verb], at provider: String = "docker",
        from: (inout InstanceConfig) -> Void = { _ in }, to: (inout InstanceConfig) -> Void
    ) {
        self.calls = calls
        var config = InstanceConfig(name: Self.name)
        config.provider = provider
        config.image = "editor:1"
        from(&config)
        before = config
        to(&config)
        after = config
    }

    /// The same declaration before and after.
    init(_ calls: [Step.Verb]) { self.init(calls, to: { _ in }) }
}

extension CrashScenario {
    var script: CrashScript {
        switch self {
        case .create, .delete, .deleteWithStorage, .absent: existence
        case .updateLive:
            kept(
                .init([.update], from: { $0.resources.memoryMax = 256 }) {
                    $0.resources.memoryMax = 512
                })
        case .updateWithRestart:
            kept(
                .init([.update], at: "fly", from: { $0.resources.memoryMax = 256 }) {
                    $0.resources.memoryMax = 512
                })
        case .start: kept(.init([.start], from: { $0.state = .stopped }) { $0.state = nil })
        case .stop: kept(.init([.stop]) { $0.state = .stopped })
        case .restart: asked(.restart, [.stop, .start])
        case .hold: asked(.stop, [.stop])
        case .replaceStopFirst, .replaceStartFirst, .replaceLosingStorage, .replaceLosingRegion:
            replacement
        case .move, .adopt, .replaceAdopted, .findAgain, .takeOver: ownership
        }
    }

    private func kept(_ script: CrashScript) -> CrashScript {
        var script = script
        script.keepsObject = true
        return script
    }

    private func asked(_ verb: ControlRequest.Verb, _ calls: [Step.Verb]) -> CrashScript {
        var script = kept(.init(calls))
        script.request = verb
        return script
    }

    private var existence: CrashScript {
        switch self {
        case .create:
            var script = CrashScript([.create])
            script.before = nil
            return script
        case .delete:
            var script = CrashScript([.stop, .delete])
            script.after = nil
            return script
        case .deleteWithStorage:
            var script = CrashScript(
                [.stop, .delete, .deleteStorage],
                from: {
                    $0.onDelete = .delete
                }
            ) { _ in }
            script.after = nil
            script.storage = .lost
            return script
        default:
            var script = CrashScript([.stop, .delete, .deleteStorage], at: "fly") {
                $0.state = .absent
                $0.onDelete = .delete
            }
            script.storage = .lost
            return script
        }
    }

    private var replacement: CrashScript {
        switch self {
        case .replaceStopFirst:
            return CrashScript([.stop, .delete, .create]) { $0.image = "editor:2" }
        case .replaceStartFirst:
            return CrashScript(
                [.create, .stop, .delete], at: "fly",
                from: {
                    $0.resources.storagePersistent = false
                    // With the ledger lost nobody knows that nothing was stored.
                    $0.onReplace = .discard
                }
            ) { $0.image = "editor:2" }
        case .replaceLosingStorage:
            var script = CrashScript([.stop, .delete, .deleteStorage, .create]) {
                $0.resources.storagePersistent = false
                $0.onReplace = .discard
            }
            script.storage = .lost
            return script
        default:
            var script = CrashScript(
                [.stop, .delete, .deleteStorage, .create], at: "fly",
                from: {
                    $0.region = "ams"
                }
            ) {
                $0.region = "fra"
                $0.onReplace = .discard
            }
            script.storage = .lost
            return script
        }
    }

    private var ownership: CrashScript {
        switch self {
        case .move:
            return CrashScript([.stop, .delete, .create]) {
                $0.provider = "fly"
                $0.onReplace = .discard
            }
        case .adopt:
            var script = CrashScript([.update]) {
                $0.adopt = CrashScript.predecessor
                $0.resources.memoryMax = 512
            }
            script.before = nil
            script.hasPredecessor = true
            script.keepsPredecessor = true
            return script
        case .replaceAdopted:
            var script = CrashScript(
                [.stop, .delete, .create], from: { $0.adopt = CrashScript.predecessor }
            ) { $0.image = "editor:2" }
            script.hasPredecessor = true
            return script
        case .findAgain:
            var script = kept(.init([]))
            script.startsAnew = true
            return script
        default:
            var script = CrashScript([.stop, .delete, .create])
            script.hasStranger = true
            script.request = .approve
            return script
        }
    }
}

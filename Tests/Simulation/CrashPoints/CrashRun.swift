import PalEngine
import PalLedger
import PalModel

/// One run of a scenario: with a crash at one step, or with none.
struct CrashRun {
    /// What happens at and after the crash.
    struct Fate {
        /// How many steps of the change are taken before the crash; nil for none.
        var crashesAfter: Int?
        /// How many steps the next controller takes before it crashes as well.
        var crashesAgainAfter: Int?
        /// The state directory is gone when pal starts again.
        var losesLedger = false
    }

    /// What came of it.
    struct Outcome {
        /// How many steps the change took, where nothing crashed.
        var steps = 0
        /// Where it crashed.
        var places: [String] = []
        /// The calls that were made.
        var calls: [Step.Verb] = []
        /// What is wrong; empty where all is well.
        var complaints: [String] = []
    }

    private struct Notes {
        var isArmed = false
        var places: [String] = []
        var calls: [Step.Verb] = []
    }

    private struct Standing {
        var objects: [String: [PlatformObject]] = [:]
        var volumes: [PlatformVolume] = []
    }

    private let script: CrashScript
    private let fate: Fate
    private let world: World
    private let run: Run
    private let notes: Confined<Notes>

    private static let seed: UInt64 = 1
    /// More than the slowest start takes.
    private static let settling = Duration.seconds(15)

    init(_ script: CrashScript, _ fate: Fate) throws {
        self.script = script
        self.fate = fate
        var setup = Setup(seed: Self.seed)
        setup.policy = Policy()
        setup.policy.retry.limit = .seconds(15)
        setup.isAttended = true
        var options = Options()
        options.faults = []
        let world = try World(seed: Self.seed, setup, options)
        world.life.value.crashesAtQuestions = true
        self.world = world
        let notes = Confined(Notes())
        self.notes = notes
        run = Run(world) { entry in
            switch entry.fact {
            case .crashed(let place):
                notes.value.places.append(place)
                guard notes.value.places.count == 1 else { return }
                world.life.value.crashesAfter = fate.crashesAgainAfter
                if fate.losesLedger { world.forget() }
            case .called(let call) where notes.value.isArmed: notes.value.calls.append(call.verb)
            default: break
            }
        }
    }

    func play() -> Outcome {
        var outcome = Outcome()
        let root = world.scheduler.start { [world] in await world.keepControlling() }
        if prepare() {
            let before = standing
            let controller = begin()
            let isMended = run.converge(withSomebody: script.hasStranger || fate.losesLedger)
            outcome.steps =
                (world.life.value.controller?.steps ?? 0)
                - (controller.isSame ? controller.steps : 0)
            if isMended { outcome.complaints = complaints(before) }
        }
        run.end(root)
        outcome.places = notes.value.places
        outcome.calls = notes.value.calls
        outcome.complaints += (run.safety.value.findings + run.findings.value).map(\.description)
        return outcome
    }

    // MARK: The change

    /// Lets all be as it is before the change.
    private func prepare() -> Bool {
        world.tree.write("neighbour.yaml", [script.neighbourConfig])
        if script.hasStranger { placeStranger() }
        if script.hasPredecessor { placePredecessor() }
        if let before = script.before { world.tree.write("subject.yaml", [before]) }
        guard run.run(for: Self.settling) else { return false }
        let isSettled = [CrashScript.name, CrashScript.neighbour].allSatisfy { name in
            world.scene.objects(of: name).allSatisfy {
                $0.status == .stopped || $0.readiness == .ready
            }
        }
        if !isSettled { run.broken("the run begins", "it is not as declared before the change") }
        return isSettled
    }

    /// Begins the change.
    /// - Returns: How many steps the controller had taken before, and whether it goes on.
    private func begin() -> (steps: Int, isSame: Bool) {
        notes.value.isArmed = true
        if script.startsAnew {
            world.shutDown()
            _ = run.run(for: .seconds(60)) { world.life.value.controller == nil }
            world.forget()
            world.life.value.crashesAfter = fate.crashesAfter
            return (0, false)
        }
        let controller = world.life.value.controller
        if let steps = fate.crashesAfter { controller?.crash(afterSteps: steps) }
        if let verb = script.request {
            world.ask(.init(verb: verb, names: [CrashScript.name], by: "ann"))
        } else if let after = script.after {
            world.tree.write("subject.yaml", [after])
        } else {
            world.tree.remove("subject.yaml")
        }
        return (controller?.steps ?? 0, true)
    }

    private func placePredecessor() {
        let config = InstanceConfig(name: CrashScript.predecessor)
        world.platforms[0].put(
            PlatformObject(
                id: CrashScript.predecessor, platformName: CrashScript.predecessor, ownership: nil,
                maker: .predecessor, config: config, status: .running, readiness: .ready,
                made: config, createdAt: world.clock.date()),
            "was made by somebody before")
    }

    private func placeStranger() {
        let platform = world.platforms[0]
        let marks = Ownership(
            swarm: World.swarm, name: CrashScript.name, id: "stranger", generation: 1,
            specHash: SpecHash(text: "v1:0123456789abcdef0123456789abcdef"))
        let config = InstanceConfig(name: CrashScript.name)
        platform.put(
            PlatformObject(
                id: platform.newID(), platformName: platform.platformName(marks),
                ownership: marks, maker: .stranger, config: config, status: .running,
                readiness: .ready, made: config, createdAt: world.clock.date()),
            "is put there by a stranger")
    }

    // MARK: What must be true afterwards

    private var standing: Standing {
        var standing = Standing()
        for name in [CrashScript.name, CrashScript.neighbour] {
            standing.objects[name] = world.scene.objects(of: name)
        }
        standing.volumes = world.platforms.flatMap(\.volumes)
        return standing
    }

    private func complaints(_ before: Standing) -> [String] {
        let after = standing
        return instances(before, after) + storage(before, after) + ledger()
    }

    /// Exactly what is declared stands, where it is declared, and the neighbour is as it was.
    private func instances(_ before: Standing, _ after: Standing) -> [String] {
        var complaints: [String] = []
        let ids = { (standing: Standing, name: String) in
            (standing.objects[name] ?? []).map(\.id)
        }
        let subject = ids(after, CrashScript.name)
        let isDeclared = script.after.map { $0.state != .absent } ?? false
        // What was adopted is gone, and with the ledger lost the spec still names it: that is said.
        let hasNothingToAdopt = script.hasPredecessor && fate.losesLedger && subject.isEmpty
        if subject.count != (isDeclared ? 1 : 0), !hasNothingToAdopt {
            complaints.append("\(subject) stand, declared: \(isDeclared)")
        }
        if let home = script.after?.provider, !subject.allSatisfy({ $0.hasPrefix(home) }),
            subject != [CrashScript.predecessor] || !mayKeepPredecessor
        {
            complaints.append("\(subject) stand, and not at \(home)")
        }
        if script.keepsObject, subject != ids(before, CrashScript.name) {
            complaints.append("\(ids(before, CrashScript.name)) became \(subject)")
        }
        if ids(before, CrashScript.neighbour) != ids(after, CrashScript.neighbour) {
            complaints.append("the neighbour became \(ids(after, CrashScript.neighbour))")
        }
        return complaints
    }

    /// With its ledger lost pal adopts it once more, as it is declared by then.
    private var mayKeepPredecessor: Bool {
        script.keepsPredecessor || (script.hasPredecessor && fate.losesLedger)
    }

    /// What was stored is there still, or is gone where the spec says so.
    private func storage(_ before: Standing, _ after: Standing) -> [String] {
        before.volumes.compactMap { volume in
            let isThere = after.volumes.contains(volume)
            let isSubject = volume.instance == CrashScript.name
            guard isSubject, script.storage == .lost else {
                return isThere ? nil : "the storage \(volume.id) is lost"
            }
            // What was to go is known by the ledger alone.
            guard !fate.losesLedger, isThere else { return nil }
            return "the storage \(volume.id) stands still"
        }
    }

    private func ledger() -> [String] {
        var complaints: [String] = []
        let ledger = world.life.value.ledger
        if let open = try? ledger.openIntents(), !open.isEmpty {
            complaints.append("\(open.count) intents are open")
        }
        let declared = Set(world.tree.documents.map(\.name))
        for record in (try? ledger.records()) ?? [] {
            if !declared.contains(record.name) {
                complaints.append("the record of \(record.name) stays")
            }
            if script.request == .stop, record.name == CrashScript.name, record.hold == nil,
                !fate.losesLedger
            {
                complaints.append("the hold is lost")
            }
        }
        return complaints
    }
}

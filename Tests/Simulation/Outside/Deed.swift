import PalEngine

/// What people, programs and machines around pal do in a run.
enum Deed: Sendable, Hashable {
    case addSpec, changeSpec, removeSpec, command
    case fault(Fault)

    /// Those that happen in every run, with their weights.
    static let usual: [(deed: Deed, weight: Double)] = [
        (.addSpec, 3), (.changeSpec, 8), (.removeSpec, 3), (.command, 3),
    ]

    /// The faults that happen by themselves; the others wait for an opportunity.
    static let faults: [Fault] = [
        .providerRestart, .rateWindow, .brokenStream, .foreignEdit, .foreignStop, .foreignDelete,
        .unlabelledObject, .otherSwarmObject, .unknownHashObject, .tornFile, .brokenFile,
        .duplicateName, .movedFile, .symlinkSwap, .missingDirectory, .emptyDirectory,
        .unreadableDirectory, .unreadableFile, .massRemoval, .clockJump, .diskFull,
        .readOnlyLedger, .crash, .shutdown, .secondController, .unreadableLedger, .engineRestart,
    ]
}

/// Plans the deeds of a run, and does them when their time comes.
final class Outside: Sendable {
    let world: World
    let writer: Confined<SpecWriter>
    let random: Confined<SeededRandom>
    let probes: Confined<SeededRandom>
    let lastCare = Confined(Duration.zero)

    init(_ world: World) {
        self.world = world
        writer = Confined(SpecWriter(seed: world.seed, names: world.setup.names))
        random = Confined(SeededRandom(seed: world.seed, for: "deeds"))
        probes = Confined(SeededRandom(seed: world.seed, for: "probes"))
    }

    var clock: VirtualClock { world.clock }
    var tree: SimulatedTree { world.tree }
    var faults: FaultPlan { world.faults }

    /// Writes the first files and plans everything that will happen.
    func begin() {
        let files = writer.value.files()
        for path in files.keys.sorted() { tree.write(path, files[path] ?? []) }
        placePredecessors()
        let choices =
            Deed.usual
            + Deed.faults.map { (Deed.fault($0), faults.weight($0)) }.filter { $0.1 > 0 }
        let end = Int(world.setup.duration.milliseconds)
        for _ in 0..<world.setup.deeds {
            let deed = pick(choices)
            clock.after(random.value.time(0...end)) { [self] in
                guard !faults.isOver else { return }
                perform(deed)
            }
        }
    }

    private func pick(_ choices: [(deed: Deed, weight: Double)]) -> Deed {
        let sum = choices.reduce(0) { $0 + $1.weight }
        var at = Double(random.value.number(0...1_000_000)) / 1_000_000 * sum
        for choice in choices {
            at -= choice.weight
            if at <= 0 { return choice.deed }
        }
        return .changeSpec
    }

    private func perform(_ deed: Deed) {
        switch deed {
        case .addSpec: addSpec()
        case .changeSpec: changeSpec()
        case .removeSpec: removeSpec()
        case .command: command()
        case .fault(let fault): if strike(fault) { faults.count(fault) }
        }
        clock.after(probes.value.time(0...2_000)) { [self] in probe() }
    }

    /// Asks the controller whether what it decided holds.
    private func probe() {
        guard let reconciler = world.life.value.reconciler else { return }
        _ = world.scheduler.start { [world] in
            for name in await reconciler.namesDecidedWrongly {
                world.trace.add(.decidedWrongly(name))
            }
        }
    }

    /// Makes a fault happen.
    /// - Returns: False where there was nothing that it could happen to.
    private func strike(_ fault: Fault) -> Bool {
        switch fault {
        case .crash, .shutdown, .secondController, .clockJump, .diskFull, .readOnlyLedger,
            .unreadableLedger:
            strikeMachine(fault)
        case .providerRestart, .rateWindow, .brokenStream, .foreignEdit, .foreignStop,
            .foreignDelete, .unlabelledObject, .otherSwarmObject, .unknownHashObject,
            .engineRestart:
            strikePlatform(fault)
        default: strikeFiles(fault)
        }
    }
}

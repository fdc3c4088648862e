import PalEngine
import PalModel

/// What happens to the machine and to the controller on it, and what people ask of it.
extension Outside {
    func strikeMachine(_ fault: Fault) -> Bool {
        switch fault {
        case .crash:
            // Counted when it does crash.
            let steps = random.value.number(0...40)
            world.life.value.controller?.crash(afterSteps: steps)
            return false
        case .shutdown:
            guard world.life.value.reconciler != nil else { return false }
            world.shutDown()
        case .secondController:
            // It is refused, or where the first has just ended, the supervisor is.
            _ = world.scheduler.start { [world] in await world.control() }
        case .clockJump:
            clock.jump(by: Double(random.value.number(-100_000...100_000)))
        case .diskFull:
            world.disk.fail("the disk is full", for: random.value.time(100...30_000))
        case .unreadableLedger:
            world.disk.fail(
                "disk I/O error", for: random.value.time(100...30_000), stopsReading: true)
        default:
            world.disk.fail("the ledger is read-only", for: random.value.time(100...30_000))
        }
        return true
    }

    /// Somebody types a command.
    func command() {
        let name = random.value.pick(writer.value.names, or: "i0")
        let request: ControlRequest
        switch random.value.number(0...6) {
        case 0, 1:
            let span: TimeSpan? = random.value.chance(0.5) ? TimeSpan(.string("20s")) : nil
            request = .init(verb: .stop, names: [name], holdFor: span, by: "ann")
        case 2: request = .init(verb: .start, names: [name], by: "ann")
        case 3: request = .init(verb: .restart, names: [name], by: "ann")
        case 4: request = .init(verb: .approve, by: "ann")
        case 5: request = .init(verb: .approve, names: [name], by: "ann")
        default: request = .init(verb: .apply, by: "ann")
        }
        world.ask(request)
    }
}

import Foundation
import Synchronization

/// What the calls act on. Each group of calls is an extension in a file of its own.
final class Cloud: Sendable {
    let options: FlyEmulation.Options
    let time: Time
    let schedule = Schedule()
    let bell = Bell()
    let faults = Faults()
    let limits = Limits()
    let calls = Calls()
    /// Holds the directories of machines and volumes.
    let directory: String
    private let world = Mutex(World())

    init(_ options: FlyEmulation.Options, _ time: Time) throws {
        self.options = options
        self.time = time
        directory = "/tmp/pal-fly-\(Names.random(10, of: Names.letters))"
        for kind in ["machines", "volumes"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(kind)", withIntermediateDirectories: true)
        }
    }

    var delays: FlyEmulation.Delays { options.delays }

    func directory(ofMachine id: String) -> String { "\(directory)/machines/\(id)" }
    func directory(ofVolume id: String) -> String { "\(directory)/volumes/\(id)" }

    /// Looks at everything, or changes it. Whoever waits for a change is told.
    func withWorld<Result: Sendable>(_ body: (inout World) throws -> Result) rethrows -> Result {
        defer { bell.ring() }
        return try world.withLock { try body(&$0) }
    }

    /// Only looks.
    func look<Result: Sendable>(_ body: (World) throws -> Result) rethrows -> Result {
        try world.withLock { try body($0) }
    }

    /// An app that the token may use and that is visible by now.
    func withApp<Result: Sendable>(
        _ name: String, _ body: (inout App, inout World) throws -> Result
    ) throws -> Result {
        let now = time.elapsed()
        return try withWorld { world in
            if options.foreignApps.contains(name) {
                throw Refusal(403, "unauthorized: not allowed to use this app")
            }
            guard var app = world.apps[name], app.visibleAt <= now else {
                throw Refusal.missing("app")
            }
            // Taken out, so that what `body` changes is not copied.
            world.apps[name] = nil
            defer { world.apps[name] = app }
            return try body(&app, &world)
        }
    }

    /// A machine that is not gone.
    func withMachine<Result: Sendable>(
        _ request: Request, _ body: (inout Machine, inout App) throws -> Result
    ) throws -> Result {
        try withApp(request.app) { app, _ in
            guard var machine = app.machines[request.machine], !machine.isGone else {
                throw Refusal.missing("machine")
            }
            defer { app.machines[machine.id] = machine }
            return try body(&machine, &app)
        }
    }

    /// A machine for what happens by itself. Nothing happens where it has changed direction since.
    @discardableResult
    func touch<Result: Sendable>(
        _ key: MachineKey, epoch: Int? = nil, _ body: (inout Machine) -> Result
    ) -> Result? {
        withWorld { world in
            guard var machine = world.apps[key.app]?.machines[key.machine],
                epoch == nil || machine.epoch == epoch
            else { return nil }
            defer { world.apps[key.app]?.machines[key.machine] = machine }
            return body(&machine)
        }
    }

    /// Refuses what would change a machine that somebody else has leased or whose host is away.
    func guardMachine(_ request: Request) throws {
        try withMachine(request) { machine, _ in
            switch machine.hostStatus {
            case "ok": break
            case "unreachable": throw Refusal(503, "unavailable: the machine's host is unreachable")
            default: throw Refusal(504, "deadline_exceeded: the machine's host did not answer")
            }
            if let lease = machine.lease, lease.holds(at: time.elapsed()),
                lease.nonce != request.nonce
            {
                throw Refusal(
                    409, "aborted: machine lease currently held by \(lease.owner)")
            }
        }
    }

    /// Ends all processes and removes all directories.
    func close() async {
        await schedule.close {
            let processes = look { $0.apps.values.flatMap { $0.machines.values.map(\.process) } }
            for process in processes { process?.send(SIGKILL) }
        }
        let machines = withWorld { world in
            defer { world = World() }
            return world.apps.values.flatMap { Array($0.machines.values) }
        }
        for machine in machines {
            guard let process = machine.process else { continue }
            process.send(SIGKILL)
            _ = await process.exit()
        }
        for machine in machines { Remains.end(ofMachine: machine.id) }
        try? FileManager.default.removeItem(atPath: directory)
    }
}

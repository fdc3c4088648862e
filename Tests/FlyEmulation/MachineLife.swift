import Foundation
import Glibc

extension Cloud {
    /// Brings a machine up after a while.
    func boot(_ key: MachineKey, epoch: Int, after delay: Duration) {
        schedule.run { [self] in
            guard (try? await time.sleep(delay / 2)) != nil else { return }
            let goesOn = touch(key, epoch: epoch) { machine in
                if machine.state != "starting" {
                    machine.state = "starting"
                    machine.note("start", status: "starting", at: time.now)
                }
                return true
            }
            guard goesOn == true, (try? await time.sleep(delay / 2)) != nil else { return }
            await ignite(key, epoch: epoch)
        }
    }

    /// Starts a machine's main process, where it has one, and calls it started.
    func ignite(_ key: MachineKey, epoch: Int) async {
        guard let machine = touch(key, epoch: epoch, { $0 }) else { return }
        let files = makeRoot(of: machine)
        let lines = LineSplitter { [self] in log($0, of: key, region: machine.region) }
        let command = machine.command
        var process: Child?
        if let command {
            let plan = Child.Plan(
                arguments: command, environment: environment(machine, key),
                directory: directory(ofMachine: machine.id))
            process = Child(plan) { lines.take($0, $1) }
        }
        let (started, isBroken) = (process, command != nil && process == nil)
        let isWanted = touch(key, epoch: epoch) { machine in
            machine.files = files
            machine.isLaunching = false
            machine.isEnding = false
            if isBroken {
                machine.state = "failed"
                let exit = Child.Exit(code: 127, signal: 0)
                machine.note(
                    "exit", status: "failed", at: time.now,
                    request: machine.exitRequest(exit, isRequested: false))
            } else {
                machine.state = "started"
                machine.process = started
                machine.upSince = time.elapsed()
                machine.note("start", status: "started", at: time.now)
            }
            return true
        }
        if isBroken { lines.take(.error, Array("cannot run \(command ?? [])\n".utf8)) }
        guard let process else { return }
        guard isWanted == true else {
            process.send(SIGKILL)
            _ = await process.exit()
            return
        }
        schedule.run { [self] in
            let exit = await process.exit()
            lines.finish()
            endedByItself(key, exit) { $0.process === process && !$0.isEnding }
        }
    }

    /// Does what the restart policy says, where nobody asked for the end.
    func endedByItself(
        _ key: MachineKey, _ exit: Child.Exit, where fits: (Machine) -> Bool
    ) {
        enum Next { case nothing, restart(epoch: Int), destroy }
        let next = touch(key) { machine in
            guard fits(machine) else { return Next.nothing }
            let restarts = machine.restarts(after: exit)
            machine.process = nil
            machine.upSince = nil
            machine.epoch += 1
            machine.state = restarts ? "starting" : "stopped"
            machine.note(
                "exit", status: restarts ? "starting" : "stopped", at: time.now,
                request: machine.exitRequest(exit, isRequested: false, restarts: restarts))
            machine.outOfMemory = false
            if restarts {
                machine.retries += 1
                return .restart(epoch: machine.epoch)
            }
            return machine.destroysItself ? .destroy : .nothing
        }
        switch next {
        case .restart(let epoch): boot(key, epoch: epoch, after: delays.restart)
        case .destroy: destroy(key)
        case .nothing, nil: break
        }
    }

    /// Asks a process to end, and makes it where it does not.
    func quench(
        _ process: Child, with signal: Int32, within limit: Duration = .seconds(5)
    ) async -> Child.Exit {
        process.send(signal)
        let timer = Task {
            if (try? await time.sleep(limit)) != nil { process.send(SIGKILL) }
        }
        defer { timer.cancel() }
        return await process.exit()
    }

    /// Ends everything that runs in a machine, which takes at least so long.
    func halt(
        _ key: MachineKey, _ process: Child?, _ stop: Stop, atLeast: Duration
    ) async -> Child.Exit {
        async let pause: Void? = try? time.sleep(atLeast)
        var exit = Child.Exit(code: 0, signal: 0)
        if let process { exit = await quench(process, with: stop.signal, within: stop.limit) }
        _ = await pause
        Remains.end(ofMachine: key.machine)
        return exit
    }

    /// Lets a machine go away, step by step.
    func destroy(_ key: MachineKey) {
        let doomed = touch(key) { machine in
            machine.state = "destroying"
            machine.epoch += 1
            machine.isEnding = true
            machine.lingers = faults.take(.destroyedLingers)
            machine.note("destroy", status: "destroying", at: time.now)
            return machine
        }
        guard let doomed else { return }
        schedule.run { [self] in
            let stop = Stop(signal: SIGKILL, limit: .zero)
            let exit = await halt(key, doomed.process, stop, atLeast: delays.destroy)
            touch(key) { machine in
                if machine.process != nil {
                    machine.note(
                        "exit", status: "stopped", at: time.now,
                        request: machine.exitRequest(exit, isRequested: true))
                }
                machine.process = nil
                machine.upSince = nil
                machine.state = "destroyed"
                machine.note("destroy", status: "destroyed", at: time.now)
            }
            remove(directory(ofMachine: key.machine))
            bury(key, after: doomed.lingers ? delays.linger : delays.gone)
            detach(doomed.volumes, from: key)
        }
    }

    private func bury(_ key: MachineKey, after delay: Duration) {
        schedule.run { [self] in
            guard (try? await time.sleep(delay)) != nil else { return }
            touch(key) { $0.isGone = true }
        }
    }

    private func detach(_ volumes: [String], from key: MachineKey) {
        schedule.run { [self] in
            guard (try? await time.sleep(delays.detach)) != nil else { return }
            withWorld { world in
                for volume in volumes
                where world.apps[key.app]?.volumes[volume]?.attached == key.machine {
                    world.apps[key.app]?.volumes[volume]?.attached = nil
                }
            }
        }
    }
}

extension Machine {
    /// What is run: `exec` as it is, else entry point and command together.
    var command: [String]? {
        let initial = config["init"]
        if let exec = initial?["exec"]?.strings, !exec.isEmpty { return exec }
        let whole = (initial?["entrypoint"]?.strings ?? []) + (initial?["cmd"]?.strings ?? [])
        return whole.isEmpty ? nil : whole
    }

    var destroysItself: Bool { config["auto_destroy"]?.bool == true }

    func restarts(after exit: Child.Exit) -> Bool {
        let restart = config["restart"]
        switch restart?["policy"]?.string ?? "on-failure" {
        case "always": return true
        case "on-failure": return exit.status != 0 && retries < restart?["max_retries"]?.int ?? 10
        default: return false
        }
    }

    func exitRequest(_ exit: Child.Exit, isRequested: Bool, restarts: Bool = false) -> JSON {
        [
            "exit_event": [
                "exit_code": .int(exit.status), "guest_exit_code": .int(Int(exit.code)),
                "guest_signal": .int(Int(exit.signal)), "oom_killed": .bool(outOfMemory),
                "requested_stop": .bool(isRequested), "restarting": .bool(restarts),
            ],
            "restart_count": .int(retries),
        ]
    }
}

import Glibc

/// How a process is asked to end.
struct Stop: Sendable {
    var signal: Int32
    /// What it has until it is killed.
    var limit: Duration

    /// What the call says goes before what the config says.
    init(signal: JSON?, timeout: JSON?, config: [String: JSON]) throws {
        let settings = config["stop_config"]
        let name = (signal ?? settings?["signal"])?.string ?? "SIGINT"
        guard let number = Self.signals[name] else { throw Refusal.invalid("unknown signal") }
        self.signal = number
        limit = .seconds(5)
        if let timeout = timeout ?? settings?["timeout"] {
            guard let nanoseconds = Span.nanoseconds(timeout) else {
                throw Refusal.invalid("invalid timeout")
            }
            limit = .nanoseconds(nanoseconds)
        }
    }

    init(signal: Int32, limit: Duration) {
        self.signal = signal
        self.limit = limit
    }

    static let signals: [String: Int32] = [
        "SIGABRT": SIGABRT, "SIGALRM": SIGALRM, "SIGFPE": SIGFPE, "SIGHUP": SIGHUP,
        "SIGILL": SIGILL, "SIGINT": SIGINT, "SIGKILL": SIGKILL, "SIGPIPE": SIGPIPE,
        "SIGQUIT": SIGQUIT, "SIGSEGV": SIGSEGV, "SIGTERM": SIGTERM, "SIGTRAP": SIGTRAP,
        "SIGUSR1": SIGUSR1, "SIGUSR2": SIGUSR2,
    ]
}

extension Cloud {
    func startMachine(_ request: Request) throws -> Answer {
        if faults.take(.maintenance) { throw Refusal.maintenance }
        let key = MachineKey(app: request.app, machine: request.machine)
        let (previous, started) = try withMachine(request) { machine, _ in
            let previous = machine.state
            switch previous {
            case "started": return (previous, Machine?.none)
            case "created" where !machine.isLaunching, "stopped", "suspended", "failed": break
            case "replacing", "updating":
                throw Refusal.precondition("machine getting replaced, refusing to start")
            case "destroying": throw Refusal.precondition("machine still active, refusing to start")
            default:
                throw Refusal.precondition(
                    "unable to start machine from current state: '\(previous)'")
            }
            machine.state = "starting"
            machine.epoch += 1
            machine.retries = 0
            machine.note("start", status: "starting", source: "user", at: time.now)
            return (previous, machine)
        }
        if let started {
            if let process = started.process {
                resume(key, process, epoch: started.epoch)
            } else {
                boot(key, epoch: started.epoch, after: delays.boot)
            }
        }
        return .ok(["previous_state": .string(previous), "migrated": false, "new_host": ""])
    }

    func stopMachine(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        let key = MachineKey(app: request.app, machine: request.machine)
        let order = try withMachine(request) { machine, _ -> (Machine, Stop)? in
            var stop = try Stop(
                signal: fields["signal"], timeout: fields["timeout"], config: machine.config)
            switch machine.state {
            case "stopped", "stopping", "failed": return nil
            case "started", "starting": break
            case "suspended": stop.signal = SIGKILL
            default:
                throw Refusal.precondition(
                    "unable to stop machine from current state: '\(machine.state)'")
            }
            machine.head(for: "stopping", "stop", at: time.now)
            return (machine, stop)
        }
        guard let (machine, stop) = order else { return .ok() }
        schedule.run { [self] in
            let exit = await halt(key, machine.process, stop, atLeast: delays.stop)
            let destroysItself = touch(key, epoch: machine.epoch) { machine in
                machine.lay(down: exit, at: time.now)
                machine.state = "stopped"
                return machine.destroysItself
            }
            if destroysItself == true { destroy(key) }
        }
        return .ok()
    }

    func suspendMachine(_ request: Request) throws -> Answer {
        let key = MachineKey(app: request.app, machine: request.machine)
        let epoch = try withMachine(request) { machine, _ -> Int? in
            if machine.state == "suspended" || machine.state == "suspending" { return nil }
            guard machine.state == "started" else {
                throw Refusal.precondition(
                    "unable to suspend machine from current state: '\(machine.state)'")
            }
            machine.state = "suspending"
            machine.epoch += 1
            machine.note("suspend", status: "suspending", source: "user", at: time.now)
            return machine.epoch
        }
        guard let epoch else { return .ok() }
        schedule.run { [self] in
            guard (try? await time.sleep(delays.stop)) != nil else { return }
            touch(key, epoch: epoch) { machine in
                machine.process?.send(SIGSTOP)
                machine.upSince = nil
                machine.state = "suspended"
                machine.note("suspend", status: "suspended", at: time.now)
            }
        }
        return .ok()
    }

    func restartMachine(_ request: Request) throws -> Answer {
        let key = MachineKey(app: request.app, machine: request.machine)
        let (machine, stop) = try withMachine(request) { machine, _ in
            guard machine.state == "started" else {
                throw Refusal.precondition(
                    "unable to restart machine from current state: '\(machine.state)'")
            }
            var stop = try Stop(
                signal: request.value("signal").map(JSON.string),
                timeout: request.value("timeout").map(JSON.string), config: machine.config)
            if request.flag("force_stop") { stop.signal = SIGKILL }
            machine.head(for: "restarting", "restart", at: time.now)
            machine.retries = 0
            return (machine, stop)
        }
        schedule.run { [self] in
            let exit = await halt(key, machine.process, stop, atLeast: delays.stop)
            touch(key, epoch: machine.epoch) { $0.lay(down: exit, at: time.now) }
            await ignite(key, epoch: machine.epoch)
        }
        return .ok()
    }

    func signalMachine(_ request: Request) throws -> Answer {
        let name = try request.fields()["signal"]?.string ?? ""
        guard let signal = Stop.signals[name] else { throw Refusal.invalid("unknown signal") }
        return try withMachine(request) { machine, _ in
            guard machine.state == "started" else {
                throw Refusal.precondition("machine is not started, it is \(machine.state)")
            }
            machine.process?.send(signal)
            return .ok()
        }
    }

    func deleteMachine(_ request: Request) throws -> Answer {
        let key = MachineKey(app: request.app, machine: request.machine)
        let isForced = request.flag("force") || request.flag("kill")
        let goes = try withMachine(request) { machine, _ in
            switch machine.state {
            case "destroying": return false
            case "destroyed": throw Refusal.missing("machine")
            case "stopped", "suspended", "failed": return true
            case "created" where !machine.isLaunching: return true
            default:
                guard isForced else {
                    throw Refusal.precondition(
                        "unable to destroy machine from current state: '\(machine.state)', "
                            + "not currently stopped")
                }
                return true
            }
        }
        if goes { destroy(key) }
        return .ok()
    }

    private func resume(_ key: MachineKey, _ process: Child, epoch: Int) {
        schedule.run { [self] in
            guard (try? await time.sleep(delays.boot)) != nil else { return }
            touch(key, epoch: epoch) { machine in
                process.send(SIGCONT)
                machine.upSince = time.elapsed()
                machine.state = "started"
                machine.note("start", status: "started", at: time.now)
            }
        }
    }
}

extension Machine {
    /// Sets out for a state in which its process is no more.
    mutating func head(for state: String, _ type: String, at now: Int) {
        self.state = state
        epoch += 1
        isEnding = true
        note(type, status: state, source: "user", at: now)
    }

    /// The process has ended as it was asked to.
    mutating func lay(down exit: Child.Exit, at now: Int) {
        process = nil
        upSince = nil
        isEnding = false
        note(
            "exit", status: "stopped", at: now, request: exitRequest(exit, isRequested: true))
    }
}

extension Refusal {
    static var maintenance: Refusal {
        Refusal(503, "unavailable: deploys to this host are temporarily disabled")
    }
}

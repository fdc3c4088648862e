import Glibc

extension Cloud {
    func updateMachine(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        guard let config = fields["config"]?.object else {
            throw Refusal.invalid("config is required")
        }
        try ConfigRules.check(config)
        try spoilUpdate()
        let key = MachineKey(app: request.app, machine: request.machine)
        let (old, new, stop) = try withMachine(request) { machine, _ in
            try check(machine, fields, config)
            let (old, stop) = (
                machine, try Stop(signal: nil, timeout: nil, config: machine.config)
            )
            machine.oldVersions.insert(machine.version)
            machine.version = Names.ulid()
            machine.config = config
            machine.ports = ConfigRules.ports(config)
            machine.retries = 0
            machine.head(for: "replacing", "update", at: time.now)
            return (old, machine, stop)
        }
        let launches = old.state == "started" && fields["skip_launch"]?.bool != true
        swap(key, old, epoch: new.epoch, stop, launches: launches)
        return .ok(shape(new))
    }

    private func swap(
        _ key: MachineKey, _ old: Machine, epoch: Int, _ stop: Stop, launches: Bool
    ) {
        // A suspended process hears nothing else.
        let stop = old.state == "suspended" ? Stop(signal: SIGKILL, limit: .zero) : stop
        schedule.run { [self] in
            let exit = await halt(key, old.process, stop, atLeast: delays.update)
            touch(key, epoch: epoch) { machine in
                if old.process != nil { machine.lay(down: exit, at: time.now) }
                machine.process = nil
                machine.upSince = nil
                machine.isEnding = false
                guard !launches else { return }
                machine.state = old.state == "created" ? "created" : "stopped"
                machine.note("update", status: machine.state, at: time.now)
            }
            if launches { await ignite(key, epoch: epoch) }
        }
    }

    private func check(
        _ machine: Machine, _ fields: [String: JSON], _ config: [String: JSON]
    ) throws {
        if let name = fields["name"]?.string, !name.isEmpty, name != machine.name {
            throw Refusal.invalid("a machine's name cannot be changed")
        }
        if let region = fields["region"]?.string, !region.isEmpty, region != machine.region {
            throw Refusal.invalid("a machine's region cannot be changed")
        }
        func mounts(_ config: [String: JSON]) -> [[JSON?]] {
            (config["mounts"]?.array ?? []).map { [$0["volume"], $0["path"]] }
        }
        if mounts(config) != mounts(machine.config) {
            throw Refusal.invalid("a machine's mounts cannot be changed")
        }
        if let version = fields["current_version"]?.string, version != machine.version {
            throw Refusal.precondition("current_version does not match the machine's version")
        }
        switch machine.state {
        case "started", "stopped", "suspended", "failed": break
        case "created" where !machine.isLaunching: break
        case "replacing", "updating": throw Self.concurrentUpdate
        case "destroyed": throw Refusal.missing("machine")
        default:
            throw Refusal.precondition(
                "unable to update machine from current state: '\(machine.state)'")
        }
    }

    private func spoilUpdate() throws {
        if faults.take(.maintenance) { throw Refusal.maintenance }
        if faults.take(.concurrentUpdate) { throw Self.concurrentUpdate }
        if faults.take(.insufficientMemoryOnHost) {
            throw Refusal(
                409,
                "aborted: could not reserve resource for machine: insufficient memory available "
                    + "to fulfill request on the current host")
        }
    }

    private static var concurrentUpdate: Refusal {
        Refusal(409, "aborted: machine update failed due to concurrent update")
    }
}

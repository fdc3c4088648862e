extension Cloud {
    func createMachine(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        guard let config = fields["config"]?.object else {
            throw Refusal.invalid("config is required")
        }
        try ConfigRules.check(config)
        let mounts = config["mounts"]?.array ?? []
        let (machine, body) = try withApp(request.app) { app, world in
            let machine = try make(fields, config, in: &app, order: world.next())
            var body = shape(machine).object ?? [:]
            if let lease = machine.lease { body["nonce"] = .string(lease.nonce) }
            try spoil(mounts: mounts)
            app.machines[machine.id] = machine
            for volume in machine.volumes { app.volumes[volume]?.attached = machine.id }
            return (machine, body)
        }
        if machine.isLaunching {
            boot(
                MachineKey(app: request.app, machine: machine.id), epoch: machine.epoch,
                after: machine.isSlow ? delays.slowBoot : delays.boot)
        }
        return .ok(.object(body))
    }

    private func make(
        _ fields: [String: JSON], _ config: [String: JSON], in app: inout App, order: Int
    ) throws -> Machine {
        let name = fields["name"]?.string ?? Names.plain()
        if let other = app.machines.values.first(where: { $0.name == name && !$0.isDestroyed }) {
            throw Refusal(
                409,
                "already_exists: unique machine name violation, machine ID \(other.id) "
                    + "already exists with name \"\(name)\"")
        }
        let volume = try volume(for: config, in: app)
        let region = fields["region"]?.string ?? volume?.region ?? options.regions.sorted()[0]
        guard options.regions.contains(region) else {
            throw Refusal.invalid("region \(region) not found")
        }
        if let volume { try claim(volume, in: region) }
        if faults.take(.insufficientCapacity) {
            throw Refusal(
                422, "insufficient resources to create new machine",
                word: "insufficient_capacity")
        }
        let now = time.now
        var machine = Machine(
            id: Names.machine(), name: name, region: region, version: Names.ulid(),
            config: config, order: order, createdAt: now, updatedAt: now)
        machine.ports = ConfigRules.ports(config)
        machine.isLaunching = fields["skip_launch"]?.bool != true
        machine.isSlow = machine.isLaunching && faults.take(.slowBoot)
        if let seconds = fields["lease_ttl"]?.int, seconds > 0 {
            machine.lease = lease(seconds: seconds, version: machine.version)
        }
        machine.note("launch", status: "created", source: "user", at: now)
        return machine
    }

    private func volume(for config: [String: JSON], in app: App) throws -> Volume? {
        guard let id = config["mounts"]?.array?.first?["volume"]?.string else { return nil }
        // One that is still being made cannot be mounted, though it can be read.
        guard let volume = app.volumes[id], volume.state == "created" else {
            throw Refusal.invalid("volume not found")
        }
        return volume
    }

    private func claim(_ volume: Volume, in region: String) throws {
        if volume.region != region {
            throw Refusal.invalid("volume \(volume.id) is in another region")
        }
        if volume.attached != nil {
            throw Refusal.precondition("volume already claimed by machine")
        }
    }

    private func spoil(mounts: [JSON]) throws {
        guard !mounts.isEmpty else { return }
        if faults.take(.volumeNotFoundYet) { throw Refusal.invalid("volume not found") }
        if faults.take(.volumeStillClaimed) {
            throw Refusal.precondition("volume already claimed by machine")
        }
    }
}

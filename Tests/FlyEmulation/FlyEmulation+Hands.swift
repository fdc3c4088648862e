import FoundationEssentials
import Glibc

// A look inside and a hand inside, past the API.
extension FlyEmulation {
    /// The names of the apps there are.
    public func apps() -> [String] { cloud.look { $0.apps.keys.sorted() } }

    /// The machines of an app that are not gone, oldest first.
    public func machines(app: String) -> [MachineSnapshot] {
        let machines = cloud.look { world in
            (world.apps[app]?.machines.values.filter { !$0.isGone } ?? [])
                .sorted { $0.order < $1.order }
        }
        return machines.map { machine in
            MachineSnapshot(
                id: machine.id, name: machine.name, state: machine.state,
                region: machine.region, version: machine.version,
                config: JSON.object(machine.config).serialised(), volumes: machine.volumes,
                ports: machine.ports, files: machine.files,
                directory: cloud.directory(ofMachine: machine.id))
        }
    }

    /// The volumes of an app, oldest first.
    public func volumes(app: String) -> [VolumeSnapshot] {
        let volumes = cloud.look { world in
            (world.apps[app]?.volumes.values).map { $0.sorted { $0.order < $1.order } } ?? []
        }
        return volumes.map { volume in
            VolumeSnapshot(
                id: volume.id, name: volume.name, region: volume.region, sizeGB: volume.size,
                state: volume.state, attachedMachine: volume.attached,
                directory: cloud.directory(ofVolume: volume.id))
        }
    }

    /// A started machine that a stranger made, in an app that is made where it is missing.
    public func makeForeignMachine(app: String, name: String, metadata: [String: String]) {
        let now = cloud.time.now
        cloud.withWorld { world in
            if world.apps[app] == nil {
                let number = world.next()
                world.apps[app] = App(name: app, number: number, visibleAt: .zero)
            }
            var machine = Machine(
                id: Names.machine(), name: name, region: cloud.options.regions.sorted()[0],
                version: Names.ulid(),
                config: [
                    "image": "strangers/thing:1",
                    "metadata": .object(metadata.mapValues(JSON.string)),
                ], order: world.next(), createdAt: now, updatedAt: now)
            machine.state = "started"
            machine.upSince = cloud.time.elapsed()
            machine.note("start", status: "started", at: now)
            let before = world.apps[app]?.machines ?? [:]
            world.apps[app]?.before = before
            world.apps[app]?.machines[machine.id] = machine
        }
        if let id = machines(app: app).last?.id {
            cloud.makeDirectory(cloud.directory(ofMachine: id))
        }
    }

    /// Changes a machine's config as a stranger does. It gets a new version and is not restarted.
    public func edit(
        machine id: String, app: String, _ change: @Sendable (inout [String: JSON]) -> Void
    ) {
        cloud.touch(MachineKey(app: app, machine: id)) { machine in
            change(&machine.config)
            machine.oldVersions.insert(machine.version)
            machine.version = Names.ulid()
            machine.note("update", status: machine.state, source: "user", at: cloud.time.now)
        }
    }

    /// Sets whether the machine's host answers: `ok`, `unreachable` or `unknown`.
    public func setHost(_ status: String, machine id: String, app: String) {
        cloud.touch(MachineKey(app: app, machine: id)) { $0.hostStatus = status }
    }

    /// Gives a stranger the lease on a machine, whoever had it, until `release`.
    public func hold(leaseOn id: String, app: String) {
        cloud.touch(MachineKey(app: app, machine: id)) { machine in
            machine.lease = Lease(
                nonce: Names.nonce(), owner: "stranger@example.com", version: machine.version,
                endsAt: nil, endsAtStamp: cloud.time.now / 1_000_000_000 + 3600)
        }
    }

    /// Takes away the lease on a machine, whoever has it.
    public func release(leaseOn id: String, app: String) {
        cloud.touch(MachineKey(app: app, machine: id)) { $0.lease = nil }
    }

    /// Ends a machine's main process, as if it had done so by itself. A machine without one ends
    /// likewise.
    public func kill(machine id: String, app: String, outOfMemory: Bool) {
        let key = MachineKey(app: app, machine: id)
        let hasProcess = cloud.touch(key) { machine in
            machine.outOfMemory = outOfMemory
            machine.process?.send(SIGKILL)
            return machine.process != nil
        }
        guard hasProcess == false else { return }
        cloud.endedByItself(key, Child.Exit(code: 0, signal: SIGKILL)) { $0.state == "started" }
    }
}

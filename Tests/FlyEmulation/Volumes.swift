import Foundation

extension Cloud {
    func listVolumes(_ request: Request) throws -> Answer {
        try withApp(request.app) { app, _ in
            let volumes = app.volumes.values.sorted { $0.order < $1.order }
            return .ok(.array(volumes.map(shape)))
        }
    }

    func getVolume(_ request: Request) throws -> Answer {
        try withVolume(request) { volume in .ok(shape(volume)) }
    }

    func createVolume(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        guard let name = fields["name"]?.string, 1...30 ~= name.utf8.count,
            name.utf8.allSatisfy({ (Names.letters + "_").utf8.contains($0) })
        else { throw Refusal.invalid("name must be of 1 to 30 of a-z, 0-9 and _") }
        let region = fields["region"]?.string ?? options.regions.sorted()[0]
        guard options.regions.contains(region) else {
            throw Refusal.invalid("region \(region) not found")
        }
        let size = fields["size_gb"]?.int ?? 3
        guard 1...500 ~= size else { throw Refusal.invalid("size_gb must be 1 to 500") }
        let volume = try withApp(request.app) { app, world in
            let volume = Volume(
                id: Names.volume(), name: name, region: region, size: size,
                encrypted: fields["encrypted"]?.bool ?? true,
                retention: fields["snapshot_retention"]?.int ?? 5,
                isBackedUp: fields["auto_backup_enabled"]?.bool ?? true,
                fileSystem: fields["fstype"]?.string ?? "ext4", order: world.next(),
                createdAt: time.now)
            app.volumes[volume.id] = volume
            return volume
        }
        makeDirectory(directory(ofVolume: volume.id))
        schedule.run { [self] in
            try? await time.sleep(delays.volumeReady)
            withWorld { world in
                guard world.apps[request.app]?.volumes[volume.id]?.state == "creating" else {
                    return
                }
                world.apps[request.app]?.volumes[volume.id]?.state = "created"
            }
        }
        return Answer(status: 201, body: shape(volume))
    }

    func updateVolume(_ request: Request) throws -> Answer {
        let fields = try request.fields()
        return try withVolume(request) { volume in
            if let days = fields["snapshot_retention"]?.int { volume.retention = days }
            if let backed = fields["auto_backup_enabled"]?.bool { volume.isBackedUp = backed }
            return .ok(shape(volume))
        }
    }

    func extendVolume(_ request: Request) throws -> Answer {
        guard let size = try request.fields()["size_gb"]?.int else {
            throw Refusal.invalid("size_gb is required")
        }
        return try withVolume(request) { volume in
            guard size >= volume.size, size <= 500 else {
                throw Refusal.invalid("a volume can only grow, to 500 GB at most")
            }
            let grows = size > volume.size
            volume.size = size
            return .ok([
                "volume": shape(volume), "needs_restart": .bool(grows && volume.attached != nil),
            ])
        }
    }

    func deleteVolume(_ request: Request) throws -> Answer {
        let volume = try withVolume(request) { volume in
            if volume.attached != nil {
                throw Refusal.precondition("volume is currently bound to machine")
            }
            volume.state = "scheduling_destroy"
            return volume
        }
        schedule.run { [self] in
            try? await time.sleep(delays.volumeGone)
            withWorld { world in world.apps[request.app]?.volumes[volume.id] = nil }
            remove(directory(ofVolume: volume.id))
        }
        return .ok(shape(volume))
    }

    func makeDirectory(_ path: String) {
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    private func withVolume<Result: Sendable>(
        _ request: Request, _ body: (inout Volume) throws -> Result
    ) throws -> Result {
        try withApp(request.app) { app, _ in
            guard var volume = app.volumes[request.names["volume"] ?? ""] else {
                throw Refusal.missing("volume")
            }
            defer { app.volumes[volume.id] = volume }
            return try body(&volume)
        }
    }

    private func shape(_ volume: Volume) -> JSON {
        var fields: [String: JSON] = [
            "id": .string(volume.id), "name": .string(volume.name),
            "region": .string(volume.region), "size_gb": .int(volume.size),
            "state": .string(volume.state), "zone": .string(Names.digest(volume.id).prefix4),
            "encrypted": .bool(volume.encrypted), "fstype": .string(volume.fileSystem),
            "snapshot_retention": .int(volume.retention),
            "auto_backup_enabled": .bool(volume.isBackedUp), "host_status": "ok",
            "created_at": .string(Time.text(volume.createdAt)),
        ]
        if let machine = volume.attached { fields["attached_machine_id"] = .string(machine) }
        return .object(fields)
    }
}

extension String {
    fileprivate var prefix4: String { String(prefix(4)) }
}

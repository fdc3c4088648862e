import PalModel
public import PalProvider

/// The home of an instance that is about to be made.
struct Home: Sendable {
    /// The volume's id; nil for a home that goes with the machine.
    var volume: String?
    /// Whether it was made just now, and is empty.
    var isNew = false
    var notices: [String] = []
}

extension FlyProvider: StorageProvider {
    /// The volumes whose names are the swarm's.
    public func listStorage() async throws(ProviderFailure) -> [StorageVolume] {
        try await volumes().compactMap { volume in
            guard let owner = FlyName.owner(ofVolume: volume.name, swarm: settings.swarm) else {
                return nil
            }
            return StorageVolume(
                providerStorageId: volume.id, instanceName: owner, createdAt: volume.createdAt)
        }
        .sorted { $0.providerStorageId < $1.providerStorageId }
    }

    /// Deletes a volume of the swarm; one that is not the swarm's is not there. Fly.io keeps its
    /// snapshots for the days that the account says.
    /// - Throws: An instance error `VolumeBusy` while a machine holds it.
    public func deleteStorage(
        _ providerStorageId: String
    ) async throws(ProviderFailure) -> Bool {
        guard let volume = try await volume(providerStorageId), !volume.isGoing,
            FlyName.owner(ofVolume: volume.name, swarm: settings.swarm) != nil
        else { return false }
        let free = try await whenFree(volume)
        guard free.machine == nil else { throw busy(free) }
        sizes.forget(volume.id)
        let answer = try await api.send(
            MachinesCall(
                .deleteVolume, "DELETE", "/volumes/\(volume.id)"
            ).of(settings.app))
        if answer.isSuccess { return true }
        if answer.status == 404 { return false }
        if answer.status == 409 || answer.status == 412 { throw busy(volume) }
        throw .unexpected(answer, doing: "delete the volume \(volume.id)", changesSomething: true)
    }

    /// Every volume of the app that stays.
    func volumes() async throws(ProviderFailure) -> [Volume] {
        try await volumeLooks.take { sends throws(ProviderFailure) in
            let answer = try await api.send(
                MachinesCall(.listVolumes, "GET", "/volumes").of(settings.app), sends: sends)
            if answer.status == 404, try await !appExists() { return [] }
            guard answer.isSuccess else {
                throw .unexpected(answer, doing: "list the volumes", changesSomething: false)
            }
            let volumes = try answer.list().compactMap { Volume($0) }.filter { !$0.isGoing }
            sizes.learn(volumes)
            return volumes
        }
    }

    /// One volume, whoever owns it; nil where there is none. A look at all of them, which can be
    /// shared: Fly.io counts a look at one as it counts a look at all.
    func volume(_ id: String) async throws(ProviderFailure) -> Volume? {
        try await volumes().first { $0.id == id }
    }

    /// The size of a machine's volume in GiB; nil where it has none.
    func size(ofVolumeOf machine: Machine) async throws(ProviderFailure) -> Int? {
        guard let id = machine.volume else { return nil }
        if let known = sizes.size(id) { return known }
        return try await volume(id)?.size
    }

    // MARK: The home of a new machine

    /// Finds the volume of an instance in its region, or makes it.
    /// - Throws: A configuration error where it is in another region: it cannot come along.
    func provideHome(_ request: CreateRequest) async throws(ProviderFailure) -> Home {
        let config = request.config
        guard MachineBody.isPersistent(config) else { return Home() }
        let name = FlyName.volume(swarm: settings.swarm, name: config.name)
        let region = MachineBody.region(config, settings)
        let all = try await volumes().filter { $0.name == name }
        guard let kept = all.first(where: { $0.region == region }) else {
            if let other = all.first { throw elsewhere(other, config, region) }
            return try await makeVolume(name, request, region)
        }
        let free = try await whenFree(kept)
        if let holder = free.machine {
            throw try await machine(holder) == nil ? busy(free) : conflict(holder, request)
        }
        try await grow(free, to: config.resources.storageSize, of: config.name)
        return Home(
            volume: free.id,
            notices: ["the kept volume \(free.id) is attached again, with what is in it"])
    }

    private func makeVolume(
        _ name: String, _ request: CreateRequest, _ region: String
    ) async throws(ProviderFailure) -> Home {
        let config = request.config
        await request.progress(Progress("MakingVolume", "the volume \(name) in \(region)"))
        let answer = try await api.send(
            MachinesCall(
                .createVolume, "POST", "/volumes",
                body: .map([
                    "name": .string(name), "region": .string(region),
                    "size_gb": .int(config.resources.storageSize ?? MachineBody.usualStorage),
                    // Where it lies decides what machine has room beside it.
                    "compute": MachineBody.guest(config),
                ])
            ).of(settings.app))
        guard answer.isSuccess, let volume = Volume(try answer.decoded()) else {
            throw .unexpected(
                answer, doing: "make a volume for '\(config.name)' in \(region)",
                changesSomething: true)
        }
        return Home(volume: try await whenReady(volume).id, isNew: true)
    }

    /// A volume cannot be mounted while it is being made.
    private func whenReady(_ volume: Volume) async throws(ProviderFailure) -> Volume {
        var volume = volume
        for _ in 0..<60 {
            guard volume.state == "creating" else { return volume }
            try await api.pause(.seconds(1))
            guard let now = try await self.volume(volume.id) else { break }
            volume = now
        }
        throw .ambiguous("the volume \(volume.id) was made, and cannot be mounted yet")
    }

    /// A volume stays bound for a while to a machine that was deleted.
    private func whenFree(_ volume: Volume) async throws(ProviderFailure) -> Volume {
        var volume = volume
        for _ in 0..<30 {
            guard let holder = volume.machine, try await machine(holder) == nil else {
                return volume
            }
            try await api.pause(.seconds(1))
            guard let now = try await self.volume(volume.id) else { break }
            volume = now
        }
        return volume
    }

    /// Makes a volume larger; never smaller.
    /// - Returns: Whether the machine that holds it has to start again to see that.
    @discardableResult
    func grow(
        _ volume: Volume, to size: Int?, of name: String
    ) async throws(ProviderFailure) -> Bool {
        guard let size, size > volume.size else { return false }
        sizes.forget(volume.id)
        let answer = try await api.send(
            MachinesCall(
                .extendVolume, "PUT", "/volumes/\(volume.id)/extend",
                body: .map(["size_gb": .int(size)])
            ).of(settings.app))
        guard answer.isSuccess else {
            throw .unexpected(
                answer, doing: "make the volume of '\(name)' larger", changesSomething: true)
        }
        return try answer.decoded()["needs_restart"] == .bool(true)
    }

    private func busy(_ volume: Volume) -> ProviderFailure {
        .instance(
            .volumeBusy,
            "the volume \(volume.id) is bound to the machine \(volume.machine ?? "of before"); "
                + "Fly.io lets go of it some minutes after that is deleted, and it is tried again",
            isRetryable: true)
    }

    private func elsewhere(
        _ volume: Volume, _ config: InstanceConfig, _ region: String
    ) -> ProviderFailure {
        .invalid(
            "'\(config.name)' is to be in \(region), and its volume \(volume.id) is in "
                + "\(volume.region): a volume cannot move. Put region: \(volume.region) into its "
                + "spec to use what is in it, or set onReplace: discard and onDelete: delete, or "
                + "delete it with 'fly volumes destroy \(volume.id)'")
    }
}

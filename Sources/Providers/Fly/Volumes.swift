import PalModel
public import PalProvider

/// The home of an instance that is about to be made.
struct Home: Sendable {
    /// Where it is, and with it the machine.
    var region: String
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
            guard let owner = FlyName.owner(ofVolume: volume.name, settings) else {
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
            FlyName.owner(ofVolume: volume.name, settings) != nil
        else { return false }
        let free = try await whenFree(volume)
        guard free.machine == nil else { throw busy(free) }
        sizes.forget(volume.id)
        let answer = try await api.send(
            MachinesCall(
                .deleteVolume, "DELETE", "/volumes/\(volume.id)"
            ))
        if answer.isSuccess { return true }
        if answer.status == 404 { return false }
        if answer.status == 409 || answer.status == 412 { throw busy(volume) }
        throw .unexpected(answer, doing: "delete the volume \(volume.id)", changesSomething: true)
    }

    /// Every volume of the app that stays.
    func volumes() async throws(ProviderFailure) -> [Volume] {
        try await volumeLooks.take { sends throws(ProviderFailure) in
            let answer = try await api.send(
                MachinesCall(.listVolumes, "GET", "/volumes"), sends: sends)
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

    /// Finds the volume of an instance, or makes it. Where a spec names no region, the volume that
    /// is kept does.
    /// - Throws: A configuration error where the volume is in another region than the spec says: it
    ///   cannot come along.
    func provideHome(_ request: CreateRequest) async throws(ProviderFailure) -> Home {
        let config = request.config
        guard MachineBody.isPersistent(config) else {
            return Home(region: config.region ?? settings.region)
        }
        guard let kept = try await keptVolume(config) else {
            return try await makeVolume(request, config.region ?? settings.region)
        }
        let free = try await whenFree(kept)
        if let holder = free.machine {
            throw try await machine(holder) == nil ? busy(free) : conflict(holder, request)
        }
        try await grow(free, to: config.resources.storageSize, of: config.name)
        return Home(
            region: free.region, volume: free.id,
            notices: ["the kept volume \(free.id) is attached again, with what is in it"])
    }

    /// The volume that an instance has already; nil where there is none.
    /// - Throws: A configuration error where it is elsewhere, or where there are several.
    func keptVolume(_ config: InstanceConfig) async throws(ProviderFailure) -> Volume? {
        let name = FlyName.volume(settings, name: config.name)
        let all = try await volumes().filter { $0.name == name }
        let here = all.filter { config.region == nil || $0.region == config.region }
        if here.count > 1 {
            let ids = here.map { "\($0.id) in \($0.region)" }.sorted()
            throw .invalid(
                "'\(config.name)' has several volumes of the name \(name): "
                    + "\(ids.joined(separator: ", ")). pal does not guess which holds the work; "
                    + "delete the others (fly volumes destroy ID)")
        }
        if let other = all.first, here.isEmpty { throw elsewhere(other, config) }
        return here.first
    }

    private func makeVolume(
        _ request: CreateRequest, _ region: String
    ) async throws(ProviderFailure) -> Home {
        let config = request.config
        let name = FlyName.volume(settings, name: config.name)
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
            ))
        guard answer.isSuccess else {
            throw .unexpected(
                answer, doing: "make a volume for '\(config.name)' in \(region)",
                changesSomething: true)
        }
        guard let volume = Volume(try answer.decodedAfterEffect()) else {
            throw .ambiguous("Fly.io made the volume \(name) and did not say under which id")
        }
        return Home(region: region, volume: try await whenReady(volume).id, isNew: true)
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
    func grow(
        _ volume: Volume, to size: Int?, of name: String
    ) async throws(ProviderFailure) {
        guard let size, size > volume.size else { return }
        sizes.forget(volume.id)
        let answer = try await api.send(
            MachinesCall(
                .extendVolume, "PUT", "/volumes/\(volume.id)/extend",
                body: .map(["size_gb": .int(size)])
            ))
        guard answer.isSuccess else {
            throw .unexpected(
                answer, doing: "make the volume of '\(name)' larger", changesSomething: true)
        }
    }

    private func busy(_ volume: Volume) -> ProviderFailure {
        .instance(
            .volumeBusy,
            "the volume \(volume.id) is bound to the machine \(volume.machine ?? "of before"); "
                + "Fly.io lets go of it some minutes after that is deleted, and it is tried again",
            isRetryable: true)
    }

    private func elsewhere(_ volume: Volume, _ config: InstanceConfig) -> ProviderFailure {
        .invalid(
            "'\(config.name)' is to be in \(config.region ?? ""), and its volume \(volume.id) is "
                + "in \(volume.region): a volume cannot move. Put region: \(volume.region) into "
                + "its spec to use what is in it, or delete it (fly volumes destroy \(volume.id))")
    }
}

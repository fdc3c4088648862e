import PalModel
public import PalProvider

extension DockerProvider: StorageProvider {
    /// The volumes that carry the swarm's label.
    public func listStorage() async throws(ProviderFailure) -> [StorageVolume] {
        let label = "\(DockerLabel.swarm)=\(settings.swarm)"
        let answer = try await engine.send(
            EngineCall("GET", "/volumes", query: [EngineCall.filters(["label": [label]])]))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the volumes", changesSomething: false)
        }
        return try (answer.decoded(as: VolumeList.self).volumes ?? []).compactMap { volume in
            guard let owner = Ownership(labels: volume.labels ?? [:]),
                owner.swarm == settings.swarm
            else { return nil }
            return StorageVolume(
                providerStorageId: volume.name, instanceName: owner.name,
                createdAt: volume.createdAt.flatMap { Timestamp.date($0) })
        }
        .sorted { $0.providerStorageId < $1.providerStorageId }
    }

    /// Deletes a volume of the swarm; one that is not the swarm's is not there.
    /// - Throws: An instance error `WrongState` while a container uses it.
    public func deleteStorage(
        _ providerStorageId: String
    ) async throws(ProviderFailure) -> Bool {
        guard let volume = try await volume(providerStorageId),
            volume.labels?[DockerLabel.swarm] == settings.swarm
        else { return false }
        let answer = try await engine.send(
            EngineCall("DELETE", "/volumes/\(EngineCall.encoded(providerStorageId))"))
        if answer.isSuccess { return true }
        if answer.status == 404 { return false }
        if answer.status == 409 {
            throw .instance(
                .wrongState,
                "the volume \(providerStorageId) is in use; "
                    + "'docker ps --all --filter volume=\(providerStorageId)' shows who by: remove "
                    + "that first, or take 'onDelete: delete' back to keep the volume",
                cause: answer.message, isRetryable: true)
        }
        throw .unexpected(
            answer, doing: "delete the volume \(providerStorageId)", changesSomething: true)
    }

    /// Makes the home's volume.
    func makeVolume(_ name: String, for request: CreateRequest) async throws(ProviderFailure) {
        let specifics = Specifics(request.config)
        let options = specifics.driverOptions(size: request.config.resources.storageSize)
        let answer = try await engine.send(
            EngineCall(
                "POST", "/volumes/create",
                body: .map([
                    "Name": .string(name), "Driver": .string(specifics.volumeDriver ?? "local"),
                    "DriverOpts": .texts(options), "Labels": .texts(request.ownership.labels),
                ])))
        if answer.isSuccess { return }
        if EngineMessage.isDiskFull(answer.message) {
            throw diskFull("make a volume for '\(request.config.name)'", answer.message)
        }
        let isUsual = specifics.volumeDriver == nil && options.isEmpty
        throw .instance(
            ProviderError.Code(rawValue: "VolumeRefused"),
            "Docker makes no volume for '\(request.config.name)': \(answer.message); "
                + (isUsual
                    ? "look at the log of its daemon"
                    : "correct specific.volumeDriver and specific.volumeOptions"),
            isRetryable: true)
    }

    /// One volume, whoever owns it; nil where there is none.
    func volume(_ name: String) async throws(ProviderFailure) -> VolumeDetail? {
        guard DockerName.isValid(name) else { return nil }
        let answer = try await engine.send(
            EngineCall("GET", "/volumes/\(EngineCall.encoded(name))"))
        if answer.status == 404 { return nil }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "inspect the volume \(name)", changesSomething: false)
        }
        return try answer.decoded(as: VolumeDetail.self)
    }
}

extension VolumeDetail {
    /// In what a home that is there is not as its spec would have it made; nil where it is. It
    /// stays as it is. Options are not told with their values, which may be passwords.
    /// - Parameter size: The spec's, in GiB; a driver that made none of this size was told another.
    func difference(from specifics: Specifics, size: Int?) -> String? {
        let wanted = Self.plain(specifics.volumeDriver ?? "local")
        var parts: [String] = []
        let isAnothers = driver.map { Self.plain($0) != wanted } ?? false
        if let driver, isAnothers {
            parts.append("made by the driver '\(driver)' and not by '\(wanted)'")
        }
        // What the Engine adds of its own is nobody's wish.
        let told = specifics.driverOptions(size: isAnothers ? nil : size)
        let others = told.filter { (options ?? [:])[$0.key] != $0.value }
        if !others.isEmpty {
            parts.append("made with another \(others.keys.sorted().joined(separator: ", "))")
        }
        return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }

    /// A managed plug-in is told with the tag that it has where none is said.
    private static func plain(_ driver: String) -> String {
        driver.hasSuffix(":latest") ? String(driver.dropLast(7)) : driver
    }
}

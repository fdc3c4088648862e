import PalFiles
public import PalModel
public import PalProvider

extension ProcessProvider {
    /// The instance, with a probe of its readiness where it runs.
    public func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        guard let entry = try records.find(reference) else { return nil }
        return try await describe(entry.record, entry.files)
    }

    /// A record that cannot be read is an error that names the file: it may be any instance.
    public func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        let entries = try records.all().filter { filter.takes($0.record.ownership.name) }
        let outcome = await withTaskGroup(
            of: (Int, Result<VSCodeInstance, ProviderFailure>).self
        ) { group in
            for (index, entry) in entries.enumerated() {
                group.addTask {
                    (
                        index,
                        await Result.of { () async throws(ProviderFailure) in
                            try await self.describe(entry.record, entry.files)
                        }
                    )
                }
            }
            var found: [(Int, Result<VSCodeInstance, ProviderFailure>)] = []
            for await one in group { found.append(one) }
            return found
        }
        var instances: [VSCodeInstance] = []
        for (_, result) in outcome.sorted(by: { $0.0 < $1.0 }) {
            instances.append(try result.get())
        }
        return instances
    }

    /// An instance from what its files say. Pure, but for the memory that it uses.
    func assemble(
        _ record: InstanceRecord, _ files: InstanceFiles, _ state: RunState, _ launch: LaunchFile?,
        _ readiness: Readiness
    ) -> VSCodeInstance {
        var instance = createBaseInstance(
            record.ownership, providerInstanceId: record.providerInstanceId,
            status: state.status, config: record.config)
        instance.readiness = readiness
        instance.exit = state.exit
        instance.createdAt = record.createdAt
        instance.updatedAt = record.updatedAt
        instance.network = network(record, launch)
        let resources = record.config.resources
        instance.resources.cpu.limit = resources.cpuCores
        instance.resources.memory.limit = resources.memoryMax.map { Double($0) }
        instance.resources.storage.limit = resources.storageSize.map { Double($0) }
        instance.metadata = metadata(record, files, state, launch)
        return instance
    }

    private func network(_ record: InstanceRecord, _ launch: LaunchFile?) -> NetworkState {
        var network = NetworkState()
        network.internalIp = "127.0.0.1"
        network.externalIp = "127.0.0.1"
        network.port = record.port
        network.ports = record.ports.sorted().map { port in
            PortMapping(
                internal: port.number, external: port.number, protocol: port.isUDP ? "udp" : "tcp")
        }
        if let port = record.port { network.urls = ["http://127.0.0.1:\(port)/"] }
        return network
    }

    private func metadata(
        _ record: InstanceRecord, _ files: InstanceFiles, _ state: RunState, _ launch: LaunchFile?
    ) -> [String: String] {
        var metadata = [
            "directory": files.directory,
            "home": LaunchPlan(settings: settings).home(record, files),
        ]
        if let editor = launch?.editor {
            metadata["editor"] = editor.title
            metadata["passwordFile"] = files.password
        }
        if let child = state.run?.child, state.isActive { metadata["pid"] = String(child.pid) }
        if let note = state.note { metadata["note"] = note }
        return metadata
    }
}

extension Result where Failure == ProviderFailure, Success: Sendable {
    /// What came of an asynchronous call.
    static func of(
        _ body: () async throws(ProviderFailure) -> Success
    ) async -> Result {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

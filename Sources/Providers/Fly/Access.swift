import PalEditors
public import PalModel
public import PalProvider

extension FlyProvider: AccessProvider {
    /// One call. The password or token is read from its file on this machine; the platform is not
    /// asked for it.
    public func getAccess(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> EditorAccess {
        let machine = try await require(reference)
        guard machine.status == .running,
            let address = instance(machine, nil)?.network.urls.first
        else {
            let what =
                machine.status == .running
                ? "publishes no port of an editor; set network.port in its spec"
                : "does not run (\(machine.state)); start it first"
            throw .instance(.wrongState, "\(machine.name) \(what)", isRetryable: false)
        }
        return EditorAccess(
            address: address, folder: machine.metadata[FlyMark.folder],
            credential: try credential(machine))
    }

    private func credential(
        _ machine: Machine
    ) throws(ProviderFailure) -> EditorAccess.Credential {
        let lock = machine.metadata[FlyMark.lock].flatMap(EditorLock.init(rawValue:))
        return try settings.passwords.credential(
            lock, id: FlyMark.ownership(machine.metadata)?.id)
    }
}

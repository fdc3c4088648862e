import PalEditors
public import PalModel
public import PalProvider

extension DockerProvider: AccessProvider {
    /// One inspection. The password or token is read from its file on this machine; the container
    /// is not asked for it.
    public func getAccess(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> EditorAccess {
        let detail = try await require(reference)
        guard detail.isRunning,
            let address = network(detail).urls.first
        else {
            let what =
                detail.isRunning
                ? "publishes no port of an editor; set network.port in its spec"
                : "does not run (\(detail.state.status)); start it first"
            throw .instance(.wrongState, "\(detail.plainName) \(what)", isRetryable: false)
        }
        return EditorAccess(
            address: address, folder: detail.config.labels?[DockerLabel.folder],
            credential: try credential(detail))
    }

    private func credential(
        _ detail: ContainerDetail
    ) throws(ProviderFailure) -> EditorAccess.Credential {
        let labels = detail.config.labels ?? [:]
        return try settings.passwords.credential(
            labels[DockerLabel.lock].flatMap(EditorLock.init(rawValue:)), id: labels["pal.id"])
    }
}

extension ContainerDetail {
    /// The token that the editor's first line holds as part of its address; nil where there is
    /// none. One that cannot be read now hides nothing.
    func tokenInLogs(_ passwords: PasswordStore) -> String? {
        guard config.labels?[DockerLabel.lock] == EditorLock.token.rawValue,
            let id = config.labels?["pal.id"]
        else { return nil }
        return (try? passwords.password(of: id))?.text
    }
}

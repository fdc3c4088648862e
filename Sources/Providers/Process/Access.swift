import PalFiles
public import PalModel
public import PalProvider

extension ProcessProvider: AccessProvider {
    /// From the instance's files; the editor is not asked.
    public func getAccess(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> EditorAccess {
        guard let entry = try records.find(reference) else {
            throw .instance(.notFound, "there is no instance with the id \(reference.id) here")
        }
        let name = entry.record.ownership.name
        let instance = try await describe(entry.record, entry.files)
        guard instance.status == .running, let address = instance.network.urls.first else {
            let what =
                instance.status == .running
                ? "has no port; set network.port in its spec"
                : "does not run (\(instance.status.rawValue)); start it first"
            throw .instance(.wrongState, "'\(name)' \(what)")
        }
        let launch = try? JSONFile.read(LaunchFile.self, at: entry.files.launch)
        guard let launch, let editor = launch.editor else {
            return EditorAccess(
                address: address, credential: .unknown("its command says how it is opened"))
        }
        return EditorAccess(
            address: address, folder: launch.directory,
            credential: Self.credential(editor, launch, entry.files))
    }

    private static func credential(
        _ editor: Editor, _ launch: LaunchFile, _ files: InstanceFiles
    ) -> EditorAccess.Credential {
        let isCodeServer = editor == .codeServer
        // code-server takes these before its configuration.
        if isCodeServer,
            ["PASSWORD", "HASHED_PASSWORD"].contains(where: { launch.environment[$0] != nil })
        {
            return .unknown("its spec's env says how it is opened")
        }
        guard let bytes = try? RegularFile.read(at: files.password, limit: 4096).bytes,
            !bytes.isEmpty
        else {
            return .unknown(
                "its \(isCodeServer ? "password" : "token") is unknown until it is replaced: "
                    + "the file \(files.password) is gone")
        }
        return isCodeServer ? .password(SecretValue(bytes)) : .token(SecretValue(bytes))
    }
}

import PalEditors
public import PalModel
import PalProvider

extension DockerProvider {
    /// Its presence says that all the files beside a container's body are there. They lie in the
    /// container's own layer, so that stops and restarts keep them.
    static let marker = EditorLock.directory + "/.pal"

    /// The values of a config's secrets, from the controller's machine.
    func secretValues(
        _ config: InstanceConfig
    ) throws(ProviderFailure) -> [String: SecretValue] {
        try settings.secrets.values(of: config)
    }

    /// Writes the files of a container that was just made, and takes it away again where the Engine
    /// refuses them. Only now is a password made: the container's name is taken, so that no other
    /// one has been given another.
    func furnish(
        _ id: String, _ request: CreateRequest, _ secrets: [String: SecretValue]
    ) async throws(ProviderFailure) {
        guard Furnishing.isNeeded(request.config) else { return }
        let answer: EngineAnswer
        do throws(ProviderFailure) {
            let isGenerated = EditorLock(for: request.config)?.isGenerated ?? false
            let generated =
                isGenerated ? try settings.passwords.passwordOrNew(of: request.ownership.id) : nil
            let furnishing = try Furnishing(
                request.config, secrets: secrets, generated: generated)
            var call = EngineCall(
                "PUT", "/containers/\(id)/archive", query: [("path", "/")], timeout: .seconds(60))
            // Without the last of them a container was not finished, and is not started.
            let marker = PlacedFile(path: Self.marker, content: SecretValue([]))
            call.archive = Archive(furnishing.files + [marker]).content
            answer = try await engine.send(call)
        } catch {
            // With the answer lost the files may be there: the next start looks.
            if case .error = error { await discard(id) }
            throw error
        }
        guard !answer.isSuccess else { return }
        await discard(id)
        if answer.status == 404 {
            throw .notFound("'\(request.config.name)' was removed while it was made")
        }
        throw .unexpected(
            answer, doing: "write the secrets of '\(request.config.name)'", changesSomething: true)
    }

    /// Takes a container away that was never started and has not got all its files, or is not in
    /// all its networks: whoever made it was ended before the end. There is nothing in it yet, and
    /// its volume is kept.
    func discardUnfinished(_ detail: ContainerDetail) async throws(ProviderFailure) {
        guard detail.wasNeverStarted else { return }
        if detail.missingNetworks.isEmpty, try await hasItsFiles(detail) { return }
        _ = try await delete(detail.id, named: detail.plainName)
        throw .notFound(
            "\(detail.plainName) was not finished when it was made, and is taken away; "
                + "it is made anew")
    }

    private func hasItsFiles(_ detail: ContainerDetail) async throws(ProviderFailure) -> Bool {
        guard let marker = detail.config.labels?[DockerLabel.marker] else { return true }
        var call = EngineCall(
            "HEAD", "/containers/\(detail.id)/archive", query: [("path", marker)])
        call.changesSomething = false
        let answer = try await engine.send(call)
        if answer.isSuccess { return true }
        guard answer.status == 404 else {
            throw .unexpected(
                answer, doing: "look into \(detail.plainName)", changesSomething: false)
        }
        return false
    }
}

extension ContainerDetail {
    /// Whether it was made and no more. Docker and Podman have their own words for that.
    fileprivate var wasNeverStarted: Bool {
        ["created", "initialized", "configured"].contains(state.status)
    }
}

extension DockerProvider {
    /// A secret that is a variable can be read by everybody who may use the Engine; and an image
    /// may open its editor to all.
    public func warnings(_ config: InstanceConfig) -> [Condition] {
        EditorLock.warnings(config) + exposedSecrets(config)
    }

    private func exposedSecrets(_ config: InstanceConfig) -> [Condition] {
        (config.secrets ?? [:]).filter { $0.value.as == "env" }.keys.sorted().map { name in
            Condition(
                .exposed, reason: "SecretInEnvironment",
                message: "secret '\(name)' is a variable, which 'docker inspect' shows to whoever "
                    + "may use Docker; without 'as: env' it is the file "
                    + "\(EditorLock.directory)/\(name)")
        }
    }
}

internal import FoundationEssentials
internal import Logging
import PalEditors
public import PalModel
public import PalProvider

extension DockerProvider {
    /// Makes the network where it is missing, the container with its volume, and starts it.
    ///
    /// A container that cannot be started for a reason that the Engine knows is removed again, so
    /// that the next attempt begins anew; its volume is kept. Where another program takes a port
    /// that pal chose, the container is made once more with another one.
    /// The image is pulled as `specific.pull` says: where the Engine has none, or first of all.
    /// - Throws: Instance errors `ImageMissing`, `PullFailed`, `PortTaken` (for a fixed port),
    ///   `AddressTaken`, `NameTaken`, `AlreadyExists`; a configuration error for what the Engine
    ///   refuses.
    public func createInstance(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        try check(request)
        members.beginCreation()
        do throws(ProviderFailure) {
            defer { members.endCreation() }
            return try await create(request)
        } catch {
            // The network may have been made for it; what nobody knows the end of may need it.
            if case .error = error { try? await removeNetworkAfterLast() }
            throw error
        }
    }

    private func create(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let secrets = try secretValues(request.config)
        let variables = try Furnishing(request.config, secrets: secrets, generated: nil).variables
        try await pullFirst(request)
        try await refuseForPodman(request.config)
        let home = try await provideHome(request)
        let network = CreateBody.network(request.config, swarm: settings.swarm)
        let ownNetwork = network == networkName
        if ownNetwork { try await ensureNetwork() }
        var taken = Set(cache.everything.flatMap { $0.ports.compactMap(\.outside) })
        for kept in request.keptPorts.values { taken.remove(kept) }
        for _ in 1...Self.startAttempts {
            let ports = try portChooser.assign(
                WantedPort.all(
                    request.config, editorPort: EditorProfile(for: request.config).port),
                kept: request.keptPorts, taken: taken)
            let id = try await keeping(home) { () throws(ProviderFailure) in
                try await makeContainer(request, ports, variables)
            }
            try await join(id, request)
            try await furnish(id, request, secrets)
            guard request.starts else {
                await tell(home, ports, request)
                return try await made(id, home.notices)
            }
            switch try await start(id, named: request.config.name) {
            case .started:
                await tell(home, ports, request)
                return try await made(id, home.notices)
            case .portTaken(let port):
                await discard(id)
                let fixed = ports.filter { $0.isFixed && (port == nil || $0.outside == port) }
                if let first = fixed.first { throw portTaken(first, request) }
                taken.formUnion(port.map { [$0] } ?? ports.map(\.outside))
            case .networkMissing(let gone):
                networkSeen.set(false)
                await discard(id)
                // An Engine takes what it does not run into any network, and says so only now.
                if Specifics(request.config).networks.contains(where: { $0.name == gone }) {
                    throw missingNetwork(gone, request.config)
                }
                guard ownNetwork else { throw missingNetwork(network, request.config) }
                try await ensureNetwork()
            case .failed(let failure):
                networkSeen.set(false)
                await discard(id)
                throw failure
            }
        }
        throw .instance(
            .portTaken,
            "'\(request.config.name)' found no port that stayed free in \(Self.startAttempts) "
                + "attempts; it is tried again", isRetryable: true)
    }

    private static let startAttempts = 5

    /// Tells what is not as it was, or as it was asked for: people have addresses in their
    /// bookmarks.
    private func tell(_ home: Home, _ ports: [PortAssignment], _ request: CreateRequest) async {
        if let other = home.difference {
            await request.progress(
                Progress(
                    "HomeKept",
                    "its volume stays as it is, \(other); specific.volumeDriver and "
                        + "specific.volumeOptions count when a volume is made"))
        }
        let holder = request.standsBeside ? "what it takes the place of" : "something else"
        let moved = ports.compactMap { port -> String? in
            guard let kept = request.keptPorts[port.inside.key], kept != port.outside, !port.isFixed
            else { return nil }
            return "\(port.inside.text) is published at \(port.outside) now, for \(kept) is in use "
                + "by \(holder)"
        }
        guard !moved.isEmpty else { return }
        await request.progress(Progress("PortMoved", moved.joined(separator: "; ")))
    }

    /// Makes sure of the secrets, the workspace, the network that a spec names, and the image,
    /// which is pulled where that is needed.
    public func prepareInstance(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        try checkConfig(config)
        _ = try Furnishing(config, secrets: secretValues(config), generated: nil)
        try await refuseForPodman(config)
        if let path = config.workspacePath, try await isMissing(path) {
            throw missingDirectory("workspacePath", path, config)
        }
        let specifics = Specifics(config)
        let networks = (specifics.network.map { [$0] } ?? []) + specifics.networks.map(\.name)
        for network in networks where try await !networkExists(network) {
            throw missingNetwork(network, config)
        }
        try await prepareImage(config, progress)
    }

    /// Whether a directory is missing on the Engine's host, which need not be this machine.
    ///
    /// The Engine looks at the mounts of a creation before it looks for the image, so a creation
    /// with an image that cannot exist tells, and makes nothing. Podman looks for the image first:
    /// there the answer is always no, and `refuseForPodman` says what can be known.
    private func isMissing(_ path: String) async throws(ProviderFailure) -> Bool {
        let noImage = "pal.invalid/none@sha256:" + String(repeating: "0", count: 64)
        let mount = Value.texts(["Type": "bind", "Source": path, "Target": "/mnt"])
        var call = EngineCall(
            "POST", "/containers/create",
            body: .map([
                "Image": .string(noImage), "HostConfig": .map(["Mounts": .list([mount])]),
            ]))
        call.changesSomething = false
        let answer = try await engine.send(call)
        return answer.status == 400 && EngineMessage.isSourceMissing(answer.message)
    }

    /// What Podman would take without a word, where an Engine refuses. A directory that is missing
    /// it makes, as root's and empty, so it is looked for here, which takes that Podman runs on
    /// this machine.
    private func refuseForPodman(_ config: InstanceConfig) async throws(ProviderFailure) {
        _ = try await engine.version()
        guard engine.isPodman else { return }
        if config.specific?["gpus"] != nil {
            throw .invalid(
                "Podman gives no GPUs that are asked for in this way, and '\(config.name)' would "
                    + "run without; name them in specific.devices, or remove specific.gpus")
        }
        guard let missing = settings.policy.missingSources(config).first,
            try await isOfThisMachine()
        else { return }
        throw missingDirectory(missing.key, missing.path, config)
    }

    /// Whether the Engine says that it runs on this machine: a socket can lead to another one, and
    /// pal can have files of its own in a container.
    private func isOfThisMachine() async throws(ProviderFailure) -> Bool {
        let answer = try await engine.send(EngineCall("GET", "/info"))
        guard answer.isSuccess, let info = try? answer.decoded(as: Value.self) else { return false }
        return info["Name"] == .string(ProcessInfo.processInfo.hostName)
    }

    private func check(_ request: CreateRequest) throws(ProviderFailure) {
        guard request.ownership.swarm == settings.swarm else {
            throw .invalid(
                "provider '\(name)' works for swarm '\(settings.swarm)', "
                    + "not for '\(request.ownership.swarm)'")
        }
        try checkConfig(request.config)
    }

    /// What is wrong with a config by its words, and by where its paths lead.
    private func checkConfig(_ config: InstanceConfig) throws(ProviderFailure) {
        let problems = validateInstanceConfig(config)
        if let problem = problems.first ?? settings.policy.linkProblems(config).first {
            throw .invalid(problem.message)
        }
    }

    private func containerName(_ request: CreateRequest) -> String {
        let (swarm, owner) = (settings.swarm, request.ownership)
        return request.standsBeside
            ? DockerName.container(swarm: swarm, name: owner.name, beside: owner.generation)
            : DockerName.container(swarm: swarm, name: owner.name)
    }

    /// Makes the home's volume, unless it is there from before: good news, unless it is somebody
    /// else's. Not left to the container's creation, where Podman forgets the labels.
    private func provideHome(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> Home {
        guard CreateBody.isPersistent(request.config) else { return Home() }
        let name = DockerName.volume(swarm: settings.swarm, name: request.ownership.name)
        guard let volume = try await volume(name) else {
            try await makeVolume(name, for: request)
            return Home(made: name)
        }
        guard volume.labels?[DockerLabel.swarm] == settings.swarm else {
            // An Engine that is killed while it makes a volume leaves it without labels. Nothing
            // tells that from one that somebody made by hand and works with.
            let whose =
                (volume.labels ?? [:]).isEmpty
                ? "without a label: it is somebody else's, or Docker was killed while it made it"
                : "and is not pal's"
            throw .instance(
                .nameTaken,
                "the Docker volume \(name) exists \(whose); rename the instance, or remove the "
                    + "volume if nobody needs what is in it (docker volume rm \(name))",
                isRetryable: true)
        }
        return Home(
            notices: ["the kept volume \(name) is attached again, with what is in it"],
            difference: volume.difference(
                from: Specifics(request.config), size: request.config.resources.storageSize))
    }

    /// Where an instance keeps what is to stay.
    private struct Home {
        /// The volume that was made for it just now.
        var made: String?
        var notices: [String] = []
        /// In what one that is there is not as it is asked for.
        var difference: String?
    }

    /// Makes a container; where that is refused, the volume that was made for it goes again.
    private func keeping(
        _ home: Home, _ make: () async throws(ProviderFailure) -> String
    ) async throws(ProviderFailure) -> String {
        do throws(ProviderFailure) {
            return try await make()
        } catch {
            // Where nobody knows whether it was made, it may need its volume.
            if case .error = error, let made = home.made { _ = try? await deleteStorage(made) }
            throw error
        }
    }

    /// One container, made and not started. Meets what bears its name.
    private func makeContainer(
        _ request: CreateRequest, _ ports: [PortAssignment], _ variables: [String: String]
    ) async throws(ProviderFailure) -> String {
        let name = containerName(request)
        let body = CreateBody(
            request: request, settings: settings, ports: ports, secretVariables: variables,
            isForPodman: engine.isPodman
        ).value
        let platform = Specifics(request.config).platform
        let query = [("name", name)] + (platform.map { [("platform", $0)] } ?? [])
        // A second time where the holder of the name went meanwhile.
        for isLast in [false, true] {
            let answer = try await pullingIfMissing(request) { () throws(ProviderFailure) in
                try await engine.send(
                    EngineCall(
                        "POST", "/containers/create", query: query, body: body,
                        timeout: .seconds(180)))
            }
            if answer.isSuccess {
                let id = try answer.decoded(as: Created.self).id
                members.insert(id)
                return id
            }
            guard EngineMessage.isNameConflict(answer) else {
                networkSeen.set(false)
                throw creationFailure(answer, request)
            }
            if let holder = try await inspectAny(name) {
                guard holder.status == .deleting, !isLast, try await waitUntilGone(name)
                else { throw conflict(holder, request) }
            }
        }
        throw .ambiguous("the name \(name) is taken and free by turns; somebody else uses it")
    }

    /// The instance after its creation, which did take effect whatever happens here.
    private func made(
        _ id: String, _ notices: [String]
    ) async throws(ProviderFailure) -> VSCodeInstance {
        do throws(ProviderFailure) {
            let reference = InstanceReference(id: "", providerInstanceId: id)
            guard var instance = try await getInstance(reference) else {
                throw .ambiguous("container \(id) was made and is gone again")
            }
            instance.notices = notices
            return instance
        } catch {
            throw .ambiguous("container \(id) was made, and then: \(error)")
        }
    }

    /// Removes a container that this call made and that could not be started. Where that fails it
    /// stays, marked as pal's, and the engine finds it.
    func discard(_ id: String) async {
        let result = await Result<Bool, ProviderFailure>.catching { () throws(ProviderFailure) in
            try await delete(id, named: id)
        }
        if case .failure(let failure) = result {
            logger.warning(
                "a container that could not be started stays",
                metadata: ["id": "\(id)", "reason": "\(failure)"])
        }
    }
}

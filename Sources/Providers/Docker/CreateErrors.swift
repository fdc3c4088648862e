import PalModel
import PalProvider

extension ProviderError.Code {
    /// An address inside a network, which a spec asks for, is in use there.
    static let addressTaken = ProviderError.Code(rawValue: "AddressTaken")
}

/// What the failures of a creation mean to the user.
extension DockerProvider {
    func creationFailure(_ answer: EngineAnswer, _ request: CreateRequest) -> ProviderFailure {
        let message = answer.message
        if EngineMessage.isImageMissing(answer) { return imageMissing(request.config) }
        if let path = request.config.workspacePath, EngineMessage.isSourceMissing(message) {
            return missingDirectory("workspacePath", path, request.config)
        }
        if answer.status == 400 {
            return .invalid(
                "Docker refuses the spec of '\(request.config.name)': \(message); correct it")
        }
        if EngineMessage.isDiskFull(message) {
            return diskFull("make '\(request.config.name)'", message)
        }
        if answer.status >= 500 {
            // The Engine may have made the container before it failed.
            return .ambiguous(
                "Docker failed (\(answer.status)) when asked to make "
                    + "'\(request.config.name)': \(message)")
        }
        return .unexpected(
            answer, doing: "make '\(request.config.name)'", changesSomething: true)
    }

    /// - Parameter what: What could not be done.
    func diskFull(_ what: String, _ said: String) -> ProviderFailure {
        .instance(
            .platformFailure,
            "the disk of Docker's host is full, so that Docker cannot \(what); make room (docker "
                + "system df shows what takes it, docker image prune frees some)", cause: said,
            isRetryable: true)
    }

    func imageMissing(_ config: InstanceConfig) -> ProviderFailure {
        let image = CreateBody.image(config)
        if let platform = Specifics(config).platform {
            return .instance(
                .imageMissing,
                "'\(config.name)' needs the image \(image) for \(platform), which this Docker does "
                    + "not have and was not given by its registry; get it (docker pull --platform "
                    + "\(platform) \(image)), or correct image and specific.platform",
                isRetryable: true)
        }
        let why =
            Specifics(config).pull == .never
            ? "its spec says specific.pull: never" : "it went again after it was pulled"
        return .instance(
            .imageMissing,
            "'\(config.name)' needs the image \(image), which this Docker does not have, and "
                + "\(why); get it (docker pull \(image)), or remove specific.pull",
            isRetryable: true)
    }

    func missingDirectory(
        _ key: String, _ path: String, _ config: InstanceConfig
    ) -> ProviderFailure {
        .invalid(
            "\(key) '\(path)' of '\(config.name)' does not exist on Docker's host; "
                + "make the directory or correct the path")
    }

    func missingNetwork(_ network: String, _ config: InstanceConfig) -> ProviderFailure {
        let key = Specifics(config).network == network ? "specific.network" : "specific.networks"
        return .invalid(
            "the Docker network '\(network)' of '\(config.name)' does not exist; make it "
                + "(docker network create \(network)) or remove it from \(key)")
    }

    func portTaken(_ port: PortAssignment, _ request: CreateRequest) -> ProviderFailure {
        .instance(
            .portTaken,
            "port \(port.outside) on the host, which '\(request.config.name)' fixes for "
                + "\(port.inside.text), is in use by something else; end that, or choose another "
                + "in network.ports[].external", isRetryable: true)
    }

    /// It is somebody's who may go, so that it is tried again.
    func addressTaken(_ name: String, _ said: String) -> ProviderFailure {
        .instance(
            .addressTaken,
            "an address that '\(name)' asks for in its network is another's there; end that, or "
                + "choose another in specific.ipAddress or specific.networks", cause: said,
            isRetryable: true)
    }

    /// What it means that another container bears the name.
    func conflict(_ holder: ContainerDetail, _ request: CreateRequest) -> ProviderFailure {
        let instance = request.config.name
        if let owner = holder.ownership(in: settings.swarm), owner.name == request.ownership.name {
            return .instance(
                .alreadyExists,
                "'\(instance)' stands already as container \(holder.id.prefix(12)) "
                    + "(generation \(owner.generation))", isRetryable: true)
        }
        let id = holder.id.prefix(12)
        return .instance(
            .nameTaken,
            "the name \(holder.plainName) is held by container \(id), which is not pal's; remove "
                + "or rename that container (docker rename \(id) NEW-NAME), or give '\(instance)' "
                + "another name in its spec", isRetryable: true)
    }
}

import PalModel
import PalProvider

extension FlyProvider {
    /// The instance that a machine is; nil where it is not of this swarm.
    ///
    /// - Parameter size: Of its volume, in GiB.
    func instance(_ machine: Machine, _ size: Int?) -> VSCodeInstance? {
        guard let ownership = known.ownership(of: machine) else { return nil }
        var instance = createBaseInstance(
            ownership, providerInstanceId: machine.id, status: machine.status,
            config: observedConfig(machine, ownership, size))
        instance.providerRegion = machine.region ?? region
        instance.readiness = readiness(machine)
        instance.exit = machine.exit
        instance.resources.cpu.limit = instance.config.resources.cpuCores
        instance.resources.memory.limit = instance.config.resources.memoryMax.map { Double($0) }
        instance.resources.storage.limit = size.map { Double($0) }
        instance.network = network(machine)
        instance.createdAt = machine.createdAt
        instance.updatedAt = machine.updatedAt
        instance.metadata = metadata(machine)
        return instance
    }

    /// The fields that a machine tells, in the units of a spec. Of one whose config Fly.io does not
    /// know now, nothing is told, and so nothing differs.
    private func observedConfig(
        _ machine: Machine, _ ownership: Ownership, _ size: Int?
    ) -> InstanceConfig {
        var observed = InstanceConfig(name: ownership.name)
        observed.region = machine.region
        guard let config = machine.wholeConfig else { return observed }
        observed.image = config["image"].flatMap { String($0) }
        observed.command = config["init.cmd"].flatMap { [String]($0) }
        let own = Set(
            (machine.metadata[FlyMark.ownVariables] ?? "").split(separator: ",").map(String.init))
        let environment = machine.environment.filter { !own.contains($0.key) }
        observed.env = environment.isEmpty ? nil : environment
        observed.resources.cpuCores = config["guest.cpus"].flatMap { Int($0) }.map { Double($0) }
        observed.resources.memoryMax = config["guest.memory_mb"].flatMap { Int($0) }
        // A volume that is larger than was asked for is good enough, and is never made smaller.
        let asked = machine.metadata[FlyMark.storage].flatMap { Int($0) }
        observed.resources.storageSize = size.map { min($0, asked ?? $0) }
        return observed
    }

    /// Ready is what runs and passes its checks. Fly.io asks them from inside.
    private func readiness(_ machine: Machine) -> Readiness {
        guard machine.isReachable else { return .notReady("its host at Fly.io does not answer") }
        switch machine.status {
        case .running: break
        case .starting, .updating, .creating: return .notReady("it is \(machine.state)")
        default: return .unknown
        }
        if let owner = machine.metadata[FlyMark.homeOwner] {
            return .notReady("its home is being given to \(owner)")
        }
        let checks = machine.checks
        if let bad = checks.first(where: { $0.status != "passing" }) {
            let output = bad.output.split(whereSeparator: \.isNewline).joined(separator: " ")
            return .notReady(
                "its check '\(bad.name)' is \(bad.status.isEmpty ? "not there yet" : bad.status)"
                    + (output.isEmpty ? "" : ": \(output.prefix(300))"))
        }
        // Between the start and the first check there is none in the answer.
        if checks.isEmpty, case .map(let wanted)? = machine.config?["checks"], !wanted.isEmpty {
            return .notReady("its check has not passed yet")
        }
        return .ready
    }

    private func network(_ machine: Machine) -> NetworkState {
        var network = NetworkState()
        network.internalIp = machine.privateAddress
        let ports = FlyPort.all(machine.config)
        network.ports = ports.map {
            PortMapping(
                internal: $0.inside, external: $0.outside, protocol: $0.isUDP ? "udp" : nil)
        }
        guard let inside = machine.metadata[FlyMark.editorPort].flatMap({ Int($0) }),
            let port = ports.first(where: { $0.inside == inside && !$0.isUDP })
        else { return network }
        network.externalIp = settings.host
        network.port = port.outside
        network.urls = [
            "https://\(settings.host)\(port.outside == 443 ? "" : ":\(port.outside)")/"
        ]
        return network
    }

    private func metadata(_ machine: Machine) -> [String: String] {
        var metadata = [
            "machine": machine.id, "state": machine.state, "app": settings.app,
            "region": machine.region ?? "",
        ]
        metadata["volume"] = machine.volume
        metadata["imageDigest"] = machine.digest
        if !machine.isReachable { metadata["host"] = "unreachable" }
        return metadata
    }
}

public import PalModel
public import PalProvider

extension FlyProvider {
    /// Changes the machine's config as a whole, under a lease and for the version that was read:
    /// what somebody else changed meanwhile is not overwritten. What runs starts again; what is
    /// stopped stays so. A volume grows.
    public func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let beyond = partial.changes.filter { classify($0) >= .replace }
        guard beyond.isEmpty else {
            throw .needsReplacement(beyond.map(\.text).joined(separator: "; "))
        }
        let machine = try await require(reference)
        let size = "resources.storage.size"
        if partial.changes.contains(where: { $0.path != size }) {
            try await holding(machine) { nonce throws(ProviderFailure) in
                try await update(reference, partial, nonce)
            }
        }
        if let change = partial.changes.first(where: { $0.path == size }) {
            try await grow(machine, to: change.to.flatMap { Int($0) })
        }
        let updated = InstanceReference(id: reference.id, providerInstanceId: machine.id)
        guard let instance = try await getInstance(updated) else {
            throw .notFound("\(machine.name) was removed while it was updated")
        }
        return instance
    }

    private func update(
        _ reference: InstanceReference, _ partial: PartialConfig, _ nonce: String
    ) async throws(ProviderFailure) {
        // As it is now that nobody else changes it.
        let machine = try await require(reference)
        guard let config = machine.wholeConfig else {
            throw .instance(
                .busy, "the host of \(machine.name) does not answer; it is tried again",
                isRetryable: true)
        }
        guard MachineUpdate.tellsFiles(config) else {
            throw .needsReplacement(
                "Fly.io does not tell what is in the files of \(machine.name), so that they would "
                    + "be lost")
        }
        let wasUp = [.running, .starting].contains(machine.status)
        var body: [String: Value] = [
            "config": MachineUpdate(machine: machine, partial: partial).applied(to: config)
        ]
        if let version = machine.version { body["current_version"] = .string(version) }
        if !wasUp { body["skip_launch"] = .bool(true) }
        var call = MachinesCall(
            .updateMachine, "POST", machine: machine.id, body: .map(body))
        call.nonce = nonce
        let answer = try await api.send(call)
        guard answer.isSuccess else { throw Self.refused(answer, machine) }
        let changed = Machine(value: try answer.decodedAfterEffect())
        try await afterEffect("\(machine.name) was updated") { () throws(ProviderFailure) in
            _ = try await wait(
                changed, for: wasUp ? "started" : "settled", atMost: .seconds(120))
        }
    }

    /// A bigger machine may not fit beside its volume: another host has no copy of that.
    private static func refused(_ answer: FlyAnswer, _ machine: Machine) -> ProviderFailure {
        if answer.message.contains("temporarily disabled") {
            return .instance(
                .busy,
                "Fly.io works on the host of \(machine.name) and changes nothing there for now: "
                    + "\(answer.message); it is tried again", cause: answer.cause,
                isRetryable: true)
        }
        return .unexpected(answer, doing: "update \(machine.name)", changesSomething: true)
    }

    /// Does something while pal alone may change a machine.
    private func holding(
        _ machine: Machine, _ body: (String) async throws(ProviderFailure) -> Void
    ) async throws(ProviderFailure) {
        let answer = try await api.send(
            MachinesCall(
                .lease, "POST", machine: machine.id, "/lease",
                body: .map(["ttl": .int(120), "description": .string("pal updates it")])
            ))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "lease \(machine.name)", changesSomething: true)
        }
        // In `data`, or flat, as the documents have it.
        let lease = try answer.decoded()
        guard let nonce = (lease["data.nonce"] ?? lease["nonce"]).flatMap({ String($0) }) else {
            throw .error(
                ProviderError(
                    .provider, .platformFailure,
                    "Fly.io leased \(machine.name) and did not say under which number",
                    cause: answer.cause, isRetryable: true))
        }
        let result: Result<Void, ProviderFailure>
        do throws(ProviderFailure) {
            result = .success(try await body(nonce))
        } catch {
            result = .failure(error)
        }
        var release = MachinesCall(.releaseLease, "DELETE", machine: machine.id, "/lease")
        release.nonce = nonce
        // Where that fails the lease ends by itself.
        _ = try? await api.send(release)
        try result.get()
    }

    private func grow(_ machine: Machine, to size: Int?) async throws(ProviderFailure) {
        guard let size, let id = machine.volume, let volume = try await volume(id) else { return }
        try await grow(volume, to: size, of: machine.name)
        try await send(
            MachinesCall(
                .metadata, "POST", machine: machine.id, "/metadata/\(FlyMark.storage)",
                body: .map(["value": .string(String(size))])),
            to: "mark the new size of the volume of \(machine.name)")
        // Whether it is needed was said to a first attempt alone, which may have broken off.
        guard [.running, .starting].contains(machine.status) else { return }
        try await send(
            MachinesCall(.restartMachine, "POST", machine: machine.id, "/restart"),
            to: "start \(machine.name) again with the larger volume")
    }

    private func send(_ call: MachinesCall, to what: String) async throws(ProviderFailure) {
        let answer = try await api.send(call)
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: what, changesSomething: true)
        }
    }
}

/// The new config of a machine: the old one with the changes, and with all else as it was, also
/// what pal knows nothing of. Pure.
struct MachineUpdate: Sendable {
    var machine: Machine
    var partial: PartialConfig

    /// Whether a config holds what is in its files: only then can it be sent back as it came.
    static func tellsFiles(_ config: Value) -> Bool {
        guard case .list(let files)? = config["files"] else { return true }
        return files.allSatisfy { file in
            ["raw_value", "secret_name", "image_config"].contains { key in
                file[key].flatMap { String($0) }.map { !$0.isEmpty } ?? false
            }
        }
    }

    func applied(to config: Value) -> Value {
        guard case .map(var entries) = config else { return config }
        for change in partial.changes {
            switch change.path {
            case "image": entries["image"] = change.to
            case "env": entries["env"] = environment(change.to)
            case "resources.cpu.cores":
                entries["guest"] = guest(entries["guest"], "cpus", change.to)
            case "resources.memory.max":
                entries["guest"] = guest(entries["guest"], "memory_mb", change.to)
            default: break
            }
        }
        return .map(entries)
    }

    /// The variables that the spec does not set stay.
    private func environment(_ wanted: Value?) -> Value {
        var entries: [String: Value] = [:]
        let own = (machine.metadata[FlyMark.ownVariables] ?? "").split(separator: ",")
        for name in own {
            entries[String(name)] = machine.environment[String(name)].map { .string($0) }
        }
        if case .map(let texts)? = wanted {
            for (name, text) in texts where entries[name] == nil { entries[name] = text }
        }
        return .map(entries)
    }

    private func guest(_ old: Value?, _ key: String, _ wanted: Value?) -> Value {
        var entries: [String: Value] = [:]
        if case .map(let known)? = old { entries = known }
        if let number = wanted.flatMap({ Double($0) }) { entries[key] = .int(Int(number)) }
        // Memory that the spec does not name follows the number of cores.
        let kind =
            entries["cpu_kind"].flatMap { String($0) }
            .flatMap(FlySpecifics.CPUKind.init(rawValue:)) ?? .shared
        if let cores = entries["cpus"].flatMap({ Int($0) }), cores > 0,
            let memory = entries["memory_mb"].flatMap({ Int($0) })
        {
            let range = MachineSize.memory(kind, cores: cores)
            entries["memory_mb"] = .int(min(max(memory, range.lowerBound), range.upperBound))
        }
        return .map(entries)
    }
}

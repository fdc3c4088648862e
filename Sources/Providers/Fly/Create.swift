internal import Logging
import PalEditors
public import PalModel
public import PalProvider

extension FlyProvider {
    /// Makes the app where it is missing, the home's volume, and the machine, and waits up to a
    /// minute for its start.
    ///
    /// A volume that was made for a machine which Fly.io then refuses goes again. An answer that is
    /// lost says nothing: the machine's name is its own, so that a second creation meets the first.
    /// - Throws: Instance errors `AlreadyExists`, `NameTaken`, `PortTaken`, `NoCapacity`,
    ///   `VolumeBusy`; a configuration error for what Fly.io refuses.
    public func createInstance(
        _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        try check(request)
        let config = request.config
        let secrets = try settings.secrets.values(of: config)
        let isGenerated = EditorLock(for: config)?.isGenerated ?? false
        let generated =
            isGenerated ? try settings.passwords.passwordOrNew(of: request.ownership.id) : nil
        let furnishing = try Furnishing(config, secrets: secrets, generated: generated)
        try await ensureApp()
        if ports.isBlank { _ = try await machines() }
        let chosen = try ports.assign(
            config, editorPort: EditorProfile(for: config).port, kept: request.keptPorts)
        do throws(ProviderFailure) {
            let home = try await provideHome(request)
            let body = MachineBody(
                request: request, settings: settings, ports: chosen, home: home,
                furnishing: furnishing)
            let machine = try await keeping(home) { () throws(ProviderFailure) in
                try await make(body)
            }
            ports.release(config.name, made: machine)
            return try await begun(machine, home, request)
        } catch {
            // Of what nobody knows the end of the ports may be in use.
            if case .error = error { ports.release(config.name) }
            throw error
        }
    }

    /// Looks at what can be looked at before anything is destroyed: secrets, and whether the volume
    /// can come along, unless it is to be thrown away. Whether there is room Fly.io says only when
    /// a machine is made.
    public func prepareInstance(
        _ config: InstanceConfig, progress: @escaping ProgressHandler
    ) async throws(ProviderFailure) {
        if let problem = validateInstanceConfig(config).first { throw .invalid(problem.message) }
        _ = try Furnishing(config, secrets: settings.secrets.values(of: config), generated: nil)
        if MachineBody.isPersistent(config), config.onReplace != .discard || config.region == nil {
            _ = try await keptVolume(config)
        }
    }

    private func check(_ request: CreateRequest) throws(ProviderFailure) {
        guard request.ownership.swarm == settings.swarm else {
            throw .invalid(
                "provider '\(name)' works for swarm '\(settings.swarm)', "
                    + "not for '\(request.ownership.swarm)'")
        }
        if let problem = validateInstanceConfig(request.config).first {
            throw .invalid(problem.message)
        }
    }

    /// Makes a machine; where that is refused, the volume that was made for it goes again.
    private func keeping(
        _ home: Home, _ make: () async throws(ProviderFailure) -> Machine
    ) async throws(ProviderFailure) -> Machine {
        do throws(ProviderFailure) {
            return try await make()
        } catch {
            // A volume lies where it was made: the next one may be where there is room.
            if case .error = error, home.isNew, let volume = home.volume {
                _ = try? await deleteStorage(volume)
            }
            throw error
        }
    }

    private func make(_ body: MachineBody) async throws(ProviderFailure) -> Machine {
        let config = body.request.config
        for attempt in 1... {
            let answer = try await api.send(
                MachinesCall(.createMachine, "POST", "/machines", body: body.value))
            if answer.isSuccess { return Machine(value: try answer.decodedAfterEffect()) }
            if answer.status == 409, let id = Self.holder(answer.message) {
                throw try await conflict(id, body.request)
            }
            // A new volume is not known everywhere at once, and an old one is let go of late.
            let isVolumeLate =
                answer.status == 400 && answer.message.contains("volume not found")
                || answer.status == 412 && answer.message.contains("volume already claimed")
            if isVolumeLate {
                guard attempt >= Self.volumePatience else {
                    try await api.pause(.seconds(2))
                    continue
                }
                throw .instance(
                    .volumeBusy,
                    "Fly.io does not give '\(config.name)' its volume yet: \(answer.message)",
                    cause: answer.cause, isRetryable: true)
            }
            throw .unexpected(
                answer,
                doing: "make a machine for '\(config.name)' in "
                    + body.home.region, changesSomething: true)
        }
        throw .connection(.cancelled, "the call to Fly.io was cancelled")
    }

    private static let volumePatience = 10

    /// The id in `unique machine name violation, machine ID 148e already exists with name "x"`.
    static func holder(_ message: String) -> String? {
        guard message.contains("already_exists") || message.contains("already exists"),
            let start = message.firstRange(of: "machine ID ")
        else { return nil }
        let id = message[start.upperBound...].prefix { $0.isLetter || $0.isNumber }
        return id.isEmpty ? nil : String(id)
    }

    /// The name has a holder: an earlier attempt of pal's own, or a stranger.
    func conflict(
        _ id: String, _ request: CreateRequest
    ) async throws(ProviderFailure) -> ProviderFailure {
        let name = request.config.name
        guard let holder = try await machine(id) else {
            return .instance(
                .busy, "the machine \(id) that has the name of '\(name)' is on its way out",
                isRetryable: true)
        }
        guard holder.isReachable || known.ownership(of: holder) != nil else {
            return .instance(
                .busy,
                "the machine \(id) has the name of '\(name)', and its host does not answer: whose "
                    + "it is shows when it does", isRetryable: true)
        }
        guard known.ownership(of: holder)?.name == name else {
            return .instance(
                .nameTaken,
                "the machine \(id) in the app \(settings.app) has the name \(holder.name) and is "
                    + "not of provider '\(self.name)'; rename the instance, or destroy it if "
                    + "nobody needs it (fly machine destroy \(id))", isRetryable: true)
        }
        return .instance(
            .alreadyExists, "'\(name)' stands already, as machine \(id)", isRetryable: true)
    }

    /// What a person should know of the address: Fly.io's shared IPv4 addresses pass on HTTP's own
    /// ports alone (https://fly.io/docs/networking/services/).
    private func reach(_ network: NetworkState) -> [String] {
        guard let port = network.port, ![80, 443].contains(port),
            !settings.addresses.contains("v4")
        else { return [] }
        return [
            "its address is reached over IPv6 alone: a shared IPv4 address passes on 80 and 443, "
                + "and this is port \(port). 'ips: [v6, v4]' of provider '\(name)' in pal.yaml "
                + "gives the app an IPv4 address of its own, which costs money"
        ]
    }

    /// The instance after its creation, which did take effect whatever happens here.
    private func begun(
        _ machine: Machine, _ home: Home, _ request: CreateRequest
    ) async throws(ProviderFailure) -> VSCodeInstance {
        do throws(ProviderFailure) {
            if request.starts {
                await request.progress(Progress("Starting", "the machine \(machine.id)"))
                // Where the waiting fails the look below says how far it is.
                _ = try? await wait(machine, for: "started", atMost: .seconds(60))
            }
            guard let now = try await self.machine(machine.id) else {
                throw .ambiguous("the machine \(machine.id) was made and is gone again")
            }
            guard var instance = instance(now, try await size(ofVolumeOf: now)) else {
                throw .ambiguous("the machine \(machine.id) was made and lost its marks")
            }
            instance.notices = home.notices + reach(instance.network)
            return instance
        } catch {
            throw .ambiguous("the machine \(machine.id) was made, and then: \(error)")
        }
    }
}

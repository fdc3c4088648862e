import PalModel
import PalProvider

/// What can be seen of the platform from outside.
extension SimulatedPlatform {
    /// How far a list can be behind.
    static let longestPast = Duration.seconds(5)

    /// Notes what lists would show now.
    func remember() {
        let now = clock.elapsed()
        state.value.past.removeAll { $0.at < now - Self.longestPast - .seconds(1) }
        state.value.past.append((now, objects))
    }

    /// What a list shows that is behind by some time.
    func past(_ time: Duration) -> [PlatformObject] {
        let at = clock.elapsed() - time
        // Where nothing changed for so long, what was last is what is.
        return state.value.past.last { $0.at <= at }?.objects
            ?? (state.value.past.count < 2 ? objects : state.value.past[0].objects)
    }

    /// The instance that an object is, as a provider reports it; nil for a stranger's.
    func instance(_ object: PlatformObject) -> VSCodeInstance? {
        guard let ownership = object.ownership, ownership.swarm == swarm else { return nil }
        return instance(object, ownership)
    }

    /// What a list was told to adopt, as the instance that it counts as; nil where it is not there,
    /// or somebody's already.
    func adopted(_ adoption: Adoption) -> VSCodeInstance? {
        guard var object = state.value.objects[adoption.object], object.ownership == nil else {
            return nil
        }
        if object.adoptedAs != adoption.config.name {
            object.adoptedAs = adoption.config.name
            put(object, "is taken over")
        }
        let ownership = adoption.ownership(in: swarm)
        state.value.names[ownership.id] = ownership.name
        return instance(object, adopted: ownership)
    }

    /// The instance that an adopted object is, with the marks that it counts as bearing.
    func instance(_ object: PlatformObject, adopted marks: Ownership) -> VSCodeInstance {
        var instance = instance(object, marks)
        instance.isAdopted = true
        return instance
    }

    /// What was adopted is nobody's again.
    func forgetAdoptions() {
        for var object in objects where object.adoptedAs != nil {
            object.adoptedAs = nil
            state.value.objects[object.id] = object
        }
        remember()
    }

    private func instance(_ object: PlatformObject, _ ownership: Ownership) -> VSCodeInstance {
        var instance = VSCodeInstance(
            id: ownership.id, name: ownership.name, type: .init(rawValue: kind.name),
            providerName: kind.name, providerRegion: "here", providerInstanceId: object.id,
            status: object.status, config: shown(object), ownership: ownership,
            readiness: object.readiness)
        instance.createdAt = object.createdAt
        instance.exit = object.exit
        instance.network.ports = object.ports
        let editor = object.config.network.port ?? 8080
        instance.network.port = object.ports.first { $0.internal == editor }?.external
        if object.status == .running, let port = instance.network.port {
            instance.network.urls = ["http://127.0.0.1:\(port)/"]
        }
        return instance
    }

    private func shown(_ object: PlatformObject) -> InstanceConfig {
        object.hasDefaults ? Self.filled(object.config) : object.config
    }

    /// A config in which nothing is left open that the platform can fill in.
    static func filled(_ config: InstanceConfig) -> InstanceConfig {
        var config = config
        config.resources.memoryMax = config.resources.memoryMax ?? 2048
        config.resources.cpuCores = config.resources.cpuCores ?? 2
        return config
    }

    /// All that ran has ended when the platform answers again, and no event told of it.
    func stopAll() {
        for var object in objects
        where object.belongs(to: swarm) && [.running, .starting, .creating].contains(object.status)
        {
            object.turn += 1
            object.status = .failed
            object.readiness = .unknown
            object.exit = ExitReport(code: 137)
            put(object, "is killed")
        }
    }

    /// The platform cannot be reached for a while; its event streams break.
    func restart(for time: Duration) {
        state.value.unreachableUntil = max(state.value.unreachableUntil, clock.elapsed() + time)
        streams.breakAll()
    }

    /// The platform lets nobody in for a while.
    func limit(for time: Duration) {
        state.value.limitedUntil = max(state.value.limitedUntil, clock.elapsed() + time)
    }

    /// Whether anybody can connect to it now.
    var isReachable: Bool { clock.elapsed() >= state.value.unreachableUntil }

    /// Why nobody gets an answer now; nil where anybody does.
    var closed: ProviderFailure? {
        let now = clock.elapsed()
        if now < state.value.unreachableUntil { return .unreachable(kind.name) }
        guard now < state.value.limitedUntil else { return nil }
        let left = state.value.limitedUntil - now
        return .platform(.rateLimited, "too many calls", after: left.seconds)
    }

    /// Everything works again.
    func heal() {
        state.value.unreachableUntil = .zero
        state.value.limitedUntil = .zero
    }
}

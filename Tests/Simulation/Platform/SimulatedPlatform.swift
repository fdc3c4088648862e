import FoundationEssentials
import PalModel
import PalProvider

/// A platform that keeps the contract of a provider exactly, in virtual time.
///
/// What arrives takes effect at once and as a whole; what takes time (a start, a stop, a removal)
/// goes on by itself afterwards, whether anybody waits for it or not.
final class SimulatedPlatform: Sendable {
    struct State {
        var objects: [String: PlatformObject] = [:]
        var volumes: [String: PlatformVolume] = [:]
        /// Whose all storage is that ever was, by its id.
        var holders: [String: String] = [:]
        var count = 0
        var freed: [String] = []
        /// The name of every instance that ever was, by pal's id.
        var names: [String: String] = [:]
        var unreachableUntil = Duration.zero
        var limitedUntil = Duration.zero
        /// Names of which it makes nothing, and when it was asked to.
        var balks: [String: [Duration]] = [:]
        /// What lists showed lately, for lists that are behind.
        var past: [(at: Duration, objects: [PlatformObject])] = []
        var random: SeededRandom
    }

    /// What came of something that arrived.
    struct Answer<Value: Sendable>: Sendable {
        var result: Result<Value, ProviderFailure>
        var effect = Effect.nothing
        /// How long the platform takes before it answers.
        var lasts = Duration.zero

        static func failed(_ failure: ProviderFailure) -> Answer {
            Answer(result: .failure(failure))
        }
    }

    let kind: PlatformKind
    let swarm: String
    let clock: VirtualClock
    let faults: FaultPlan
    let trace: Trace
    let streams: EventStreams
    let state: Confined<State>

    init(
        _ kind: PlatformKind, swarm: String, seed: UInt64, clock: VirtualClock, faults: FaultPlan,
        trace: Trace
    ) {
        self.kind = kind
        self.swarm = swarm
        self.clock = clock
        self.faults = faults
        self.trace = trace
        streams = EventStreams(
            clock, faults, SeededRandom(seed: seed, for: "events of \(kind.name)"))
        state = Confined(State(random: SeededRandom(seed: seed, for: "platform \(kind.name)")))
    }

    /// All that stands, sorted by id.
    var objects: [PlatformObject] { state.value.objects.values.sorted { $0.id < $1.id } }
    /// All storage, sorted by id.
    var volumes: [PlatformVolume] { state.value.volumes.values.sorted { $0.id < $1.id } }

    func name(of reference: InstanceReference) -> String {
        // Not by the object's id, which may by now be another instance's.
        state.value.names[reference.id] ?? "(\(reference.id))"
    }

    /// What stands under a reference and is pal's own.
    func own(_ reference: InstanceReference) -> PlatformObject? {
        let found =
            reference.providerInstanceId.flatMap { state.value.objects[$0] }
            ?? (reference.providerInstanceId == nil
                ? objects.first { $0.ownership?.id == reference.id } : nil)
        guard let found else { return nil }
        // Without marks it is pal's only where the caller says that it was adopted.
        if found.ownership == nil { return reference.adopted == nil ? nil : found }
        return found.ownership?.swarm == swarm && found.ownership?.id == reference.id ? found : nil
    }

    // MARK: Making and removing

    func create(
        _ request: CreateRequest, _ secrets: [String: SecretValue] = [:]
    ) -> Answer<PlatformObject> {
        let name = platformName(request.ownership)
        if let holder = objects.first(where: { $0.platformName == name }) {
            let isOwn =
                holder.ownership?.swarm == swarm
                && holder.ownership?.name == request.ownership.name
            return .failed(isOwn ? .alreadyExists(name) : .nameTaken(name))
        }
        if request.config.image == Self.missingImage { return .failed(.imageMissing) }
        guard state.value.balks[request.ownership.name] == nil else {
            state.value.balks[request.ownership.name]?.append(clock.elapsed())
            return .failed(.instance(.invalidConfig, "it makes no such thing"))
        }
        guard let ports = assignPorts(request) else { return .failed(.portTaken) }
        let volume = PlatformVolume.id(request, kind)
        if let volume, objects.contains(where: { $0.volume == volume && $0.isLive }) {
            return .failed(.wrongState("the storage \(volume) is in use"))
        }
        var object = PlatformObject(
            id: newID(), platformName: name, ownership: request.ownership, maker: .pal,
            config: reported(request.config), status: .stopped, made: request.config,
            createdAt: clock.date())
        object.ports = ports
        object.secrets = secrets.mapValues { $0.text ?? "" }
        object.volume = volume
        object.hasDefaults = faults.strikes(.serverDefaults)
        if let volume, state.value.volumes[volume] == nil {
            makeVolume(volume, for: request.ownership.name)
        }
        if faults.strikes(.halfCreation) { return half(object) }
        put(object, "is made")
        if request.starts { powerUp(object.id) }
        let made = state.value.objects[object.id] ?? object
        return Answer(
            result: .success(made), effect: .created(object.id),
            lasts: state.value.random.time(20...400))
    }

    /// Something fails on the way: only the storage is there, or an object that never started.
    private func half(_ object: PlatformObject) -> Answer<PlatformObject> {
        let failure = ProviderFailure.platform(.platformFailure, "it broke off half way")
        guard state.value.random.chance(0.7) else { return .failed(failure) }
        put(object, "is half made")
        return Answer(
            result: .failure(failure), effect: .created(object.id),
            lasts: state.value.random.time(20...400))
    }

    func makeVolume(_ id: String, for name: String) {
        let content = Int(truncatingIfNeeded: state.value.random.next() >> 16)
        state.value.volumes[id] = PlatformVolume(id: id, instance: name, content: content)
        state.value.holders[id] = name
    }

    /// Whose storage that is, or was.
    func holder(ofVolume id: String) -> String { state.value.holders[id] ?? "(none)" }

    func platformName(_ ownership: Ownership) -> String {
        "pal-\(ownership.swarm)-\(ownership.name)-g\(ownership.generation)"
    }

    /// A new id, or now and then one that was in use before.
    func newID() -> String {
        if !state.value.freed.isEmpty, faults.strikes(.idReuse) {
            return state.value.freed.removeLast()
        }
        state.value.count += 1
        return "\(kind.name)-\(state.value.count)"
    }

    func put(_ object: PlatformObject, _ what: String) {
        let name = object.name ?? object.platformName
        state.value.objects[object.id] = object
        if let id = object.ownership?.id { state.value.names[id] = name }
        remember()
        trace.add(.platform("at \(kind.name) \(what) (\(object.id))", name: name))
        guard object.ownership?.swarm == swarm else { return }
        streams.send(.changed(name: name, providerInstanceId: object.id, what: what))
    }

    func delete(_ reference: InstanceReference) -> Answer<Bool> {
        guard let object = own(reference) else { return Answer(result: .success(false)) }
        let time = state.value.random.time(20...1500)
        guard object.isLive else { return Answer(result: .success(true), lasts: time) }
        remove(object, in: time)
        return Answer(result: .success(true), effect: .deleted(object.id), lasts: time)
    }

    /// Begins a removal that ends after a while.
    func remove(_ object: PlatformObject, in time: Duration) {
        var leaving = object
        leaving.turn += 1
        leaving.status = .deleting
        leaving.readiness = .unknown
        put(leaving, "is being removed")
        let turn = leaving.turn
        clock.after(time) { [self] in
            guard let gone = state.value.objects[object.id], gone.turn == turn,
                gone.createdAt == object.createdAt
            else { return }
            state.value.objects[object.id] = nil
            if object.maker != .predecessor { state.value.freed.append(object.id) }
            remember()
            let name = object.name ?? object.platformName
            trace.add(.platform("at \(kind.name) is gone (\(object.id))", name: name))
            guard object.ownership?.swarm == swarm else { return }
            streams.send(.changed(name: name, providerInstanceId: object.id, what: "gone"))
        }
    }

    /// Takes an object away without any delay.
    func vanish(_ object: PlatformObject) {
        state.value.objects[object.id] = nil
        remember()
    }

    func deleteVolume(_ id: String) -> Answer<Bool> {
        guard state.value.volumes[id] != nil else { return Answer(result: .success(false)) }
        guard !objects.contains(where: { $0.volume == id }) else {
            return .failed(.wrongState("the storage \(id) is in use"))
        }
        state.value.volumes[id] = nil
        return Answer(
            result: .success(true), effect: .storageDeleted(id),
            lasts: state.value.random.time(5...300))
    }

    // MARK: Ports

    static let missingImage = "missing:1"

    private func assignPorts(_ request: CreateRequest) -> [PortMapping]? {
        // Generations of one name share an outside port where the platform has a proxy of its own.
        let others = objects.filter {
            !kind.capabilities.sharesOutsidePorts || $0.ownership?.id != request.ownership.id
        }
        var taken = Set(others.flatMap { $0.ports.compactMap(\.external) })
        let editor = request.config.network.port ?? 8080
        var wanted = request.config.network.ports ?? []
        if !wanted.contains(where: { $0.internal == editor }) {
            wanted.append(PortMapping(internal: editor))
        }
        var assigned: [PortMapping] = []
        for port in wanted {
            if let fixed = port.external, taken.contains(fixed) { return nil }
            let kept = request.keptPorts[port.key].flatMap { taken.contains($0) ? nil : $0 }
            guard
                let outside = port.external ?? kept
                    ?? kind.ports.first(where: { !taken.contains($0) })
            else { return nil }
            taken.insert(outside)
            assigned.append(
                PortMapping(internal: port.internal, external: outside, protocol: port.protocol))
        }
        return assigned
    }

    /// What the platform can say of a config: the fields that it keeps, and no secret's reference.
    private func reported(_ config: InstanceConfig) -> InstanceConfig {
        let fields = FieldTable.all.filter { kind.capabilities.comparedFields.contains($0.path) }
        let changes = fields.compactMap { field in
            field.value(in: config).map { FieldChange(path: field.path, from: nil, to: $0) }
        }
        return PartialConfig(changes).applied(to: InstanceConfig(name: config.name))
    }
}

extension PlatformVolume {
    /// The id of the storage that a request attaches; nil where it wants none.
    static func id(_ request: CreateRequest, _ kind: PlatformKind) -> String? {
        guard request.config.resources.storagePersistent ?? true else { return nil }
        let region =
            kind.capabilities.comparedFields.contains("region")
                || kind.capabilities.hashedFields.contains("region")
            ? "-\(request.config.region ?? "here")" : ""
        return "\(request.ownership.name)\(region)"
    }
}

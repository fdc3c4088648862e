public import Logging
import PalHTTP
public import PalModel
public import PalProvider

/// Instances as machines of one app of Fly.io.
///
/// An instance is the machine `pal-<swarm>-<name>` with pal's marks in its metadata, with a volume
/// at the editor's home, and with a port of its own on the app's addresses. What does not carry the
/// marks of the swarm is read at most, never changed.
///
/// Fly.io tells of nothing by itself: what happens there is seen at the next list. It counts calls,
/// so pal makes them no faster than it may.
public struct FlyProvider: AbstractProvider {
    /// `fly`.
    public let type: ProviderType = "fly"
    /// As the settings say.
    public var name: String { settings.name }
    /// Where machines are made whose specs name no region.
    public var region: String { settings.region }
    /// For operators.
    public let logger: Logger

    let settings: FlySettings
    let api: MachinesAPI
    let ticker: Ticker
    let ports = PortBook()
    let volumeLooks = SharedLook<[Volume]>()
    let appTurn = AppTurn()
    /// The marks of machines whose host did not answer at a later look.
    let known: KnownMachines
    let sizes = KnownSizes()

    init(
        _ settings: FlySettings, logger: Logger, clock: some Clock<Duration> = ContinuousClock()
    ) {
        self.settings = settings
        self.logger = logger
        ticker = Ticker(clock)
        known = KnownMachines(settings)
        api = MachinesAPI(settings: settings, ticker: ticker, logger: logger)
    }

    /// Looks for the app; one that is missing is made with the first instance.
    public func initialize() async throws(ProviderFailure) { _ = try await appExists() }

    /// Closes all connections; calls under way fail.
    public func shutdown() async { api.http.shutdown() }

    /// One call; with a volume whose size was never seen, another one. The first look at a machine
    /// that runs gives its home to the editor's user.
    public func getInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> VSCodeInstance? {
        guard var machine = try await find(reference) else { return nil }
        let problem = try await giveHome(machine)
        if problem == nil, machine.metadata[FlyMark.homeOwner] != nil, machine.status == .running {
            guard let now = try await self.machine(machine.id) else { return nil }
            machine = now
        }
        var instance = instance(machine, try await size(ofVolumeOf: machine))
        if let problem { instance?.readiness = problem }
        return instance
    }

    /// One call for the machines and, where any of them keeps a home, one for the volumes.
    ///
    /// The list is not filtered by Fly.io: a machine whose host does not answer may have lost its
    /// metadata there, and would be missing.
    public func listInstances(
        _ filter: InstanceFilter
    ) async throws(ProviderFailure) -> [VSCodeInstance] {
        let machines = try await machines()
        var own: [Machine] = []
        for machine in machines {
            if let marks = try ownership(machine), filter.takes(marks.name) { own.append(machine) }
        }
        let needsVolumes = own.contains { $0.volume != nil }
        let volumes = needsVolumes ? try await self.volumes() : []
        let sizes = Dictionary(volumes.map { ($0.id, $0.size) }) { first, _ in first }
        return own.compactMap { machine in
            instance(machine, machine.volume.flatMap { sizes[$0] })
        }
        .sorted {
            ($0.name, $0.ownership.generation, $0.providerInstanceId)
                < ($1.name, $1.ownership.generation, $1.providerInstanceId)
        }
    }

    /// Every machine of the app that is not gone.
    func machines() async throws(ProviderFailure) -> [Machine] {
        let answer = try await api.send(
            MachinesCall(.listMachines, "GET", "/machines"))
        // Without the app there is no machine. The app itself says that it is not there.
        if answer.status == 404, try await !appExists() {
            ports.replace([]) { _ in nil }
            return []
        }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the machines", changesSomething: false)
        }
        let machines = try answer.list().map { Machine(value: $0) }.filter { !$0.isGone }
        known.learn(machines)
        ports.replace(machines) { known.ownership(of: $0)?.name }
        return machines
    }

    /// The marks of a machine; nil where it is somebody else's.
    /// - Throws: A provider error where nobody can know whose it is.
    private func ownership(_ machine: Machine) throws(ProviderFailure) -> Ownership? {
        if let marks = known.ownership(of: machine) { return marks }
        let isNamedByUs = machine.name.hasPrefix(FlyName.machine(swarm: settings.swarm, name: ""))
        guard !machine.isReachable, machine.metadata.isEmpty, isNamedByUs else { return nil }
        throw .error(
            ProviderError(
                .provider, .platformFailure,
                "the host of machine \(machine.id) (\(machine.name)) does not answer, and Fly.io "
                    + "does not say whose it is; the list is not complete until it does",
                isRetryable: true))
    }

    /// The machine that is meant; nil where there is none, or where it is not the swarm's.
    func find(_ reference: InstanceReference) async throws(ProviderFailure) -> Machine? {
        guard let id = reference.providerInstanceId else {
            var own: [Machine] = []
            for machine in try await machines() where try ownership(machine)?.id == reference.id {
                own.append(machine)
            }
            return own.max {
                (known.ownership(of: $0)?.generation ?? 0)
                    < (known.ownership(of: $1)?.generation ?? 0)
            }
        }
        guard let machine = try await machine(id) else { return nil }
        return try ownership(machine) == nil ? nil : machine
    }

    /// One machine, whoever owns it.
    func machine(_ id: String) async throws(ProviderFailure) -> Machine? {
        let answer = try await api.send(
            MachinesCall(.getMachine, "GET", machine: id))
        if answer.status == 404 { return nil }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "read the machine \(id)", changesSomething: false)
        }
        let machine = Machine(value: try answer.decoded())
        guard !machine.isGone else { return nil }
        known.learn([machine])
        return machine
    }

    /// The machine that is meant.
    /// - Throws: An instance error `NotFound` where there is none.
    func require(_ reference: InstanceReference) async throws(ProviderFailure) -> Machine {
        guard let machine = try await find(reference) else {
            throw .notFound(
                "Fly.io has no machine of this swarm with the id "
                    + "\(reference.providerInstanceId ?? reference.id)")
        }
        return machine
    }
}

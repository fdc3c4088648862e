import FoundationEssentials
import PalModel
import PalProvider
import TestSupport

@testable import PalEngine

/// A situation of one name, drawn from a seed: what is declared, what stands, what the ledger has.
///
/// Not every one can come about; the planner must do no harm in any.
struct GeneratedCase: Sendable {
    static let now = Date(timeIntervalSince1970: 1_000_000)
    static let specsPath = "/specs"
    static let kept = PaperProvider("docker", sharesPorts: false)
    static let light = PaperProvider("light", sharesPorts: true)

    let name: String
    let provider: PaperProvider
    private(set) var declared: InstanceConfig?
    private(set) var record: InstanceRecord?
    private(set) var objects: [VSCodeInstance] = []
    /// At the other provider.
    private(set) var strangers: [VSCodeInstance] = []
    private var random: SeededGenerator

    var other: PaperProvider { provider.name == Self.kept.name ? Self.light : Self.kept }

    /// - Parameter adopts: Whether something may be adopted: what the world believes of that
    ///   depends on what was known when.
    init(seed: UInt64, name: String = "alice", adopts: Bool = true) {
        self.init(SeededGenerator(seed: seed), name, adopts)
    }

    private init(_ generator: SeededGenerator, _ name: String, _ adopts: Bool) {
        random = generator
        self.name = name
        provider = random.isOnce(in: 2) ? Self.kept : Self.light
        let config = Self.config(name, provider, &random)
        let earlier = Self.changed(config, &random)
        declared = random.isOnce(in: 4) ? nil : config
        if !random.isOnce(in: 5) { record = makeRecord(earlier, config) }
        let count = random.one(of: 0, 1, 1, 1, 1, 1, 2, 2, 3)
        for generation in 0..<count {
            objects.append(makeObject(generation, of: count, earlier, config, provider))
        }
        if random.isOnce(in: 8) { strangers = [makeObject(0, of: 1, earlier, config, other)] }
        if random.isOnce(in: 6), adopts { adopt() }
        if random.isOnce(in: 8), !objects.isEmpty {
            objects[objects.count - 1].outdated = [
                FieldChange(path: "image", from: .string("a@1"), to: .string("a@2"))
            ]
        }
    }

    /// Lets the oldest object be one that somebody else made, as a list has it that was told to
    /// adopt it, or lets the spec name one that is not there.
    private mutating func adopt() {
        // Nobody tells a list to adopt what no spec names and no record knows.
        let isKnown = random.isOnce(in: 2)
        guard declared != nil || (record != nil && isKnown) else { return }
        if !random.isOnce(in: 4) { declared?.adopt = objects.first?.providerInstanceId ?? "gone" }
        guard !objects.isEmpty else { return }
        objects[0].isAdopted = true
        objects[0].ownership.generation = Adoption.generation
        guard isKnown else { return }
        record?.adopted = AdoptedObject(
            declared: objects[0].providerInstanceId,
            providerInstanceId: objects[0].providerInstanceId, provider: provider.name,
            specHash: objects[0].ownership.specHash, isOver: objects.count > 1)
    }

    /// What the planner is given.
    var input: PlanInput {
        var random = random
        var input = PlanInput(name: name, specsPath: Self.specsPath, now: Self.now)
        input.provider = provider.name
        input.rules = random.isOnce(in: 16) ? nil : RuleBook(provider)
        input.declaration = declaration
        input.record = record.map { Shared($0) }
        input.isObserved = !random.isOnce(in: 8)
        input.providerProblem = random.isOnce(in: 8) ? "it does not answer" : nil
        input.providerNames = [Self.kept.name, Self.light.name]
        input.observed = objects.map { Shared($0) }
        input.elsewhere = strangers.map { Observed(provider: other.name, instance: Shared($0)) }
        input.frozen = random.isOnce(in: 16) ? [frozen] : []
        input.pruneBlock = random.isOnce(in: 6) ? "a.yaml cannot be read" : nil
        input.isScaledDown = declared == nil && random.isOnce(in: 6)
        input.restarts = random.isOnce(in: 8)
        input.replaceBecause = random.isOnce(in: 12) ? "it cannot be updated" : nil
        input.isSuccessorLate = random.isOnce(in: 6)
        // Often somebody has agreed to just what the planner asks for.
        if random.isOnce(in: 2), let consent = Planner.plan(input).consent {
            input.record?.consent = consent
        }
        return input
    }

    var declaration: Declaration? {
        declared.map {
            Declaration(
                config: $0, location: SourceLocation(file: "\(name).yaml", line: 1, column: 1))
        }
    }

    var frozen: Diagnostic {
        Diagnostic(SourceLocation(file: "b.yaml", line: 2), "'\(name)' is declared twice")
    }

    // MARK: Parts

    private static func config(
        _ name: String, _ provider: PaperProvider, _ random: inout SeededGenerator
    ) -> InstanceConfig {
        var config = InstanceConfig(name: name)
        config.provider = provider.name
        config.image = random.one(of: nil, "a", "b")
        config.env = random.one(of: nil, ["A": "1"], ["A": "1", "B": "2", "C": "3"])
        config.labels = random.one(of: nil, nil, ["team": "x"])
        config.workspacePath = random.one(of: nil, nil, nil, "/w")
        config.resources.memoryMax = random.one(of: nil, 512, 1024)
        config.resources.cpuCores = random.one(of: nil, nil, 2)
        config.resources.storageSize = random.one(of: nil, nil, nil, 10)
        config.resources.storagePersistent = random.one(of: nil, true, false, false)
        config.network.ports = random.one(
            of: nil, nil, nil, [PortMapping(internal: 80, external: 8080)])
        config.state = random.one(of: nil, nil, nil, .running, .stopped, .absent)
        config.onDelete = random.one(of: nil, .retain, .delete)
        config.onReplace = random.one(of: nil, .refuse, .discard)
        config.disruption = random.one(of: nil, nil, nil, .auto, .approve)
        config.protect = random.one(of: nil, nil, nil, false, true)
        config.suspend = random.one(of: nil, nil, nil, nil, nil, nil, false, true)
        config.id = random.one(of: nil, nil, nil, nil, nil, nil, "id-1", "id-2")
        config.region = random.isOnce(in: 16) ? "moon" : nil
        return config
    }

    /// The config with up to two things different.
    private static func changed(
        _ config: InstanceConfig, _ random: inout SeededGenerator
    ) -> InstanceConfig {
        var config = config
        for _ in 0..<random.number(0...2) {
            switch random.number(0...6) {
            case 0: config.image = random.one(of: nil, "a", "c")
            case 1: config.env = random.one(of: nil, ["A": "2"])
            case 2: config.resources.memoryMax = random.one(of: nil, 2048)
            case 3: config.resources.storagePersistent = random.one(of: nil, true, false)
            case 4: config.labels = random.one(of: nil, ["team": "y"])
            case 5: config.onDelete = random.one(of: .retain, .delete)
            default: config.protect = random.one(of: nil, true)
            }
        }
        return config
    }

    private mutating func makeRecord(
        _ earlier: InstanceConfig, _ config: InstanceConfig
    ) -> InstanceRecord {
        var record = InstanceRecord(name: name, id: "id-1", provider: provider.name)
        record.generation = random.number(0...3)
        let hashes = [provider.hash(earlier), provider.hash(config), other.hash(earlier)]
        record.issuedHashes = hashes.filter { _ in !random.isOnce(in: 4) }
        record.applied = random.isOnce(in: 5) ? nil : Shared(random.one(of: earlier, config))
        record.declaredFrom = random.one(of: nil, "/elsewhere", "/specs", "/specs", "/specs")
        record.hold = random.isOnce(in: 4) ? makeHold(config) : nil
        record.consent = random.one(of: nil, nil, nil, nil, "replace: something else")
        record.discardsStorageSince = random.isOnce(in: 6) ? Self.now : nil
        record.renewsStorageSince = random.isOnce(in: 6) ? Self.now : nil
        return record
    }

    private mutating func makeHold(_ config: InstanceConfig) -> Hold {
        let end = random.one(of: nil, Self.now - 1, Self.now + 1)
        return Hold(
            by: "ann", since: Self.now - 60, until: end,
            declaredState: random.isOnce(in: 4) ? .stopped : config.state)
    }

    private mutating func makeObject(
        _ index: Int, of count: Int, _ earlier: InstanceConfig, _ config: InstanceConfig,
        _ place: PaperProvider
    ) -> VSCodeInstance {
        let made = random.one(of: earlier, earlier, config)
        let hash = random.isOnce(in: 8) ? SpecHash(text: "v1:foreign") : place.hash(made)
        let status: InstanceStatus =
            random.isOnce(in: 5)
            ? random.one(
                of: .pending, .creating, .starting, .stopping, .updating, .deleting, .unknown)
            : random.one(of: .running, .running, .running, .stopped, .failed)
        let ownership = Ownership(
            swarm: "s", name: name, id: random.isOnce(in: 12) ? "id-3" : "id-1",
            // Usually each is newer than the one before.
            generation: random.isOnce(in: 8) ? 1 : 1 + index, specHash: hash)
        var object = VSCodeInstance(
            id: ownership.id, name: name, type: "paper", providerName: place.name,
            providerRegion: place.region, providerInstanceId: "\(place.name)-\(name)-\(index)",
            status: status, config: made, ownership: ownership,
            readiness: status == .running && !random.isOnce(in: 4) ? .ready : .notReady("wait"))
        if random.isOnce(in: 6) { object.config.resources.memoryMax = 4096 }
        object.network.ports = made.network.ports ?? []
        return object
    }
}

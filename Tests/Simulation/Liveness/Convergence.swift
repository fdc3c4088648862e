import PalLedger
import PalProvider
import PalEngine
import PalModel

/// Once nothing goes wrong any more, everything becomes as it is declared within a bounded time.
///
/// What that means is worked out from the files and the platforms alone. Only where a person is
/// asked for consent and gives none, the ledger's own words are taken for why nothing is done.
struct Convergence {
    static let promise = "converges once the faults have stopped"

    let world: World
    /// What is not yet as it should be, by name.
    private(set) var unmet: [(name: String, what: String)] = []
    /// What the last plan would still do, by name.
    var left: [(name: String, what: String)] = []
    private var quietSince: Duration?

    /// How long it must last. Where nobody gives consent, deletions go on one after the other as
    /// the prune budget lets them.
    private var calm: Duration {
        let policy = world.setup.policy
        return world.setup.isAttended ? .seconds(20) : policy.pruneWindow * 2 + policy.resync * 2
    }

    init(_ world: World) { self.world = world }

    /// Looks, and tells whether all has been well for a while.
    mutating func isReached() -> Bool {
        unmet = look()
        let now = world.clock.elapsed()
        guard unmet.isEmpty else {
            quietSince = nil
            return false
        }
        quietSince = quietSince ?? now
        return now - (quietSince ?? now) >= calm
    }

    private func look() -> [(name: String, what: String)] {
        guard world.life.value.controller?.isAlive == true else {
            return [("-", "no controller runs")]
        }
        let known = world.life.value.mirror.records
        let declared = Dictionary(
            world.tree.instances.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let owned = world.platforms.flatMap(\.objects).filter { $0.belongs(to: World.swarm) }
            .compactMap(\.name)
        let needed = Set(declared.values.map { $0.provider ?? "docker" })
            .union(known.values.map(\.provider))
        var unmet: [(String, String)] = []
        let leaving = known.values.filter { $0.discardsStorageSince != nil }.map(\.name)
        for name in Set(declared.keys).union(owned).union(leaving).sorted() {
            let problem =
                declared[name].map { check($0, known[name], needed) }
                ?? checkUndeclared(name, known[name], needed)
            if let problem { unmet.append((name, problem + Self.says(known[name]))) }
        }
        // Whether anybody does anything to it or not: others may wait for it.
        for object in world.platforms.flatMap(\.objects) where isOnItsWay(object) {
            unmet.append((object.name ?? "-", "\(object.id) is on its way"))
        }
        if let open = try? world.life.value.ledger.openRequests(), !open.isEmpty {
            unmet.append(("-", "\(open.count) requests are not answered"))
        }
        return unmet
    }

    private func isOnItsWay(_ object: PlatformObject) -> Bool {
        guard object.belongs(to: World.swarm) else { return false }
        switch object.status {
        case .stopped, .failed: return false
        case .running: return object.readiness != .ready
        default: return true
        }
    }

    /// The ledger's own words, for whoever looks into it.
    static func says(_ record: InstanceRecord?) -> String {
        guard let record else { return " (no record)" }
        let words = record.conditions.map { "\($0.kind.rawValue) \($0.reason): \($0.message)" }
        return " (the ledger says \(words.joined(separator: "; ")))"
    }

    private func checkUndeclared(
        _ name: String, _ record: InstanceRecord?, _ needed: Set<String>
    ) -> String? {
        // A platform that neither a spec nor the ledger names is not asked.
        let left = world.platforms.filter { needed.contains($0.kind.name) }.flatMap(\.objects)
            .filter { $0.name == name && isInstance($0, nil, record) }
        let isLeaving = record?.discardsStorageSince != nil
        guard !left.isEmpty || isLeaving else { return nil }
        if !world.setup.isAttended, let record, waitsForSomebody(record) { return nil }
        guard !left.isEmpty else { return "it is not declared, and its storage was to go as well" }
        return "it is not declared, and \(left.map(\.id).joined(separator: ", ")) stands"
    }

    func waitsForSomebody(_ record: InstanceRecord) -> Bool {
        record.conditions.contains { condition in
            [.parked, .orphan, .stalled, .awaitingApproval].contains(condition.kind)
                || (condition.kind == .blocked && condition.reason == "ForeignHash")
        }
    }

    private func check(
        _ config: InstanceConfig, _ record: InstanceRecord?, _ needed: Set<String>
    ) -> String? {
        if config.suspend == true { return nil }
        if !world.setup.isAttended, let record, waitsForSomebody(record) { return nil }
        let home = config.provider ?? "docker"
        let everywhere = standing(config, record, needed)
        if let (_, other) = everywhere.first(where: { $0.0.kind.name != home }),
            cannotMove(config, record)
        {
            let isTold = record?.conditions.contains { $0.kind == .blocked } == true
            return isTold ? nil : "\(other.id) stands elsewhere, and nobody is told"
        }
        if !areServing(config.dependsOn ?? [], seen: [config.name]) { return nil }
        // Nothing of it is touched until one of the two is taken out.
        if config.state == .absent, config.protect == true { return nil }
        if hasNothingToAdopt(config, record, everywhere.map(\.1)) { return nil }
        guard everywhere.count <= 1 else {
            return "there are \(everywhere.count) of it: \(everywhere.map(\.1.id))"
        }
        guard let (platform, object) = everywhere.first else {
            return config.state == .absent ? nil : "there is none"
        }
        if config.state == .absent { return "state: absent, and \(object.id) stands" }
        let changes = FieldTable.difference(from: object.made, to: config).filter {
            platform.kind.capabilities.support(for: $0.path).isHonoured
                && !isForgotten($0, record, platform)
                && !isAsAdopted($0, config, record, object, platform.kind)
                && !isFilledIn($0, object)
        }
        let losesData = changes.contains { platform.kind.classify($0) == .replaceLosingData }
        if losesData || mayLoseData(config, record, object, platform.kind),
            config.onReplace != .discard
        {
            return nil
        }
        if let change = changes.first { return "\(object.id) differs: \(change.text)" }
        return checkPower(config, record, object)
    }

    /// What bears a name, and where. A platform that neither a spec nor the ledger names is not
    /// asked; what it has is excused where only a lost ledger knew of it.
    private func standing(
        _ config: InstanceConfig, _ record: InstanceRecord?, _ needed: Set<String>
    ) -> [(SimulatedPlatform, PlatformObject)] {
        world.platforms.flatMap { platform in
            platform.objects.filter { object in
                object.name == config.name && isInstance(object, config, record)
                    && (needed.contains(platform.kind.name)
                        || !world.lineage.value.isUnknown(object.id, at: platform.kind.name))
            }.map { (platform, $0) }
        }
    }

    /// Whether an object is the swarm's. One that was seen to be adopted, and was not taken over
    /// before its spec was changed or the ledger lost, is nobody's again.
    private func isInstance(
        _ object: PlatformObject, _ config: InstanceConfig?, _ record: InstanceRecord?
    ) -> Bool {
        guard object.ownership == nil else { return object.belongs(to: World.swarm) }
        return object.adoptedAs != nil
            && [config?.adopt, record?.adopted?.providerInstanceId].contains(object.id)
    }

    /// Whether nobody can know that a change keeps the data: what the object was made from is lost
    /// with the ledger, or was an older spec's creation that was never answered, and one of the
    /// fields that are declared now may be what changed. That must be said.
    private func mayLoseData(
        _ config: InstanceConfig, _ record: InstanceRecord?, _ object: PlatformObject,
        _ kind: PlatformKind
    ) -> Bool {
        let hashed = kind.capabilities.hashedFields
        guard record?.applied == nil,
            object.ownership?.specHash != SpecHash(of: config, fields: hashed),
            record?.conditions.contains(where: { $0.reason == "WouldLoseData" }) == true
        else { return false }
        return hashed.meaningful(in: config).contains { field in
            let change = FieldChange(
                path: field.path, from: nil, to: field.meaningfulValue(in: config))
            return kind.classify(change) == .replaceLosingData
        }
    }

    /// Whether a field was taken out of the spec, and no ledger knows any more that it ever stood
    /// there: then it counts as the platform's own. A field that is in the hash is not forgotten.
    private func isForgotten(
        _ change: FieldChange, _ record: InstanceRecord?, _ platform: SimulatedPlatform
    ) -> Bool {
        guard world.life.value.hasForgotten, change.to == nil,
            !platform.kind.capabilities.hashedFields.contains(change.path),
            let known = record?.applied?.value
        else { return false }
        return !FieldTable.difference(from: InstanceConfig(name: known.name), to: known).contains {
            $0.path == change.path
        }
    }

    /// Whether the platform had filled in just what is declared now.
    private func isFilledIn(_ change: FieldChange, _ object: PlatformObject) -> Bool {
        guard object.hasDefaults, change.to != nil else { return false }
        let filled = SimulatedPlatform.filled(object.made)
        return !FieldTable.difference(from: object.made, to: filled).allSatisfy {
            $0.path != change.path || $0.to != change.to
        }
    }

    /// What is adopted counts as declared when that happens, but for what is compared.
    private func isAsAdopted(
        _ change: FieldChange, _ config: InstanceConfig, _ record: InstanceRecord?,
        _ object: PlatformObject, _ kind: PlatformKind
    ) -> Bool {
        guard object.ownership == nil else { return false }
        guard kind.capabilities.hashedFields.contains(change.path) else { return change.to == nil }
        let hash = SpecHash(of: config, fields: kind.capabilities.hashedFields)
        return record?.adopted?.specHash == hash
    }

    /// Whether a spec adopts what is not there, or what cannot be adopted beside an instance that
    /// is; that must be said, and nothing is done.
    private func hasNothingToAdopt(
        _ config: InstanceConfig, _ record: InstanceRecord?, _ objects: [PlatformObject]
    ) -> Bool {
        guard let adopt = config.adopt else { return false }
        let says = { (reason: String) in
            record?.conditions.contains { $0.reason == reason } == true
        }
        let isThere = world.platforms.flatMap(\.objects).contains { $0.id == adopt }
        if !isThere { return objects.isEmpty && says("NothingToAdopt") }
        return objects.count > 1 && says("AdoptsBesideItsOwn")
    }

    /// An instance is moved only where its data may go, and where this ledger made it.
    private func cannotMove(_ config: InstanceConfig, _ record: InstanceRecord?) -> Bool {
        config.onReplace != .discard
            || record?.conditions.contains { $0.reason == "ForeignHash" } == true
    }

    /// Whether all that something depends on is there, runs and is ready. In a circle nothing is.
    func areServing(_ names: [String], seen: Set<String>) -> Bool {
        let all = world.tree.documents
        return names.allSatisfy { name in
            guard !seen.contains(name),
                let needed = all.first(where: { $0.name == name })
                    ?? world.tree.instances.first(where: { $0.name == name })
            else { return false }
            return areServing(needed.dependsOn ?? [], seen: seen.union([name]))
                && needed.instances.allSatisfy { one in
                    let home = world.scene.platform(one.provider ?? "docker")?.objects ?? []
                    return home.contains {
                        $0.belongs(to: World.swarm) && $0.name == one.name
                            && $0.status == .running && $0.readiness == .ready
                    }
                }
        }
    }

    private func checkPower(
        _ config: InstanceConfig, _ record: InstanceRecord?, _ object: PlatformObject
    ) -> String? {
        let isDown = object.status == .stopped || object.status == .failed
        if config.state == .stopped {
            return isDown ? nil : "state: stopped, and \(object.id) is \(object.status.rawValue)"
        }
        if record?.hold != nil { return isDown ? nil : "held, and it is \(object.status.rawValue)" }
        guard object.status == .running, object.readiness == .ready else {
            return "\(object.id) is \(object.status.rawValue), \(object.readiness)"
        }
        return nil
    }
}

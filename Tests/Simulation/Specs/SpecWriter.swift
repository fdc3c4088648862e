import PalModel

/// Writes specs: new ones, and changes of those that are there. Everything is drawn from the seed.
struct SpecWriter {
    var random: SeededRandom
    /// For what is drawn beside all that was drawn before there was more to draw.
    private var more: SeededRandom
    /// Every name that may be declared.
    let names: [String]
    /// By name: the object that was made for it before there was pal.
    private(set) var predecessors: [String: String] = [:]

    init(seed: UInt64, names: Int) {
        random = SeededRandom(seed: seed, for: "specs")
        more = SeededRandom(seed: seed, for: "more of specs")
        self.names = (0..<names).map { "i\($0)" }
        for name in self.names where more.chance(0.15) { predecessors[name] = "attic-\(name)" }
    }

    /// A new declaration.
    mutating func config(_ name: String) -> InstanceConfig {
        var config = InstanceConfig(name: name)
        let isMachine = random.chance(0.4)
        if isMachine { config.provider = "fly" }
        if random.chance(0.5) { config.image = image() }
        if random.chance(0.4) { config.env = ["A": String(random.number(1...4))] }
        if random.chance(0.4) { config.resources.memoryMax = 256 * random.number(1...4) }
        if random.chance(0.2) { config.resources.storageSize = random.number(1...4) }
        if isMachine, random.chance(0.3) { config.region = random.pick(["ams", "fra"]) }
        if isMachine, random.chance(0.4) { config.resources.storagePersistent = false }
        if random.chance(0.2) { config.network.ports = [fixedPort(name)] }
        if random.chance(0.25) { config.secrets = secrets() }
        if random.chance(0.15) { config.state = random.pick([.stopped, .absent, .running]) }
        if random.chance(0.3) { config.onDelete = random.pick([.delete, .retain]) }
        if random.chance(0.4) { config.onReplace = random.pick([.discard, .refuse]) }
        if random.chance(0.1) { config.protect = true }
        if random.chance(0.15) { config.disruption = .approve }
        if random.chance(0.15) { config.dependsOn = needs(name) }
        if config.network.ports == nil, random.chance(0.1) {
            config.replicas = random.number(0...3)
        }
        if more.chance(0.2) { config.resources.cpuCores = Double(more.number(1...4)) }
        if !isMachine, more.chance(0.1) { config.command = ["run", String(more.number(1...3))] }
        if !isMachine, config.replicas == nil, more.chance(0.8) {
            config.adopt = predecessors[name]
        }
        return config
    }

    /// As a rule something that comes before it, so that circles are rare.
    private mutating func needs(_ name: String) -> [String] {
        let index = names.firstIndex(of: name) ?? 0
        let others = random.chance(0.05) ? names.filter { $0 != name } : Array(names.prefix(index))
        return random.pick(others).map { [$0] } ?? []
    }

    private mutating func image() -> String { "editor:\(random.number(1...3))" }

    /// A port of the name's own, so that what is declared can be made true.
    private func fixedPort(_ name: String) -> PortMapping {
        let index = names.firstIndex(of: name) ?? 0
        return PortMapping(internal: 9000, external: 25_000 + index)
    }

    private func secrets() -> [String: SecretReference] {
        SecretReference(.map(["fromEnv": .string("TOKEN")])).map { ["TOKEN": $0] } ?? [:]
    }

    /// The same declaration with one or two fields changed.
    mutating func changed(_ old: InstanceConfig) -> InstanceConfig {
        var config = old
        for _ in 0..<random.number(1...2) { changeOne(&config) }
        return config
    }

    private mutating func changeOne(_ config: inout InstanceConfig) {
        if more.chance(0.1) {
            config.resources.cpuCores = more.chance(0.3) ? nil : Double(more.number(1...4))
        }
        if config.adopt != nil, more.chance(0.2) { config.adopt = nil }
        let isMachine = config.provider == "fly"
        switch random.number(0...18) {
        case 0, 1: config.resources.memoryMax = 256 * random.number(1...8)
        case 2: config.resources.memoryMax = nil
        case 3, 4: config.env = ["A": String(random.number(1...9))]
        case 5: config.image = image()
        case 6: config.resources.storageSize = random.number(1...9)
        case 7: config.resources.storagePersistent = random.chance(0.5) ? false : nil
        case 8: config.region = isMachine ? random.pick(["ams", "fra"]) : nil
        case 9: config.state = random.pick([.stopped, .absent, .running, .running])
        case 10: config.onReplace = random.pick([.discard, .refuse])
        case 11: config.onDelete = random.pick([.delete, .retain])
        case 12: config.protect = random.chance(0.3)
        case 13: config.suspend = random.chance(0.3)
        case 14: config.disruption = random.pick([.approve, .auto])
        case 15: config.dependsOn = random.chance(0.5) ? needs(config.name) : nil
        case 16:
            guard config.network.ports == nil else { return }
            config.replicas = random.number(0...3)
            config.adopt = nil
        case 17:
            config.provider = isMachine ? nil : "fly"
            config.region = nil
            config.adopt = nil
            config.command = nil
        default: config.env = ["B": String(random.number(1...3))]
        }
    }

    /// The first files: every name once, some files with several.
    mutating func files() -> [String: [InstanceConfig]] {
        var files: [String: [InstanceConfig]] = [:]
        for name in names where random.chance(0.8) {
            let path =
                files.isEmpty || random.chance(0.6)
                ? path(name) : random.pick(files.keys.sorted(), or: path(name))
            files[path, default: []].append(config(name))
        }
        return files
    }

    func path(_ name: String) -> String { "\(name).yaml" }
}

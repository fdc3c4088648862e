import PalModel
import PalProvider

/// What others do at the platforms, and what happens to platforms as a whole.
extension Outside {
    func strikePlatform(_ fault: Fault) -> Bool {
        guard let platform = random.value.pick(world.platforms) else { return false }
        switch fault {
        case .providerRestart:
            platform.restart(for: random.value.time(100...30_000))
        case .engineRestart:
            platform.restart(for: random.value.time(100...30_000))
            platform.stopAll()
        case .rateWindow:
            platform.limit(for: random.value.time(1000...30_000))
        case .brokenStream:
            platform.streams.breakAll()
        case .unlabelledObject, .otherSwarmObject, .unknownHashObject:
            return placeStranger(fault, platform)
        default: return meddle(fault, platform)
        }
        world.trace.add(.outside("\(platform.kind.name): \(fault.rawValue)"))
        return true
    }

    /// Somebody changes, stops or deletes what is pal's, by hand.
    private func meddle(_ fault: Fault, _ platform: SimulatedPlatform) -> Bool {
        let own = platform.objects.filter {
            $0.belongs(to: World.swarm) && $0.isLive
                && (fault != .foreignEdit || !edits(of: $0, at: platform).isEmpty)
        }
        guard var object = random.value.pick(own) else { return false }
        let name = object.name ?? ""
        world.trace.add(.outside("\(platform.kind.name): \(fault.rawValue) \(name) by hand"))
        switch fault {
        case .foreignEdit:
            guard let edit = random.value.pick(edits(of: object, at: platform)) else {
                return false
            }
            let change = PartialConfig([edit])
            object.config = change.applied(to: object.config)
            object.made = change.applied(to: object.made)
            platform.put(object, "is edited by hand: \(edit.text)")
        case .foreignStop:
            guard [.running, .starting].contains(object.status) else { return false }
            platform.powerDown(object.id, in: random.value.time(10...1000))
        default:
            platform.remove(object, in: random.value.time(10...1000))
        }
        return true
    }

    /// What somebody can change by hand: of the fields only what the user set is compared.
    private func edits(of object: PlatformObject, at platform: SimulatedPlatform) -> [FieldChange] {
        let values: [String: Value] = [
            "resources.memory.max": .int(77), "resources.cpu.cores": .int(7),
            "resources.storage.size": .int((object.made.resources.storageSize ?? 0) + 1),
            "command": .list([.string("sleep"), .string("77")]),
        ]
        return platform.kind.capabilities.comparedFields.meaningful(in: object.made).compactMap {
            field in
            values[field.path].map {
                FieldChange(
                    path: field.path, from: field.meaningfulValue(in: object.made), to: $0)
            }
        }
    }

    /// Editors that ran before there was pal, and that specs may tell it to take over.
    func placePredecessors() {
        let platform = world.platforms[0]
        for (name, object) in writer.value.predecessors.sorted(by: { $0.key < $1.key }) {
            var config = InstanceConfig(name: object)
            config.resources.memoryMax = 512
            platform.put(
                PlatformObject(
                    id: object, platformName: "\(name) before pal", ownership: nil,
                    maker: .predecessor, config: config, status: .running, readiness: .ready,
                    made: config, createdAt: clock.date()),
                "was made by somebody before")
        }
    }

    /// Something that bears one of our names and is not pal's.
    private func placeStranger(_ fault: Fault, _ platform: SimulatedPlatform) -> Bool {
        if fault == .unknownHashObject, random.value.chance(0.5) { return takeOver(platform) }
        let free = writer.value.names.filter { name in
            fault != .unknownHashObject || world.scene.objects(of: name).isEmpty
        }
        guard let name = random.value.pick(free) else { return false }
        let swarm = fault == .otherSwarmObject ? "other" : World.swarm
        let generations = world.scene.objects(of: name).compactMap { $0.ownership?.generation }
        let marks = Ownership(
            swarm: swarm, name: name, id: "stranger-\(name)",
            // The name that the next generation will want.
            generation: 1 + (generations.max() ?? 0),
            specHash: SpecHash(text: "v1:0123456789abcdef0123456789abcdef"))
        let title = platform.platformName(marks)
        guard !platform.objects.contains(where: { $0.platformName == title }) else { return false }
        let object = PlatformObject(
            id: platform.newID(), platformName: title,
            ownership: fault == .unlabelledObject ? nil : marks, maker: .stranger,
            config: InstanceConfig(name: name), status: .running, readiness: .ready,
            made: InstanceConfig(name: name), createdAt: clock.date())
        world.trace.add(.outside("\(platform.kind.name): \(fault.rawValue) named \(name)"))
        platform.put(object, "is put there by a stranger")
        return true
    }

    /// Another controller has put its own in the place of what pal made.
    private func takeOver(_ platform: SimulatedPlatform) -> Bool {
        let own = platform.objects.filter {
            $0.ownership?.swarm == World.swarm && $0.isLive && $0.maker == .pal
        }
        guard let old = random.value.pick(own), var marks = old.ownership else { return false }
        marks.specHash = SpecHash(text: "v1:0123456789abcdef0123456789abcdef")
        platform.vanish(old)
        let object = PlatformObject(
            id: platform.newID(), platformName: old.platformName, ownership: marks,
            maker: .stranger, config: InstanceConfig(name: marks.name), status: .stopped,
            made: InstanceConfig(name: marks.name), createdAt: clock.date())
        platform.put(object, "is put in its place by a stranger")
        return true
    }

    /// What strangers put in the way is taken away by whoever finds it.
    func removeStrangers() {
        for platform in world.platforms {
            platform.heal()
            for object in platform.objects
            where object.maker == .stranger && object.ownership?.swarm != "other" {
                platform.remove(object, in: .milliseconds(10))
            }
        }
    }
}

/// What a machine's config must be like.
enum ConfigRules {
    static func check(_ config: [String: JSON]) throws {
        guard let image = config["image"]?.string, !image.isEmpty else {
            throw Refusal.invalid("config.image is required")
        }
        if config["size"] != nil, config["guest"] != nil {
            throw Refusal.invalid("config.size and config.guest exclude each other")
        }
        if let guest = config["guest"] { try check(guest: guest) }
        if let timeout = config["stop_config"]?["timeout"], timeout != .null {
            guard let nanoseconds = Span.nanoseconds(timeout) else {
                throw Refusal.invalid("invalid stop_config.timeout")
            }
            if nanoseconds > 300 * 1_000_000_000 {
                throw Refusal.invalid("invalid stop_config.timeout, cannot exceed 5 minutes")
            }
        }
        if let policy = config["restart"]?["policy"] {
            let known: [JSON] = ["no", "on-failure", "always", "spot-price"]
            guard known.contains(policy) else { throw Refusal.invalid("unknown restart policy") }
        }
        try check(mounts: config["mounts"])
        for field in ["env", "metadata"] {
            guard let map = config[field] else { continue }
            guard let values = map.object?.values, values.allSatisfy({ $0.string != nil }) else {
                throw Refusal.invalid("config.\(field) is not a map of strings")
            }
        }
    }

    private static func check(guest: JSON) throws {
        if let memory = guest["memory_mb"] {
            guard let memory = memory.int, memory > 0, memory % 256 == 0 else {
                throw Refusal.invalid("guest.memory_mb must be a multiple of 256")
            }
        }
        if let kind = guest["cpu_kind"] {
            let known: [JSON] = ["shared", "performance"]
            guard known.contains(kind) else { throw Refusal.invalid("unknown guest.cpu_kind") }
        }
        if let cpus = guest["cpus"] {
            guard let cpus = cpus.int, cpus > 0 else { throw Refusal.invalid("bad guest.cpus") }
        }
    }

    private static func check(mounts: JSON?) throws {
        guard let mounts, mounts != .null else { return }
        guard let mounts = mounts.array, mounts.count <= 1 else {
            throw Refusal.invalid("a machine can have one volume")
        }
        for mount in mounts {
            guard mount["volume"]?.string != nil, mount["path"]?.string?.hasPrefix("/") == true
            else { throw Refusal.invalid("a mount needs a volume and a path") }
        }
    }

    /// The outer ports of its services. Machines of an app may share them.
    static func ports(_ config: [String: JSON]) -> Set<Int> {
        let services = config["services"]?.array ?? []
        return Set(services.flatMap { $0["ports"]?.array ?? [] }.compactMap { $0["port"]?.int })
    }

    /// A config as answers show it.
    static func shown(_ config: [String: JSON], integerDurations: Bool) -> JSON {
        var config = config
        if let services = config["services"]?.array {
            config["services"] = .array(
                services.map { shown(service: $0, integerDurations: integerDurations) })
        }
        if integerDurations, let checks = config["checks"]?.object {
            config["checks"] = .object(checks.mapValues(inNanoseconds))
        }
        return .object(config)
    }

    private static func inNanoseconds(_ check: JSON) -> JSON {
        guard var fields = check.object else { return check }
        for field in ["interval", "timeout", "grace_period"] {
            guard let text = fields[field], let nanoseconds = Span.nanoseconds(text) else {
                continue
            }
            fields[field] = .int(nanoseconds)
        }
        return .object(fields)
    }

    private static func shown(service: JSON, integerDurations: Bool) -> JSON {
        guard var fields = service.object else { return service }
        switch fields["autostop"] {
        case "off": fields["autostop"] = false
        case "stop": fields["autostop"] = true
        default: break
        }
        if integerDurations, let checks = fields["checks"]?.array {
            fields["checks"] = .array(checks.map(inNanoseconds))
        }
        return .object(fields)
    }
}

/// Durations as Go writes them.
enum Span {
    /// A number is nanoseconds, a text such as `1m30s` has units.
    static func nanoseconds(_ value: JSON) -> Int? {
        if let number = value.int { return number }
        guard let text = value.string, !text.isEmpty else { return nil }
        var total = 0.0
        var rest = Substring(text)
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !$0.isNumber }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let factor = units[String(unit)] else { return nil }
            total += number * factor
        }
        return Int(total)
    }

    private static let units: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
    ]
}

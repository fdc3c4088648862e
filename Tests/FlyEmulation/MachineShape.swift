extension Cloud {
    /// A machine as answers show it.
    func shape(_ machine: Machine, state: String? = nil, isSummary: Bool = false) -> JSON {
        var fields: [String: JSON] = [
            "id": .string(machine.id), "name": .string(machine.name),
            "state": .string(state ?? machine.state), "region": .string(machine.region),
            "instance_id": .string(machine.version),
            "private_ip": .string("fdaa:0:1:a7b:\(machine.id.prefix(4)):0:1:\(machine.order)"),
            "image_ref": Self.image(machine.config["image"]?.string ?? ""),
            "created_at": .string(Time.text(machine.createdAt)),
            "updated_at": .string(Time.text(machine.updatedAt)),
        ]
        if isSummary { return .object(fields) }
        fields["host_status"] = .string(machine.hostStatus)
        fields["events"] = .array(Array(machine.events.prefix(20)))
        let config = ConfigRules.shown(
            machine.config, integerDurations: options.integerDurations)
        // What an absent host has cannot be told; the rest is what Fly still remembers.
        if machine.hostStatus == "ok" {
            fields["config"] = config
        } else if !options.forgetsAbsentHosts {
            fields["incomplete_config"] = config
        }
        let checks = checks(machine)
        if !checks.isEmpty { fields["checks"] = .array(checks) }
        return .object(fields)
    }

    private func checks(_ machine: Machine) -> [JSON] {
        var wanted = (machine.config["checks"]?.object ?? [:]).map { ($0.key, $0.value) }
            .sorted { $0.0 < $1.0 }
        let ofServices = (machine.config["services"]?.array ?? [])
            .flatMap { $0["checks"]?.array ?? [] }
        for (index, check) in ofServices.enumerated() {
            let type = check["type"]?.string ?? "tcp"
            wanted.append(("servicecheck-0\(index)-\(type)-\(check["port"]?.int ?? 0)", check))
        }
        guard !wanted.isEmpty else { return [] }
        let isUp =
            machine.state == "started"
            && machine.upSince.map { time.elapsed() - $0 >= delays.check } ?? false
        func shown(_ name: String, passes: Bool, _ output: String) -> JSON {
            [
                "name": .string(name), "status": passes ? "passing" : "critical",
                "output": .string(output), "updated_at": .string(Time.text(machine.updatedAt)),
            ]
        }
        return wanted.map { name, check in
            if check["path"]?.string?.contains("never") == true {
                return shown(name, passes: false, "connection refused")
            }
            return shown(name, passes: isUp, isUp ? "200 OK" : "")
        } + [shown("bg_deployments_compat_x", passes: false, "")]
    }

    /// Fly's mirror in the place of Docker Hub, and a digest that is not the one asked for.
    private static func image(_ name: String) -> JSON {
        let withoutDigest = String(name.prefix { $0 != "@" })
        var parts = withoutDigest.split(separator: "/").map(String.init)
        var registry = "docker-hub-mirror.fly.io"
        if parts.count > 1, let host = parts.first, host.contains(where: { ".:".contains($0) }) {
            parts.removeFirst()
            if host != "docker.io" { registry = host }
        }
        var tag = "latest"
        if let last = parts.popLast() {
            let words = last.split(separator: ":", maxSplits: 1).map(String.init)
            parts.append(words.first ?? last)
            if words.count > 1 { tag = words[1] }
        }
        if parts.count == 1 { parts.insert("library", at: 0) }
        return [
            "registry": .string(registry), "repository": .string(parts.joined(separator: "/")),
            "tag": .string(tag), "digest": .string("sha256:" + Names.digest(name)),
        ]
    }
}

extension Machine {
    /// Notes something that happened to it.
    mutating func note(
        _ type: String, status: String, source: String = "flyd", at now: Int,
        request: JSON? = nil
    ) {
        var event: [String: JSON] = [
            "id": .string(Names.ulid()), "type": .string(type), "status": .string(status),
            "source": .string(source), "timestamp": .int(now / 1_000_000),
        ]
        if let request { event["request"] = request }
        events.insert(.object(event), at: 0)
        updatedAt = now
    }
}

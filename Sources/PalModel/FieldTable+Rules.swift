extension FieldTable {
    /// The rules between fields, and those that a shape cannot say.
    static func rules(_ config: InstanceConfig) -> [FieldProblem] {
        memoryRule(config) + portRules(config) + replicaRules(config) + secretRules(config)
            + dependencyRules(config)
    }

    private static func memoryRule(_ config: InstanceConfig) -> [FieldProblem] {
        guard let low = config.resources.memoryMin, let high = config.resources.memoryMax,
            low > high
        else { return [] }
        return [
            FieldProblem(
                [.key("resources"), .key("memory"), .key("min")],
                "resources.memory.min (\(low) MiB) is more than resources.memory.max (\(high) MiB)")
        ]
    }

    private static func portRules(_ config: InstanceConfig) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        var seenOutside: Set<String> = []
        var seenInside: Set<String> = []
        for (index, port) in (config.network.ports ?? []).enumerated() {
            let path: [PathStep] = [.key("network"), .key("ports"), .index(index)]
            let kind = port.protocol ?? "tcp"
            if !seenInside.insert("\(port.internal)/\(kind)").inserted {
                problems.append(
                    FieldProblem(path, "port \(port.internal)/\(kind) inside is listed twice"))
            }
            if let outside = port.external, !seenOutside.insert("\(outside)/\(kind)").inserted {
                problems.append(
                    FieldProblem(path, "port \(outside)/\(kind) outside is listed twice"))
            }
        }
        return problems
    }

    private static func replicaRules(_ config: InstanceConfig) -> [FieldProblem] {
        guard let replicas = config.replicas, replicas > 1 else { return [] }
        var problems: [FieldProblem] = []
        if config.workspacePath != nil {
            problems.append(
                FieldProblem(
                    [.key("workspacePath")],
                    "\(replicas) replicas cannot share one workspacePath; remove one of the two"))
        }
        if config.network.ports?.contains(where: { $0.external != nil }) == true {
            problems.append(
                FieldProblem(
                    [.key("network"), .key("ports")],
                    "\(replicas) replicas cannot share one external port; remove 'external'"))
        }
        return problems
    }

    private static func secretRules(_ config: InstanceConfig) -> [FieldProblem] {
        (config.secrets ?? [:]).sorted { $0.key < $1.key }.compactMap { name, secret in
            guard (secret.fromEnv == nil) == (secret.fromFile == nil) else { return nil }
            return FieldProblem(
                [.key("secrets"), .key(name)],
                "secret '\(name)' needs either fromEnv or fromFile")
        }
    }

    private static func dependencyRules(_ config: InstanceConfig) -> [FieldProblem] {
        guard let index = config.dependsOn?.firstIndex(of: config.name) else { return [] }
        return [
            FieldProblem([.key("dependsOn"), .index(index)], "'\(config.name)' depends on itself")
        ]
    }
}

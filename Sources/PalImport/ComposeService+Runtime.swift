internal import PalEditors
import PalModel
import PalSpecs

/// What runs, with what it is given.
extension ComposeService {
    mutating func readCommand(_ pair: Node.Pair) {
        config.command = words(pair)
    }

    mutating func readEntryPoint(_ pair: Node.Pair) {
        guard let words = words(pair) else { return }
        config.setSpecific("entrypoint", .list(words.map { .string($0) }))
    }

    private mutating func words(_ pair: Node.Pair) -> [String]? {
        if pair.value.sequence != nil { return texts(pair.value) }
        guard let line = text(pair.value) else { return nil }
        guard let words = ShellWords.split(line) else {
            remark(pair.key, "\(pair.key.text): a quotation does not end; not carried over")
            return nil
        }
        return words
    }

    // MARK: Variables

    mutating func readEnvironment(_ pair: Node.Pair) {
        for (name, value, place) in pairs(pair.value) {
            if let value { take(name, value, place) } else { takeFromShell(name, place) }
        }
    }

    /// The shell's own value, at the time when the instance is made.
    private mutating func takeFromShell(_ name: String, _ place: Node) {
        guard
            let reference = SecretReference(
                .map(["fromEnv": .string(name), "as": .string("env")]))
        else { return remark(place, "\(name) is no name of a variable; not carried over") }
        config.secrets = (config.secrets ?? [:]).merging([name: reference]) { $1 }
        remark(place, "\(name) is taken from the controller's environment")
    }

    private mutating func take(_ name: String, _ value: String, _ place: Node) {
        spec.take(name, value)
        if spec.hidden[name] != nil {
            remark(place, "\(name) looks like a secret: it goes into a file, not into the spec")
        }
    }

    mutating func readEnvFiles(_ pair: Node.Pair) {
        for item in pair.value.sequence ?? [pair.value] {
            guard let path = text(item["path"] ?? item) else { continue }
            guard let content = scope.file.read(scope.absolute(path)) else {
                if item["required"]?.scalar?.kind != .bool(false) {
                    remark(item, "env_file '\(path)' cannot be read; not carried over")
                }
                continue
            }
            let file = EnvFile(
                content, shell: scope.interpolation.variables,
                isRaw: item["format"].flatMap { text($0) } == "raw")
            for problem in file.problems { remark(item, "env_file '\(path)': \(problem)") }
            for name in file.namesAlone { takeFromShell(name, item) }
            for (name, value) in file.variables {
                // What 'environment' says wins, wherever it stands.
                let isSaid =
                    pairs(service.value["environment"] ?? item).contains { $0.name == name }
                if service.value["environment"] == nil || !isSaid { take(name, value, item) }
            }
        }
    }

    mutating func readSecrets(_ pair: Node.Pair) {
        for item in pair.value.sequence ?? [] {
            guard let name = text(item["source"] ?? item) else { continue }
            let entry = scope.root["secrets"]?[name]
            var reference: [String: Value] = [:]
            if let path = entry?["file"].flatMap({ text($0) }) {
                reference["fromFile"] = .string(scope.absolute(path))
            } else if let variable = entry?["environment"].flatMap({ text($0) }) {
                reference["fromEnv"] = .string(variable)
            }
            guard !reference.isEmpty, let secret = SecretReference(.map(reference)) else {
                remark(item, "secret '\(name)' has neither file nor environment; not carried over")
                continue
            }
            let target = item["target"].flatMap { text($0) } ?? name
            config.secrets = (config.secrets ?? [:]).merging([target: secret]) { $1 }
            if ["uid", "gid", "mode"].contains(where: { item[$0] != nil }) {
                remark(item, "uid, gid and mode of a secret: not carried over; its mode is 0444")
            }
        }
    }

    // MARK: When it runs

    mutating func readRestart(_ pair: Node.Pair) {
        guard let policy = text(pair.value) else { return }
        // To Compose 0 is no limit.
        let name = policy == "on-failure:0" ? "on-failure" : policy
        if name != "unless-stopped" { config.setSpecific("restart", .string(name)) }
    }

    mutating func readGracePeriod(_ pair: Node.Pair) {
        guard let value = text(pair.value) else { return }
        guard let span = TimeSpan(value), (1000...3_600_000).contains(span.milliseconds) else {
            return remark(
                pair.key, "stop_grace_period: '\(value)' is not from 1s to 1h; not carried over")
        }
        config.setSpecific("stopTimeout", .string(value))
    }

    mutating func readSysctls(_ pair: Node.Pair) {
        let settings = pairs(pair.value).map { ($0.name, Value.string($0.value ?? "")) }
        guard !settings.isEmpty else { return }
        config.setSpecific("sysctls", .map(Dictionary(settings, uniquingKeysWith: { $1 })))
    }

    mutating func readLogging(_ pair: Node.Pair) {
        remarkOnOthers(than: ["driver", "options"], in: pair.value, "logging")
        var logging: [String: Value] = [:]
        if let driver = pair.value["driver"].flatMap({ text($0) }) {
            logging["driver"] = .string(driver)
        }
        let options = pair.value["options"].map { pairs($0) } ?? []
        if !options.isEmpty {
            let told = options.map { ($0.name, Value.string($0.value ?? "")) }
            logging["options"] = .map(Dictionary(told, uniquingKeysWith: { $1 }))
        }
        if !logging.isEmpty { config.setSpecific("logging", .map(logging)) }
    }

    mutating func readDependencies(_ pair: Node.Pair) {
        let wanted =
            pair.value.mapping?.map { ($0.key.text, $0.value) }
            ?? (pair.value.sequence ?? []).map { ($0.scalar?.text ?? "", $0) }
        var names: [String] = []
        for (service, place) in wanted {
            guard let name = scope.names[service] else {
                remark(place, "depends_on '\(service)', which does not come along; left out")
                continue
            }
            names.append(name)
            if let condition = place["condition"].flatMap({ text($0) }),
                condition != "service_healthy"
            {
                remark(
                    place,
                    "depends_on '\(service)': \(condition) is not carried over; pal waits "
                        + "until it is ready")
            }
            remarkOnOthers(than: ["condition"], in: place, "depends_on.\(service)")
        }
        if !names.isEmpty { config.dependsOn = names.sorted() }
    }

    mutating func readHealthCheck(_ pair: Node.Pair) {
        let check = pair.value
        let test = check["test"].map { texts($0) } ?? []
        if check["disable"].flatMap({ text($0) })?.lowercased() == "true" || test == ["NONE"] {
            return config.setSpecific("healthCheck", .map(["disabled": .bool(true)]))
        }
        var said: [String: Value] = [:]
        if let (path, port) = Self.address(in: test), port == EditorProfile(for: config).port {
            // pal asks for that, from inside and outside.
            config.health.path = path
        } else if check["test"]?.sequence == nil || (test.first == "CMD-SHELL" && test.count == 2) {
            said["command"] = test.last.map { .string($0) }
        } else if test.first == "CMD", test.count > 1 {
            said["command"] = .list(test.dropFirst().map { .string($0) })
        } else {
            remark(pair.key, "healthcheck.test: begins with neither CMD nor CMD-SHELL; left out")
        }
        readTimes(of: check)
        if let node = check["retries"], let value = text(node) {
            if let count = Int(value), (1...1000).contains(count) {
                said["retries"] = .int(count)
            } else {
                remark(
                    node, "healthcheck.retries: '\(value)' is no number from 1 to 1000; left out")
            }
        }
        if !said.isEmpty { config.setSpecific("healthCheck", .map(said)) }
        remarkOnOthers(
            than: ["test", "disable", "retries", "interval", "timeout", "start_period"], in: check,
            "healthcheck")
    }

    /// The times, with Docker's own where none is said: pal's are others.
    private mutating func readTimes(of check: Node) {
        for (key, field, usual) in [
            ("interval", \HealthConfig.interval, 30), ("timeout", \.timeout, 30),
            ("start_period", \.grace, 0),
        ] as [(String, WritableKeyPath<HealthConfig, TimeSpan?>, Int)] {
            config.health[keyPath: field] = .seconds(usual)
            guard let node = check[key], let value = text(node) else { continue }
            if let span = TimeSpan(value) {
                config.health[keyPath: field] = span
            } else {
                remark(node, "healthcheck.\(key): '\(value)' is no time; not carried over")
            }
        }
    }

    /// The path and port of the address that a check asks, where that is all it does: a request to
    /// this very container, by curl or wget, and nothing else decides.
    private static func address(in test: [String]) -> (path: String, port: Int)? {
        let isList = test.first == "CMD" || test.first == "CMD-SHELL"
        let command = test.dropFirst(isList ? 1 : 0).joined(separator: " ")
        let request = /(?:curl|wget)(.*?)["']?http:\/\/(?:localhost|127\.0\.0\.1)(.*)/
        let place =
            /(?::(\d+))?(\/[^\s"';|&<>()$`]*)["']?(.*?)(?:\s*\|\|\s*(?:exit\s+\d+|false))?\s*/
        guard let found = command.wholeMatch(of: request),
            let asked = found.2.wholeMatch(of: place),
            areHarmless(found.1), areHarmless(asked.3),
            TextRule.urlPath.accepts(String(asked.2))
        else { return nil }
        return (String(asked.2), asked.1.flatMap { Int($0) } ?? 80)
    }

    /// Whether words change nothing about what is asked, and of what is a success.
    private static func areHarmless(_ words: Substring) -> Bool {
        let flag = /-[fsSLkIqnvOo]+-?|-[mtT]|\d+|-|\/dev\/null|--([a-z-]+)(?:=[\d.]+)?/
        let long: Set<Substring> = [
            "fail", "silent", "show-error", "location", "insecure", "head", "output", "max-time",
            "connect-timeout", "retry", "quiet", "spider", "no-verbose", "no-check-certificate",
            "tries", "timeout", "output-document",
        ]
        return words.split(separator: " ").allSatisfy { word in
            guard let found = word.wholeMatch(of: flag) else { return false }
            return found.1.map(long.contains) ?? true
        }
    }
}

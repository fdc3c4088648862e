import PalEditors
public import PalModel
import PalProvider

/// The keys of a spec's `specific`, what each takes, and the rules between them.
enum SpecificsTable {
    private static let path = Shape.text(.absolutePath)
    private static let text = Shape.text(.nonEmpty)

    /// The keys themselves.
    static let keys: [Shape.Member] = [
        .init("home", path, "Where the home's volume is mounted."),
        .init("projectFolder", path, "Where workspacePath is mounted."),
        .init("user", text, "The user inside."),
        .init("network", .text(network), "An existing network."),
        .init("networkMode", .choice(["host"]), "The host's network."),
        .init("mounts", .list(mount), "Further mounts."),
        .init("devices", .list(.text(device)), "Devices of the host."),
        .init("capAdd", .list(.text(capability)), "Capabilities on top of Docker's usual ones."),
        .init("capDrop", .list(.text(capability)), "Capabilities to take away."),
        .init("privileged", .flag, "All rights on the host."),
        .init("securityOpt", .list(text), "As docker run --security-opt."),
        .init("shmSize", .integer(1...(1 << 20)), "The size of /dev/shm in MiB."),
        .init("init", .flag, "A small init as process 1."),
        .init("dns", .list(.text(address)), "Name servers."),
        .init("extraHosts", .list(.text(host)), "Lines of /etc/hosts."),
        .init("entrypoint", .list(.text(.any)), "Instead of the image's entry point."),
        .init("platform", .text(platform), "The image's platform."),
        .init("pull", .choice(PullPolicy.allCases.map(\.rawValue)), "When the image is pulled."),
        .init("followTag", .flag, "Whether a moved tag replaces the instance."),
        .init("gpus", .anything, "GPUs: all, so many, or a list of their ids."),
        .init("ulimits", .map(key: word, .anything), "Limits of processes."),
        .init("pidsLimit", .integer(1...(1 << 22)), "How many processes it may have."),
        .init("sysctls", .map(key: sysctl, .text(.any)), "Settings of its own kernel namespaces."),
        .init("readOnly", .flag, "A root file system that cannot be written."),
        .init("groupAdd", .list(text), "Further groups of the user inside."),
        .init("hostname", .text(hostname), "Its own host name instead of the instance's name."),
        .init("workingDir", path, "Where its command starts."),
        .init("stopSignal", .text(signal), "What asks it to end."),
        .init("stopTimeout", .span, "How long it may take to end; 10s where unset."),
        .init("tty", .flag, "A terminal for its command."),
        .init("stdinOpen", .flag, "An open input for its command."),
        .init("runtime", text, "Another runtime that the Engine knows."),
        .init("logging", logging, "Where its logs go."),
        .init(
            "restart", .choice(["unless-stopped", "always", "on-failure", "no"]),
            "Docker's restart policy."),
        .init("volumeDriver", text, "The driver of the home's volume."),
        .init("volumeOptions", .map(key: .nonEmpty, .text(.any)), "What that driver is told."),
    ]

    private static let mount = Shape.object([
        .init("type", .choice(["bind", "volume", "tmpfs"]), required: true, "What is mounted."),
        .init("source", text, "A path of the Engine's host, or a volume's name."),
        .init("target", path, required: true, "Where, inside."),
        .init("readOnly", .flag, "Whether it cannot be written."),
        .init("size", .integer(1...(1 << 20)), "The size of a tmpfs in MiB."),
    ])

    private static let logging = Shape.object([
        .init("driver", text, "A driver such as json-file, local or journald."),
        .init("options", .map(key: .nonEmpty, .text(.any)), "What that driver is told."),
    ])

    private static let sysctl = TextRule(
        expectation: "a setting such as net.core.somaxconn", pattern: nil
    ) { text in
        text.contains(".")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "=") }
    }

    private static let signal = TextRule(
        expectation: "a signal such as SIGINT", pattern: nil
    ) { text in
        !text.isEmpty
            && text.uppercased().utf8.allSatisfy {
                (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || "+-".utf8.contains($0)
            }
    }

    private static let hostname = TextRule(
        expectation: "a host name: letters, digits, '-', '_' and '.', 64 characters at most",
        pattern: nil
    ) { text in
        // The Engine would take anything; what is in a host name is in prompts and in scripts.
        (1...64).contains(text.utf8.count) && !"-.".contains(text.first ?? "-")
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
                    || "-_.".utf8.contains(byte)
            }
    }

    private static let network = TextRule(
        expectation: "the name of a Docker network", pattern: nil, accepts: DockerName.isValid)

    private static let device = TextRule(
        expectation: "a device such as /dev/kvm, /dev/a:/dev/b or /dev/a:/dev/b:rw", pattern: nil
    ) { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return (1...3).contains(parts.count) && parts.prefix(2).allSatisfy { $0.hasPrefix("/") }
            && (parts.count < 3 || !parts[2].isEmpty && parts[2].allSatisfy { "rwm".contains($0) })
    }

    private static let capability = TextRule(
        expectation: "a capability such as SYS_PTRACE", pattern: nil
    ) { text in
        !text.isEmpty && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F }
    }

    private static let address = TextRule(
        expectation: "an IP address", pattern: nil
    ) { text in
        !text.isEmpty && text.allSatisfy { $0.isHexDigit || ".:".contains($0) }
            && text.contains { ".:".contains($0) }
    }

    private static let host = TextRule(
        expectation: "name:address, such as db:10.0.0.5", pattern: nil
    ) { text in
        let parts = text.split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && !$0.contains(" ") }
    }

    private static let platform = TextRule(
        expectation: "a platform such as linux/amd64", pattern: nil
    ) { text in
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return (2...3).contains(parts.count) && parts.allSatisfy { !$0.isEmpty }
    }

    private static let word = TextRule(
        expectation: "a limit such as nofile", pattern: nil
    ) { text in
        !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7A).contains($0) }
    }

    /// What is wrong with a config's `specific` beside single values: the rules between them.
    static func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        guard let specific = config.specific else { return [] }
        let specifics = Specifics(config)
        return ulimitProblems(specific) + mountProblems(config, specifics)
            + networkProblems(config, specifics) + volumeProblems(config, specifics)
            + entryProblems(specifics) + gpuProblems(specific) + endProblems(config, specific)
    }

    private static func ulimitProblems(_ specific: [String: Value]) -> [ConfigProblem] {
        guard case .map(let limits)? = specific["ulimits"] else { return [] }
        let pair = Shape.object([
            .init("soft", .integer(-1...Int.max), required: true, ""),
            .init("hard", .integer(-1...Int.max), required: true, ""),
        ])
        return limits.sorted { $0.key < $1.key }.flatMap { name, value -> [ConfigProblem] in
            if Int(value).map({ $0 >= -1 }) == true { return [] }
            return pair.problems(of: value, at: [.key("specific"), .key("ulimits"), .key(name)])
                .map { ConfigProblem(FieldProblem.text(of: $0.path), $0.message) }
        }
    }

    private static func gpuProblems(_ specific: [String: Value]) -> [ConfigProblem] {
        guard let gpus = specific["gpus"], GPURequest(gpus) == nil else { return [] }
        return [
            ConfigProblem("specific.gpus", "specific.gpus must be \(GPURequest.expectation)")
        ]
    }

    /// How long it may take to end, and where nothing can be written: neither fits everything.
    private static func endProblems(
        _ config: InstanceConfig, _ specific: [String: Value]
    ) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        if let span = specific["stopTimeout"].flatMap({ TimeSpan($0) }),
            !(1000...3_600_000).contains(span.milliseconds)
        {
            problems.append(
                ConfigProblem(
                    "specific.stopTimeout", "specific.stopTimeout must be from 1s to 1h"))
        }
        if specific["readOnly"] == .bool(true), Furnishing.isNeeded(config) {
            problems.append(
                ConfigProblem(
                    "specific.readOnly",
                    "with specific.readOnly pal cannot write to \(EditorLock.directory), where "
                        + "secrets and the editor's password go; remove it, or have no secret but "
                        + "those with 'as: env' and an editor that needs no password of pal's"))
        }
        let hasRoom = Specifics(config).mounts.contains { $0.target == "/tmp" && !$0.isReadOnly }
        if specific["readOnly"] == .bool(true), config.extensions?.isEmpty == false, !hasRoom {
            problems.append(
                ConfigProblem(
                    "specific.readOnly",
                    "with specific.readOnly extensions cannot be installed without a /tmp; add "
                        + "{ type: tmpfs, target: /tmp } to specific.mounts"))
        }
        return problems
    }

    private static func mountProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        for (index, mount) in specifics.mounts.enumerated() {
            let path = "specific.mounts[\(index)]"
            func problem(_ text: String) { problems.append(ConfigProblem(path, "\(path)\(text)")) }
            switch (mount.kind, mount.source) {
            case (.bind, let source?) where TextRule.absolutePath.accepts(source): break
            case (.bind, _):
                problem(".source must be \(TextRule.absolutePath.expectation) for type: bind")
            case (.volume, let source?) where !DockerName.isValid(source):
                problem(".source must be the name of a volume for type: volume")
            case (.volume, let source?) where source.hasPrefix("pal_"):
                problem(".source is a name that pal gives to volumes itself; use another one")
            case (.tmpfs, _?): problem(".source means nothing for type: tmpfs; remove it")
            default: break
            }
            if mount.size != nil, mount.kind != .tmpfs {
                problem(".size is for type: tmpfs only; remove it")
            }
        }
        return problems + hidingProblems(config, specifics)
    }

    /// What pal writes into a container must not land in a volume, nor be hidden by a mount.
    private static func hidingProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard Furnishing.isNeeded(config) else { return [] }
        let named = [
            ("specific.home", specifics.home),
            ("specific.projectFolder", specifics.projectFolder),
        ]
        let targets =
            named.compactMap { key, target in target.map { (key, $0) } }
            + specifics.mounts.enumerated().map { ("specific.mounts[\($0)].target", $1.target) }
        return targets.filter { HostPath.isAt($0.1, orAbove: EditorLock.directory) }.map {
            ConfigProblem(
                $0.0,
                "\($0.0) '\($0.1)' would lie over \(EditorLock.directory), where pal puts "
                    + "secrets and the editor's password; choose another place")
        }
    }

    private static func networkProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard specifics.hasHostNetwork else { return [] }
        var problems: [ConfigProblem] = []
        if let network = specifics.network, network != "host" {
            problems.append(
                ConfigProblem(
                    "specific.network",
                    "specific.network and networkMode: host exclude each other; remove one"))
        }
        if !(config.network.ports ?? []).isEmpty {
            problems.append(
                ConfigProblem(
                    "network.ports",
                    "with the host's network every port inside is one outside; "
                        + "remove network.ports"))
        }
        return problems
    }

    private static func volumeProblems(
        _ config: InstanceConfig, _ specifics: Specifics
    ) -> [ConfigProblem] {
        guard specifics.volumeDriver != nil || !specifics.volumeOptions.isEmpty,
            !CreateBody.isPersistent(config)
        else { return [] }
        return [
            ConfigProblem(
                "specific.volumeDriver",
                "without persistent storage there is no volume; remove "
                    + "specific.volumeDriver and specific.volumeOptions")
        ]
    }

    private static func entryProblems(_ specifics: Specifics) -> [ConfigProblem] {
        guard let entry = specifics.entrypoint, entry.first?.isEmpty ?? true else { return [] }
        return [
            ConfigProblem(
                "specific.entrypoint", "specific.entrypoint names no program; add one or remove it")
        ]
    }
}

extension DockerProvider {
    /// Not where both would write to one mounted directory or volume, or share the host's ports.
    public func canStandBeside(_ config: InstanceConfig) -> Bool {
        let specifics = Specifics(config)
        return !specifics.hasHostNetwork
            && !specifics.mounts.contains {
                $0.kind != .tmpfs && $0.source != nil && !$0.isReadOnly
            }
    }
}

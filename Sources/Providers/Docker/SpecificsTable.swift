import PalModel
import PalProvider

/// The keys of a spec's `specific`, and what each takes. `SpecificsRules` has what goes together.
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
        .init("networks", .list(networkEnd), "Further networks that it is in."),
        .init("aliases", .list(.text(alias)), "Further names that it has in its network."),
        .init("ipAddress", .text(address), "An address of its own in its network."),
        .init(
            "portAddresses", .map(key: port, .text(DockerSettings.ipv4)),
            "Where single ports are published, by the port inside."),
        .init("mounts", .list(mount), "Further mounts."),
        .init("devices", .list(.text(device)), "Devices of the host."),
        .init("deviceCgroupRules", .list(text), "Kinds of devices that it may make and use."),
        .init("capAdd", .list(.text(capability)), "Capabilities on top of Docker's usual ones."),
        .init("capDrop", .list(.text(capability)), "Capabilities to take away."),
        .init("privileged", .flag, "All rights on the host."),
        .init("securityOpt", .list(text), "As docker run --security-opt."),
        .init("shmSize", .integer(1...(1 << 20)), "The size of /dev/shm in MiB."),
        .init("init", .flag, "A small init as process 1."),
        .init("dns", .list(.text(address)), "Name servers."),
        .init("dnsSearch", .list(text), "Domains that names are looked for in."),
        .init("dnsOptions", .list(text), "Options of its resolv.conf."),
        .init("extraHosts", .list(.text(host)), "Lines of /etc/hosts."),
        .init("entrypoint", .list(.text(.any)), "Instead of the image's entry point."),
        .init("platform", .text(platform), "The image's platform."),
        .init("pull", .choice(PullPolicy.allCases.map(\.rawValue)), "When the image is pulled."),
        .init("followTag", .flag, "Whether a moved tag replaces the instance."),
        .init("gpus", .anything, "GPUs: all, so many, or a list of their ids."),
        .init("cpuset", .text(cores), "The cores that it runs on."),
        .init("cpuShares", .integer(2...(1 << 18)), "Its weight where cores are short; else 1024."),
        .init(
            "memorySwap", .integer(-1...(1 << 24)),
            "Memory and swap together in MiB, -1 for all there is; without it there is no swap."),
        .init("oomScoreAdj", .integer(-1000...1000), "How early it is ended where memory is out."),
        .init("ulimits", .map(key: word, .anything), "Limits of processes."),
        .init("pidsLimit", .integer(1...(1 << 22)), "How many processes it may have."),
        .init("sysctls", .map(key: sysctl, .text(.any)), "Settings of its own kernel namespaces."),
        .init("readOnly", .flag, "A root file system that cannot be written."),
        .init("groupAdd", .list(text), "Further groups of the user inside."),
        .init("hostname", .text(hostname), "Its own host name instead of the instance's name."),
        .init("domainname", .text(hostname), "Its domain."),
        .init("pidMode", .choice(["host"]), "The host's processes."),
        .init(
            "ipcMode", .choice(["private", "shareable", "none", "host"]),
            "Whose shared memory it has."),
        .init("utsMode", .choice(["host"]), "The host's name."),
        .init("usernsMode", .choice(["host"]), "The host's users, where the Engine maps them."),
        .init("healthCheck", healthCheck, "What the Engine runs inside to see how it is."),
        .init("workingDir", path, "Where its command starts."),
        .init("stopSignal", .text(signal), "What asks it to end."),
        .init("stopTimeout", .span, "How long it may take to end; 10s where unset."),
        .init("tty", .flag, "A terminal for its command."),
        .init("stdinOpen", .flag, "An open input for its command."),
        .init("runtime", text, "Another runtime that the Engine knows."),
        .init("logging", logging, "Where its logs go."),
        .init("restart", .text(restart), "Docker's restart policy."),
        .init("volumeDriver", text, "The driver of the home's volume."),
        .init("volumeOptions", .map(key: .nonEmpty, .text(.any)), "What that driver is told."),
    ]

    private static let mount = Shape.object([
        .init("type", .choice(["bind", "volume", "tmpfs"]), required: true, "What is mounted."),
        .init("source", text, "A path of the Engine's host, or a volume's name."),
        .init("target", path, required: true, "Where, inside."),
        .init("readOnly", .flag, "Whether it cannot be written."),
        .init("size", .integer(1...(1 << 20)), "The size of a tmpfs in MiB."),
        .init(
            "propagation", .choice(ForeignMount.propagations),
            "Which way mounts below a bind go."),
        .init("noCopy", .flag, "Whether a new volume stays without what the image has there."),
    ])

    private static let networkEnd = Shape.object([
        .init("name", .text(network), required: true, "A network that is there."),
        .init("aliases", .list(.text(alias)), "Further names that it has there."),
        .init("ipAddress", .text(address), "An address of its own there."),
    ])

    private static let healthCheck = Shape.object([
        .init("command", .anything, "A line for the shell, or a program with its arguments."),
        .init("retries", .integer(1...1000), "How many failures make it unhealthy; 3 where unset."),
        .init("disabled", .flag, "Whether nothing is run, also where the image brings a check."),
    ])

    /// Whether a key takes a value.
    static func takes(_ key: String, _ value: Value) -> Bool {
        keys.first { $0.name == key }?.shape.problems(of: value).isEmpty ?? false
    }

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

    private static let alias = TextRule(
        expectation: "a name that others find it by: letters, digits, '-', '_' and '.'",
        pattern: nil, accepts: hostname.accepts)

    private static let restart = TextRule(
        expectation: "'unless-stopped', 'always', 'no', 'on-failure' or 'on-failure:5'",
        pattern: nil
    ) { RestartPolicy($0) != nil }

    private static let cores = TextRule(
        expectation: "cores such as 0-3,6", pattern: nil
    ) { text in
        text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { part in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            return (1...2).contains(ends.count) && ends.allSatisfy { ($0 ?? -1) >= 0 }
        }
    }

    private static let port = TextRule(
        expectation: "a port inside such as 8080 or 53/udp", pattern: nil
    ) { text in
        guard let key = PortKey(text), (1...65535).contains(key.port) else { return false }
        return ["tcp", "udp"].contains(key.kind) && [String(key.port), key.text].contains(text)
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
}

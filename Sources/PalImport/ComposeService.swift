import PalModel
import PalSpecs

/// One service on its way to a spec.
struct ComposeService {
    let scope: ComposeScope
    let service: Node.Pair
    var spec: ImportedSpec
    var remarks: [Diagnostic] = []

    var config: InstanceConfig {
        get { spec.config }
        set { spec.config = newValue }
    }

    init(_ scope: ComposeScope, _ service: Node.Pair) {
        self.scope = scope
        self.service = service
        spec = ImportedSpec(InstanceConfig(name: scope.names[service.key.text] ?? ""))
    }

    /// Reads every key: the image first, because it says which editor this is.
    mutating func readAll() {
        if let image = service.value["image"] {
            config.image = text(image)
        } else {
            remark(service.key, "it has no image", "build and push one, and name it in 'image'")
        }
        EditorImage.describe(&spec.config)
        for pair in service.value.mapping ?? [] { read(pair) }
        fillInSwap()
        // Where nothing is said it is in the project's default network, which may be another's.
        if service.value["networks"] == nil, service.value["network_mode"] == nil,
            let network = scope.externalNetwork("default")
        {
            config.addSpecific("networks", .map(["name": .string(network)]))
        }
        spec.finish()
    }

    private mutating func read(_ pair: Node.Pair) {
        let key = pair.key.text
        guard !key.hasPrefix("x-"), key != "image" else { return }
        guard let reader = Self.readers[key] else {
            return remark(pair.key, "\(key): not carried over", Self.advice[key])
        }
        reader(&self, pair)
    }

    typealias Reader = @Sendable (inout ComposeService, Node.Pair) -> Void

    private static let readers: [String: Reader] = [
        "command": { $0.readCommand($1) },
        "entrypoint": { $0.readEntryPoint($1) },
        "environment": { $0.readEnvironment($1) },
        "env_file": { $0.readEnvFiles($1) },
        "secrets": { $0.readSecrets($1) },
        "ports": { $0.readPorts($1) },
        "volumes": { $0.readVolumes($1) },
        "tmpfs": { $0.readTmpfs($1) },
        "labels": { service, pair in
            let labels = service.pairs(pair.value).map { ($0.name, $0.value ?? "") }
            service.config.labels = Dictionary(labels, uniquingKeysWith: { $1 })
        },
        "depends_on": { $0.readDependencies($1) },
        "healthcheck": { $0.readHealthCheck($1) },
        "restart": { $0.readRestart($1) },
        "user": { $0.set("user", text: $1) },
        "platform": { $0.set("platform", text: $1) },
        "init": { $0.set("init", flag: $1) },
        "privileged": { $0.set("privileged", flag: $1) },
        "cap_add": { $0.set("capAdd", list: $1) },
        "cap_drop": { $0.set("capDrop", list: $1) },
        "devices": { $0.set("devices", list: $1) },
        "security_opt": { $0.set("securityOpt", list: $1) },
        "dns": { $0.set("dns", list: $1) },
        "dns_search": { $0.set("dnsSearch", list: $1) },
        "dns_opt": { $0.set("dnsOptions", list: $1) },
        "device_cgroup_rules": { $0.set("deviceCgroupRules", list: $1) },
        "domainname": { $0.set("domainname", text: $1) },
        "pid": { $0.readNamespace($1, "pidMode") },
        "ipc": { $0.readNamespace($1, "ipcMode") },
        "uts": { $0.readNamespace($1, "utsMode") },
        "userns_mode": { $0.readNamespace($1, "usernsMode") },
        "cpuset": { $0.set("cpuset", text: $1) },
        "cpu_shares": { $0.readNumber($1, "cpuShares", 2...(1 << 18)) },
        "oom_score_adj": { $0.readNumber($1, "oomScoreAdj", -1000...1000) },
        "memswap_limit": { $0.readSwap($1) },
        "networks": { $0.readNetworks($1) },
        "extra_hosts": { $0.readHosts($1) },
        "group_add": { $0.set("groupAdd", list: $1) },
        "hostname": { $0.set("hostname", text: $1) },
        "working_dir": { $0.set("workingDir", text: $1) },
        "runtime": { $0.set("runtime", text: $1) },
        "stop_signal": { $0.set("stopSignal", text: $1) },
        "stop_grace_period": { $0.readGracePeriod($1) },
        "read_only": { $0.set("readOnly", flag: $1) },
        "tty": { $0.set("tty", flag: $1) },
        "stdin_open": { $0.set("stdinOpen", flag: $1) },
        "pids_limit": { $0.readProcesses($1) },
        "sysctls": { $0.readSysctls($1) },
        "gpus": { $0.readGPUs($1) },
        "logging": { $0.readLogging($1) },
        "shm_size": { $0.readSharedMemory($1) },
        "ulimits": { $0.readLimitsOfProcesses($1) },
        "network_mode": { $0.readNetworkMode($1) },
        "pull_policy": { $0.readPullPolicy($1) },
        "cpus": { $0.readCores($1) },
        "mem_limit": { $0.readMemory($1, isLimit: true) },
        "mem_reservation": { $0.readMemory($1, isLimit: false) },
        "deploy": { $0.readDeploy($1) },
        "scale": { $0.readReplicas($1) },
    ]

    /// Keys that no spec has, and what to do instead.
    private static let advice = [
        "build": "build and push the image, and name it in 'image'",
        "container_name": "pal names the container after swarm and instance",
        "expose": "in the swarm's network every port is reached",
        "links": "in the swarm's network instances find each other by name",
        "profiles": "import the services that are wanted by name",
        "extends": "import the other service as well, and copy what is needed",
        "configs": "mount the file with specific.mounts",
    ]

    // MARK: Reading texts

    mutating func remark(_ key: Node.Key, _ what: String, _ advice: String? = nil) {
        remarks.append(
            Diagnostic(
                key.location(in: scope.file.path), what + (advice.map { "; \($0)" } ?? ""),
                instance: config.name))
    }

    mutating func remark(_ node: Node, _ what: String) {
        remarks.append(
            Diagnostic(node.location(in: scope.file.path), what, instance: config.name))
    }

    /// Says of every key of a map that is none of these that it does not come along.
    mutating func remarkOnOthers(
        than known: [String], in node: Node?, _ prefix: String, _ advice: String? = nil
    ) {
        for entry in node?.mapping ?? [] where !known.contains(entry.key.text) {
            remark(entry.key, "\(prefix).\(entry.key.text): not carried over", advice)
        }
    }

    /// A scalar with its variables put in.
    mutating func text(_ node: Node) -> String? {
        guard let scalar = node.scalar, scalar.kind != .null else { return nil }
        let outcome = scope.interpolation.apply(scalar.text)
        for name in outcome.unset {
            remark(node, "the variable \(name) is not set; taken as empty")
        }
        if let problem = outcome.problem { remark(node, problem) }
        return outcome.text
    }

    /// A list of texts, or one text.
    mutating func texts(_ node: Node) -> [String] {
        guard let items = node.sequence else { return text(node).map { [$0] } ?? [] }
        var texts: [String] = []
        for item in items {
            if let one = text(item) { texts.append(one) } else { remark(item, "not understood") }
        }
        return texts
    }

    /// A map, or a list of `NAME=value`; nil where no value stands.
    mutating func pairs(_ node: Node) -> [(name: String, value: String?, at: Node)] {
        if let entries = node.mapping {
            var pairs: [(name: String, value: String?, at: Node)] = []
            for entry in entries { pairs.append((entry.key.text, text(entry.value), entry.value)) }
            return pairs
        }
        var pairs: [(name: String, value: String?, at: Node)] = []
        for item in node.sequence ?? [] {
            guard let line = text(item) else { continue }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            pairs.append(
                (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil, item))
        }
        return pairs
    }

    mutating func set(_ key: String, text pair: Node.Pair) {
        if let value = text(pair.value) { config.setSpecific(key, .string(value)) }
    }

    mutating func set(_ key: String, flag pair: Node.Pair) {
        guard let value = text(pair.value) else { return }
        guard let flag = ["true": true, "false": false][value.lowercased()] else {
            return remark(pair.key, "\(pair.key.text): '\(value)' is not true or false")
        }
        if flag { config.setSpecific(key, .bool(true)) }
    }

    mutating func set(_ key: String, list pair: Node.Pair) {
        let values = texts(pair.value)
        if !values.isEmpty { config.setSpecific(key, .list(values.map { .string($0) })) }
    }
}

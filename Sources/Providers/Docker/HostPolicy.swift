import PalFiles
import PalModel
import PalProvider

/// What specs may have of the Engine's host, as the operator says in pal.yaml.
///
/// What amounts to root there is refused unless `specific.allow` names it. Directories may be
/// mounted from anywhere, or only from below `specific.bindRoots` where that is given.
struct HostPolicy: Sendable, Hashable {
    /// One kind of thing that is as good as root on the Engine's host.
    enum Right: String, Sendable, CaseIterable {
        case privileged, hostNetwork, dockerSocket, capabilities, devices, securityOptions
        case logDrivers, hostNamespaces, portAddresses
    }

    var allowed: Set<Right> = []
    /// Nil for everywhere.
    var bindRoots: [String]?
    /// The socket that the Engine is reached through; nil for one that is reached over TCP.
    var socket: String?
    /// Whether the Engine's host is this machine, so that its links can be followed here.
    var isLocal: Bool
    /// Where ports are published whose address no spec says.
    var publishAddress: String
    /// The provider's name, for messages.
    var provider: String

    static let keys: [Shape.Member] = [
        .init(
            "allow", .list(.choice(Right.allCases.map(\.rawValue))),
            "What specs may have of the Engine's host: "
                + Right.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ") + "."),
        .init(
            "bindRoots", .list(.text(.absolutePath)),
            "The directories below which specs may mount; else all."),
    ]

    /// Reads `allow` and `bindRoots` of an entry in pal.yaml.
    init(_ settings: ProviderSettings, socket: String?, isLocal: Bool, publishAddress: String) {
        provider = settings.name
        self.publishAddress = publishAddress
        self.socket = socket
        self.isLocal = isLocal
        let words = settings.specific["allow"].flatMap { [String]($0) } ?? []
        allowed = Set(words.compactMap(Right.init(rawValue:)))
        bindRoots = settings.specific["bindRoots"].flatMap { [String]($0) }
    }

    /// What a config asks for and is not allowed, judged by its words alone.
    func problems(_ config: InstanceConfig) -> [ConfigProblem] {
        let specifics = Specifics(config)
        var wanted: [(Right, String)] = []
        if specifics.isSet("privileged") { wanted.append((.privileged, "specific.privileged")) }
        if specifics.hasHostNetwork {
            let key = specifics.network == "host" ? "network" : "networkMode"
            wanted.append((.hostNetwork, "specific.\(key)"))
        }
        if !specifics.texts("capAdd").isEmpty { wanted.append((.capabilities, "specific.capAdd")) }
        if !specifics.texts("devices").isEmpty { wanted.append((.devices, "specific.devices")) }
        let options = specifics.texts("securityOpt").filter {
            !["no-new-privileges", "no-new-privileges:true"].contains($0)
        }
        if !options.isEmpty { wanted.append((.securityOptions, "specific.securityOpt")) }
        if !specifics.texts("deviceCgroupRules").isEmpty {
            wanted.append((.devices, "specific.deviceCgroupRules"))
        }
        for key in specifics.hostNamespaces { wanted.append((.hostNamespaces, "specific.\(key)")) }
        // What is mounted below such a one inside is mounted at the host, too.
        if specifics.mounts.contains(where: { $0.propagation?.hasSuffix("shared") == true }) {
            wanted.append((.hostNamespaces, "specific.mounts"))
        }
        if Self.mountsDevice(specifics) { wanted.append((.devices, "specific.volumeOptions")) }
        let upwards = ConfigProblem(
            "specific.volumeOptions",
            "specific.volumeOptions: the device must be a path without '..'; write where it leads")
        return wanted.filter { !allowed.contains($0.0) }.map { refusal($0.0, $0.1) }
            + (Self.leadsUpwards(specifics) ? [upwards] : [])
            + logProblems(specifics) + addressProblems(specifics)
            + Self.binds(config).compactMap { judge($0.path, as: $0.path, $0.key) }
    }

    /// These keep what is logged at the Engine. Others send it from there to wherever the spec
    /// says, with the Engine's own rights.
    private static let keepingDrivers = ["json-file", "local", "journald", "none"]

    /// Options that say how much is kept and how, and not where: without a driver they are for the
    /// Engine's own, whichever that is, and Podman takes a path of its host among them.
    static let plainLogOptions: Set = [
        "max-size", "max-file", "compress", "mode", "max-buffer-size", "labels", "labels-regex",
        "env", "env-regex", "tag",
    ]

    /// Whether a port may be published at an address: nobody but this machine, and where all are,
    /// needs nobody's word.
    func allowsPublishing(at address: String) -> Bool {
        address.hasPrefix("127.") || [address, "0.0.0.0"].contains(publishAddress)
            || allowed.contains(.portAddresses)
    }

    private func addressProblems(_ specifics: Specifics) -> [ConfigProblem] {
        Set(specifics.saidPortAddresses.map(\.address)).filter {
            !allowsPublishing(at: $0)
        }.sorted().map {
            ConfigProblem(
                "specific.portAddresses",
                "specific.portAddresses '\($0)' lets others than pal.yaml says reach a port; "
                    + "remove it, or \(consent(.portAddresses))")
        }
    }

    private func logProblems(_ specifics: Specifics) -> [ConfigProblem] {
        guard !allowed.contains(.logDrivers) else { return [] }
        let keeping = Self.keepingDrivers.joined(separator: ", ")
        let others = specifics.logOptions.keys.filter { !Self.plainLogOptions.contains($0) }
        let options = others.sorted().map { option in
            ConfigProblem(
                "specific.logging.options",
                "specific.logging.options '\(option)' may say where on Docker's host, or where to, "
                    + "logs go; remove it, or \(consent(.logDrivers))")
        }
        guard let driver = specifics.logDriver else { return options }
        guard !Self.keepingDrivers.contains(driver) else { return options }
        return [
            ConfigProblem(
                "specific.logging.driver",
                "specific.logging.driver '\(driver)' may send logs from Docker's host to anywhere; "
                    + "use one of \(keeping), or \(consent(.logDrivers))")
        ]
    }

    /// Where the directories of a config really lie, as far as this machine can tell: a link must
    /// not lead out of what is allowed. Looks at files; whoever may change them afterwards could
    /// still turn a directory into a link before the Engine mounts it.
    func linkProblems(_ config: InstanceConfig) -> [ConfigProblem] {
        guard isLocal else { return [] }
        return Self.binds(config).compactMap { bind in
            do throws(SystemError) {
                let real = try RealPath.resolve(bind.path)
                return real == bind.path ? nil : judge(real, as: bind.path, bind.key)
            } catch {
                // What is not there the Engine does not mount.
                guard bindRoots != nil, !error.isMissing else { return nil }
                return ConfigProblem(
                    bind.key,
                    "\(bind.key) '\(bind.path)' cannot be followed to where it leads "
                        + "(\(error.reason)), and pal.yaml allows only directories below "
                        + "specific.bindRoots; let pal read it, or remove it")
            }
        }
    }

    /// The mounted directories that this machine, where it is the Engine's host, does not have.
    func missingSources(_ config: InstanceConfig) -> [(key: String, path: String)] {
        guard isLocal else { return [] }
        return Self.binds(config).filter { $0.key != "specific.volumeOptions" }.filter { bind in
            do throws(SystemError) {
                _ = try FileFingerprint(at: bind.path)
                return false
            } catch {
                return error.isMissing
            }
        }
    }

    /// Every directory of the Engine's host that a config mounts. A volume of the Engine's own
    /// driver can be one in disguise.
    private static func binds(_ config: InstanceConfig) -> [(key: String, path: String)] {
        let specifics = Specifics(config)
        var binds = config.workspacePath.map { [("workspacePath", $0)] } ?? []
        for (index, mount) in specifics.mounts.enumerated() where mount.kind == .bind {
            binds += mount.source.map { [("specific.mounts[\(index)].source", $0)] } ?? []
        }
        if let device = specifics.volumeOptions["device"] {
            // The Engine works in the root; to another driver it is a path where it looks like one.
            let isOwn = isEnginesOwn(specifics)
            let path = isOwn && !device.hasPrefix("/") ? "/" + device : device
            if isOwn ? kind(of: specifics) == .directory : path.hasPrefix("/") {
                binds.append(("specific.volumeOptions", path))
            }
        }
        return binds.map { (key: $0.0, path: $0.1) }
    }

    /// What a volume of the Engine's own driver is, which mounts whatever it is told.
    private enum VolumeKind { case plain, directory, memory, remote, fileSystem }

    private static func kind(of specifics: Specifics) -> VolumeKind {
        let options = (specifics.volumeOptions["o"] ?? "").split(separator: ",")
        // With these the kernel does not look at the type.
        if options.contains("bind") || options.contains("rbind") { return .directory }
        guard let type = specifics.volumeOptions["type"] else {
            return specifics.volumeOptions["device"] == nil ? .plain : .directory
        }
        switch type {
        case "", "none", "bind": return .directory
        case "tmpfs": return .memory
        case "nfs", "nfs4", "cifs", "smb3": return .remote
        // A disk of the host's, or an overlay whose options name directories of it.
        default: return .fileSystem
        }
    }

    private static func isEnginesOwn(_ specifics: Specifics) -> Bool {
        [nil, "local"].contains(specifics.volumeDriver)
    }

    private static func mountsDevice(_ specifics: Specifics) -> Bool {
        isEnginesOwn(specifics) && kind(of: specifics) == .fileSystem
    }

    /// Whether a volume's directory is said by way of the one above another. Where that leads, its
    /// words do not tell.
    private static func leadsUpwards(_ specifics: Specifics) -> Bool {
        kind(of: specifics) == .directory
            && specifics.volumeOptions["device"]?.split(separator: "/").contains("..") == true
    }

    private func judge(_ path: String, as said: String, _ key: String) -> ConfigProblem? {
        let place = path == said ? "'\(said)'" : "'\(said)', which leads to '\(path)',"
        if holdsSocket(path), !allowed.contains(.dockerSocket) {
            return ConfigProblem(
                key,
                "\(key) \(place) holds Docker's socket, which is as good as root on its host; "
                    + "mount something smaller, or \(consent(.dockerSocket))")
        }
        guard let bindRoots, !bindRoots.contains(where: { isBelow(path, $0) }) else { return nil }
        let roots = bindRoots.isEmpty ? "none" : bindRoots.joined(separator: ", ")
        return ConfigProblem(
            key,
            "\(key) \(place) is not below a directory that pal.yaml allows "
                + "(specific.bindRoots of provider '\(provider)': \(roots))")
    }

    private func isBelow(_ path: String, _ root: String) -> Bool {
        if HostPath.isAt(root, orAbove: path) { return true }
        guard isLocal, let real = try? RealPath.resolve(root) else { return false }
        return HostPath.isAt(real, orAbove: path)
    }

    private func holdsSocket(_ path: String) -> Bool {
        let usual = ["/var/run/docker.sock", "/run/docker.sock"]
        let real = socket.flatMap { try? RealPath.resolve($0) }
        return (usual + [socket, real].compactMap(\.self)).contains {
            HostPath.isAt(path, orAbove: $0)
        }
    }

    private func refusal(_ right: Right, _ key: String) -> ConfigProblem {
        ConfigProblem(
            key, "\(key) can be as good as root on Docker's host; remove it, or \(consent(right))")
    }

    private func consent(_ right: Right) -> String {
        "allow it in pal.yaml: specific: { allow: [\(right.rawValue)] } of provider '\(provider)'"
    }
}

/// Comparing paths by their components.
enum HostPath {
    /// Whether a path is the other one or one of the directories above it.
    static func isAt(_ path: String, orAbove other: String) -> Bool {
        other.components.starts(with: path.components)
    }
}

extension String {
    fileprivate var components: [Substring] { split(separator: "/").filter { $0 != "." } }
}

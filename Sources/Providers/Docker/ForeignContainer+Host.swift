import PalModel

/// What a spec says in `specific`.
extension ForeignContainer {
    /// What is said beside `HostConfig`, where it is the container's own.
    mutating func readConfig(_ specific: inout [String: Value]) {
        for (key, name) in EngineWords.texts {
            guard let text = container.text("Config.\(name)"), !text.isEmpty,
                text != image.text("Config.\(name)"),
                !defaults.gives("Config.\(name)", .string(text))
            else { continue }
            specific[key] = .string(text)
        }
        // Without one a container is named after its id.
        if let name = container.text("Config.Hostname"), !name.isEmpty,
            container.text("Id")?.hasPrefix(name) != true,
            container.text("HostConfig.UTSMode") != "host",
            container.text("HostConfig.NetworkMode") != "host"
        {
            specific["hostname"] = .string(name)
        }
        if let seconds = container.number("Config.StopTimeout"), seconds != 10 {
            if (1...3600).contains(seconds) {
                specific["stopTimeout"] = .string("\(seconds)s")
            } else if !defaults.isPodman || seconds != 0 {
                remarks.append("StopTimeout \(seconds): not carried over; it gets 10 seconds")
            }
        }
        if container["Config.Tty"] == .bool(true) { specific["tty"] = .bool(true) }
        if container["Config.OpenStdin"] == .bool(true) { specific["stdinOpen"] = .bool(true) }
    }

    mutating func readHost(_ specific: inout [String: Value]) {
        for (key, name) in EngineWords.lists {
            guard let words = container.texts("HostConfig.\(name)"), !words.isEmpty else {
                continue
            }
            if key == "securityOpt", words == ["label=disable"], isOfTheHost { continue }
            let short = name.hasPrefix("Cap") ? words.map(Self.capability) : words
            specific[key] = .strings(short)
        }
        for (key, name) in EngineWords.flags
        where container["HostConfig.\(name)"] == .bool(true) {
            specific[key] = .bool(true)
        }
        for (key, name) in EngineWords.hostTexts + EngineWords.numbers {
            guard let value = container["HostConfig"]?[name],
                ![.string(""), .int(0)].contains(value),
                SpecificsTable.takes(key, value), !defaults.gives("HostConfig.\(name)", value)
            else { continue }
            specific[key] = value
            carried.insert("HostConfig.\(name)")
        }
        readKernel(&specific)
        readLogging(&specific)
        if let policy = container.text("HostConfig.RestartPolicy.Name"),
            policy != "unless-stopped"
        {
            let count = container.number("HostConfig.RestartPolicy.MaximumRetryCount") ?? 0
            let times = policy == "on-failure" && count > 0 ? ":\(count)" : ""
            specific["restart"] = .string(policy.isEmpty ? "no" : policy + times)
        }
        if let runtime = container.text("HostConfig.Runtime"), !runtime.isEmpty,
            !defaults.gives("HostConfig.Runtime", .string(runtime))
        {
            specific["runtime"] = .string(runtime)
        }
        readDevices(&specific)
    }

    /// Whether it shares so much with the host that the Engine labels it as part of that.
    private var isOfTheHost: Bool {
        container["HostConfig.Privileged"] == .bool(true)
            || container.text("HostConfig.PidMode") == "host"
            || container.text("HostConfig.IpcMode") == "host"
    }

    private mutating func readKernel(_ specific: inout [String: Value]) {
        if let size = container.number("HostConfig.ShmSize"), size >= 1 << 20,
            !defaults.gives("HostConfig.ShmSize", .int(size))
        {
            specific["shmSize"] = .int(size >> 20)
            if size % (1 << 20) != 0 {
                remarks.append("ShmSize of \(size) bytes: \(size >> 20) MiB of it are carried over")
            }
        }
        if let limit = container.number("HostConfig.PidsLimit"), limit > 0,
            !defaults.gives("HostConfig.PidsLimit", .int(limit))
        {
            specific["pidsLimit"] = .int(limit)
        }
        if case .map(let sysctls)? = container["HostConfig"]?["Sysctls"], !sysctls.isEmpty {
            specific["sysctls"] = .map(sysctls)
        }
        if case .list(let limits)? = container["HostConfig"]?["Ulimits"], !limits.isEmpty {
            specific["ulimits"] = ulimits(limits)
        }
    }

    private mutating func readLogging(_ specific: inout [String: Value]) {
        guard let driver = container.text("HostConfig.LogConfig.Type"), !driver.isEmpty else {
            return
        }
        // What stands in the Engine's own settings is written into each container, too, and nothing
        // tells the two apart.
        var logging: [String: Value] = [:]
        if !defaults.gives("HostConfig.LogConfig.Type", .string(driver)) {
            logging["driver"] = .string(driver)
        }
        if case .map(let options)? = container["HostConfig"]?["LogConfig"]?["Config"] {
            let plain = options.filter { HostPolicy.plainLogOptions.contains($0.key) }
            if !plain.isEmpty { logging["options"] = .map(plain) }
            for key in options.keys.sorted() where plain[key] == nil {
                remarks.append("'\(key)' of its logs, or of all of this Engine: not carried over")
            }
        }
        if !logging.isEmpty { specific["logging"] = .map(logging) }
    }

    private mutating func readDevices(_ specific: inout [String: Value]) {
        if case .list(let devices)? = container["HostConfig"]?["Devices"], !devices.isEmpty {
            specific["devices"] = .strings(
                devices.compactMap { device in
                    guard let host = device.text("PathOnHost"),
                        let inside = device.text("PathInContainer")
                    else { return nil }
                    return "\(host):\(inside):\(device.text("CgroupPermissions") ?? "rwm")"
                })
        }
        guard case .list(let requests)? = container["HostConfig"]?["DeviceRequests"],
            !requests.isEmpty
        else { return }
        if requests.count == 1, let gpus = GPURequest(engineValue: requests[0]) {
            specific["gpus"] = gpus.value
        } else {
            remarks.append("devices by request that no spec can ask for: not carried over")
        }
    }

    private mutating func ulimits(_ limits: [Value]) -> Value? {
        guard !defaults.isPodman else {
            remarks.append(
                "ulimits: not carried over, because Podman does not tell the container's own from "
                    + "those that it gives to all; set specific.ulimits to what is meant")
            return nil
        }
        let pairs = limits.compactMap { limit -> (String, Value)? in
            guard let name = limit.text("Name"), let soft = limit["Soft"], let hard = limit["Hard"]
            else { return nil }
            return (name, .map(["soft": soft, "hard": hard]))
        }
        return .map(Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    private static func capability(_ name: String) -> String {
        name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
    }
}

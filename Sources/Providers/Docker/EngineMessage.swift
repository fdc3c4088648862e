/// What the Engine's messages mean where its statuses do not say. Podman's words are similar, its
/// statuses are not.
enum EngineMessage {
    /// A port on the host that is in use; nil where the Engine does not say which.
    struct TakenPort: Sendable, Hashable { var port: Int? }

    /// A port on the host is in use; the port, where the message names it.
    static func takenPort(_ message: String) -> TakenPort? {
        for phrase in [" failed: port is already allocated", ": bind: address already in use"] {
            guard let end = message.firstRange(of: phrase)?.lowerBound else { continue }
            let digits = message[..<end].reversed().prefix { $0.isWholeNumber }.reversed()
            return TakenPort(port: Int(String(digits)))
        }
        return takenHostPort(message)
    }

    /// As Engines from 28 on say it: `failed to bind host port 0.0.0.0:80/tcp: address already in
    /// use`, or `… for 0.0.0.0:80:172.18.0.2:8080/tcp: …`.
    private static func takenHostPort(_ message: String) -> TakenPort? {
        let text = message.lowercased()
        if text.contains("address already in use") {
            // Two that bind at once meet here, and it is not said at which port.
            if text.contains("failed to listen on tcp") || text.contains("failed to bind any port")
            {
                return TakenPort(port: nil)
            }
            // Podman without root.
            if let phrase = text.firstRange(of: "failed to bind port ") {
                let digits = text[phrase.upperBound...].prefix { $0.isWholeNumber }
                return TakenPort(port: Int(digits))
            }
        }
        guard let phrase = message.firstRange(of: "failed to bind host port "),
            message[phrase.upperBound...].contains("address already in use")
        else { return nil }
        var rest = message[phrase.upperBound...]
        if rest.hasPrefix("for ") { rest = rest.dropFirst(4) }
        if rest.hasPrefix("[") { rest = rest.drop { $0 != "]" } }
        let digits = rest.drop { $0 != ":" }.dropFirst().prefix { $0.isWholeNumber }
        return TakenPort(port: Int(digits))
    }

    /// A network that it belongs to is gone: its name or id, as the Engine says it.
    static func missingNetwork(_ message: String) -> String? {
        // What Engines from 28 on put before it.
        let prefix = "failed to set up container networking: "
        let said = message.hasPrefix(prefix) ? message.dropFirst(prefix.count) : message[...]
        guard said.hasPrefix("network "), said.contains("not found") else { return nil }
        return said.split(separator: " ").dropFirst().first.map(String.init)
    }

    /// No range of addresses is left for another network: as Engines before and from 27 on say it,
    /// and Podman.
    static func isOutOfAddresses(_ message: String) -> Bool {
        [
            "non-overlapping IPv4 address pool", "address pools have been fully subnetted",
            "could not find free subnet",
        ].contains { message.contains($0) }
    }

    /// The disk of the Engine's host is full.
    static func isDiskFull(_ message: String) -> Bool {
        // Of control groups and watches there are only so many: the words are the same.
        message.lowercased().contains("no space left") && !message.contains("cgroup")
            && !message.contains("inotify")
    }

    /// The address of its own that it asks for in a network is another's there.
    static func isAddressTaken(_ message: String) -> Bool {
        // Podman says the like of its server of names, which listens to a port.
        message.contains("Address already in use") && !message.contains("bind")
            || message.contains("requested ip address") && message.contains("already allocated")
    }

    /// A creation met a container of the same name.
    static func isNameConflict(_ answer: EngineAnswer) -> Bool {
        (answer.status == 409 || answer.status == 500) && answer.message.contains("already in use")
            && answer.message.contains("name")
    }

    /// A creation found no image, or one for another platform than it asks for.
    static func isImageMissing(_ answer: EngineAnswer) -> Bool {
        answer.status == 404 && answer.message.lowercased().contains("no such image")
            || isOtherPlatform(answer.message)
    }

    /// A creation found the image, but for another platform than it asks for.
    static func isOtherPlatform(_ message: String) -> Bool {
        message.contains("does not match the specified platform")
            || message.contains("does not provide the specified platform")
    }

    /// A mount's source is not there.
    static func isSourceMissing(_ message: String) -> Bool {
        message.contains("bind source path does not exist")
            || message.contains("no such file or directory") && message.contains("mount")
    }

    /// A command can only be run in a container that runs. Podman's status for that is 500.
    static func isNotRunning(_ message: String) -> Bool {
        message.contains("exec sessions on running containers")
    }

    /// Somebody is removing the container already.
    static func isRemovalUnderWay(_ message: String) -> Bool {
        message.contains("removal of container") && message.contains("already in progress")
    }

    /// The Engine has nobody who gives GPUs to containers.
    static func isGPUDriverMissing(_ message: String) -> Bool {
        [
            "could not select device driver", "failed to discover GPU vendor",
            "unresolvable CDI devices",
        ].contains { message.contains($0) }
    }

    /// The driver of a container's logs keeps nothing that could be read.
    static func isLogUnreadable(_ message: String) -> Bool {
        message.contains("logging driver does not support reading")
    }

    /// The container cannot be started as it is configured: the runtime refused it.
    static func isStartRefusal(_ answer: EngineAnswer) -> Bool {
        answer.status == 400 || answer.message.contains("OCI runtime create failed")
            || answer.message.contains("failed to create shim")
            || answer.message.contains("failed to create task")
    }
}

import Foundation

extension Cloud {
    /// Makes a machine's root directory anew, as each start of a machine does, with its files.
    func makeRoot(of machine: Machine) -> [String: Data] {
        let root = directory(ofMachine: machine.id)
        remove(root)
        makeDirectory(root)
        var written: [String: Data] = [:]
        for file in machine.config["files"]?.array ?? [] {
            guard let path = file["guest_path"]?.string,
                let content = file["raw_value"]?.string.flatMap({ Data(base64Encoded: $0) })
            else { continue }
            let parts = path.split(separator: "/").filter { $0 != ".." && $0 != "." }
            makeDirectory(([root] + parts.dropLast().map(String.init)).joined(separator: "/"))
            let place = ([root] + parts.map(String.init)).joined(separator: "/")
            guard (try? content.write(to: URL(filePath: place))) != nil else { continue }
            if let mode = file["mode"]?.int {
                try? FileManager.default.setAttributes(
                    [.posixPermissions: mode], ofItemAtPath: place)
            }
            written[path] = content
        }
        return written
    }

    /// What a machine's processes have as environment.
    func environment(_ machine: Machine, _ key: MachineKey) -> [String: String] {
        var environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ]
        for (name, value) in machine.config["env"]?.object ?? [:] {
            environment[name] = value.string
        }
        if let home = environment["HOME"], let place = place(of: home, in: machine) {
            makeDirectory(place)
            environment["HOME"] = place
        }
        environment["FLY_APP_NAME"] = key.app
        environment["FLY_MACHINE_ID"] = machine.id
        environment["FLY_MACHINE_VERSION"] = machine.version
        environment["FLY_REGION"] = machine.region
        return environment
    }

    /// Where a path below a mount is on this computer.
    func place(of path: String, in machine: Machine) -> String? {
        for mount in machine.config["mounts"]?.array ?? [] {
            guard let volume = mount["volume"]?.string, var mounted = mount["path"]?.string else {
                continue
            }
            while mounted.hasSuffix("/") { mounted.removeLast() }
            if path == mounted { return directory(ofVolume: volume) }
            if path.hasPrefix(mounted + "/") {
                return directory(ofVolume: volume) + path.dropFirst(mounted.count)
            }
        }
        return nil
    }
}

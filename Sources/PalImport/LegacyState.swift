internal import FoundationEssentials
internal import PalModel

/// State files of the tool that came before pal: `vscode-instances/vscode-<name>-<id>.json`, and
/// the environment that it read.
public enum LegacyState {
    /// The spec of one file.
    ///
    /// - Parameters:
    ///   - path: The file's path, for messages.
    ///   - environment: `DEFAULT_PASSWORD`, `DEFAULT_EXTENSIONS`, `DEFAULT_CPU_LIMIT` and
    ///     `DEFAULT_MEMORY_LIMIT` fill in what the file does not say; `DOCKER_SOCKET` is remarked
    ///     on, since it belongs into pal.yaml.
    /// - Throws: Where the file is no such state file.
    public static func spec(
        from bytes: [UInt8], path: String, environment: [String: String]
    ) throws(ImportFailure) -> Imported {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)),
            case .map(let entries) = value
        else { throw ImportFailure("\(path): it is no JSON object") }
        guard let given = text(entries["instance_name"]) ?? text(entries["name"]),
            let name = DNSLabel.nearest(to: given)
        else { throw ImportFailure("\(path): it has no name; is it a state file?") }
        var reading = Reading(
            path: path, environment: environment, entries: entries,
            spec: ImportedSpec(InstanceConfig(name: name)))
        if name != given { reading.remark("'\(given)' is named '\(name)'") }
        reading.readAll()
        var imported = Imported()
        imported.specs = [reading.spec]
        imported.remarks = reading.remarks
        return imported
    }

    fileprivate static func text(_ value: Value?) -> String? {
        switch value {
        case .string(let text)?: text.isEmpty ? nil : text
        case .int(let number)?: String(number)
        case .double(let number)?: String(number)
        default: nil
        }
    }

    private struct Reading {
        let path: String
        let environment: [String: String]
        let entries: [String: Value]
        var spec: ImportedSpec
        var remarks: [Diagnostic] = []

        mutating func remark(_ what: String) {
            remarks.append(
                Diagnostic(
                    SourceLocation(file: path, line: 1, column: 1), what,
                    instance: spec.config.name))
        }

        private static let known: Set = [
            "id", "name", "instance_name", "workspace_path", "port", "extensions", "cpu_limit",
            "memory_limit", "environment", "created_at", "password",
        ]

        mutating func readAll() {
            readWorkspace()
            readPort()
            readLimits()
            readExtensions()
            readVariables()
            readPassword()
            var notes: [String: Value] = [:]
            if let id = text(entries["id"]) { notes["legacyId"] = .string(id) }
            if let date = text(entries["created_at"]) { notes["createdAt"] = .string(date) }
            if !notes.isEmpty { spec.config.metadata = notes }
            for key in entries.keys.sorted() where !Self.known.contains(key) {
                remark("\(key): not carried over")
            }
            remark(
                "a container that still stands is not taken over by this spec: 'pal import docker' "
                    + "makes one that adopts it")
            if let socket = environment["DOCKER_SOCKET"], socket != "/var/run/docker.sock" {
                remark(
                    "DOCKER_SOCKET: set specific.socketPath: \(socket) of provider docker in "
                        + "pal.yaml")
            }
        }

        private mutating func readWorkspace() {
            guard let workspace = text(entries["workspace_path"]) else { return }
            guard workspace.hasPrefix("/") else {
                return remark("workspace_path '\(workspace)' is not absolute; not carried over")
            }
            spec.config.workspacePath = workspace
        }

        private mutating func readPort() {
            guard let value = entries["port"], value != .null else { return }
            guard let port = text(value).flatMap({ Int($0) }), (1...65535).contains(port) else {
                return remark("port \(value.canonicalJSON) is no port; any free one is taken")
            }
            spec.config.network.ports = [PortMapping(internal: 8080, external: port)]
        }

        private mutating func readLimits() {
            if let cpu = text(entries["cpu_limit"]) ?? environment["DEFAULT_CPU_LIMIT"] {
                if let cores = Sizes.cores(cpu) {
                    spec.config.resources.cpuCores = cores
                } else {
                    remark("cpu_limit '\(cpu)' is no number of cores; not carried over")
                }
            }
            if let memory = text(entries["memory_limit"]) ?? environment["DEFAULT_MEMORY_LIMIT"] {
                if let size = Sizes.mebibytes(memory) {
                    spec.config.resources.memoryMax = size
                } else {
                    remark("memory_limit '\(memory)' is no size; not carried over")
                }
            }
        }

        private mutating func readExtensions() {
            var names: [String] = []
            if case .list(let items)? = entries["extensions"] {
                names = items.compactMap { text($0) }
                if names.count < items.count {
                    remark("extensions: what is no text among them is not carried over")
                }
            } else if let value = entries["extensions"], value != .null {
                remark("extensions: no list; not carried over")
            }
            if names.isEmpty, let usual = environment["DEFAULT_EXTENSIONS"] {
                names = usual.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
            }
            if !names.isEmpty { spec.config.extensions = names }
        }

        private mutating func readVariables() {
            guard case .map(let variables)? = entries["environment"] else {
                if let value = entries["environment"], value != .null {
                    remark("environment: no map; not carried over")
                }
                return
            }
            for (variable, value) in variables.sorted(by: { $0.key < $1.key }) {
                guard let value = Self.variable(value) else {
                    remark("\(variable) of environment is no text; not carried over")
                    continue
                }
                spec.take(variable, value)
                if spec.hidden[variable] != nil {
                    remark("\(variable) looks like a secret: it goes into a file")
                }
            }
        }

        /// As JavaScript hands it to a process. An empty text is one.
        private static func variable(_ value: Value) -> String? {
            switch value {
            case .string(let text): text
            case .bool(let flag): String(flag)
            default: text(value)
            }
        }

        private mutating func readPassword() {
            if let password = text(entries["password"]) {
                spec.hidden["PASSWORD"] = password
                remark("the password goes into a file, not into the spec")
            } else if environment["DEFAULT_PASSWORD"] != nil, spec.hidden["PASSWORD"] == nil,
                let reference = SecretReference(.map(["fromEnv": .string("DEFAULT_PASSWORD")]))
            {
                spec.config.secrets = ["PASSWORD": reference]
                remark("the password is DEFAULT_PASSWORD of the controller's environment")
            }
        }
    }
}

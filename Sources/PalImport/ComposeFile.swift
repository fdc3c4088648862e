internal import PalModel
internal import PalSpecs

/// A Compose file on its way to specs.
///
/// One spec for each service. What a spec cannot say is a remark with its line; nothing is left out
/// silently. Nothing is read but what `read` gives, and nothing is changed.
public struct ComposeFile {
    /// The file's path, for messages.
    public var path: String
    /// The directory that relative paths are relative to.
    public var directory: String
    /// The name of the project, which is in the names of volumes; nil for Compose's own choice:
    /// `COMPOSE_PROJECT_NAME`, the file's `name`, or the directory's name.
    public var project: String?
    /// The shell's variables.
    public var environment: [String: String]
    /// Reads another file by its absolute path; nil where it cannot be read.
    public var read: (String) -> String?

    /// Makes one of its parts.
    ///
    /// Nothing is read yet.
    public init(
        path: String, directory: String, project: String? = nil,
        environment: [String: String] = [:], read: @escaping (String) -> String?
    ) {
        self.path = path
        self.directory = directory
        self.project = project
        self.environment = environment
        self.read = read
    }

    /// The specs of the services.
    ///
    /// - Parameter names: Only these services; all where it is empty.
    /// - Throws: Where the file is no Compose file, or has no such service.
    public func specs(
        from bytes: [UInt8], only names: [String] = []
    ) throws(ImportFailure) -> Imported {
        let root = try root(bytes)
        guard let services = root["services"]?.mapping else {
            throw ImportFailure("\(path): it has no services; is it a Compose file?")
        }
        let known = services.map(\.key.text)
        for name in names where !known.contains(name) {
            let hint =
                Suggestion.nearest(to: name, among: known).map { "; did you mean '\($0)'?" }
                ?? "; there are: \(known.joined(separator: ", "))"
            throw ImportFailure("\(path): no service is named '\(name)'\(hint)")
        }
        var imported = Imported()
        let dotEnv = dotEnv
        var scope = ComposeScope(self, root, interpolation: interpolation(dotEnv))
        for problem in dotEnv?.problems ?? [] {
            scope.remarks.append(
                Diagnostic(SourceLocation(file: "\(directory)/.env", line: 1, column: 1), problem))
        }
        let wanted = services.filter { names.isEmpty || names.contains($0.key.text) }
        scope.name(wanted)
        for service in wanted where scope.names[service.key.text] != nil {
            var reader = ComposeService(scope, service)
            reader.readAll()
            imported.specs.append(reader.spec)
            scope.remarks += reader.remarks
        }
        scope.remarkOnTheRest()
        imported.remarks = scope.remarks.sorted()
        return imported
    }

    private func root(_ bytes: [UInt8]) throws(ImportFailure) -> Node {
        do {
            let documents = try SpecText.documents(in: bytes, file: path)
            guard let root = documents.first, root.mapping != nil else {
                throw ImportFailure("\(path): it is empty, or not a map; is it a Compose file?")
            }
            return root
        } catch let failure as ImportFailure {
            throw failure
        } catch let unparsable as Unparsable {
            throw ImportFailure(
                unparsable.diagnostics.map(\.description).joined(separator: "\n"))
        } catch {
            throw ImportFailure("\(path): \(error)")
        }
    }

    /// The variables of the file beside it, under those of the shell.
    private var dotEnv: EnvFile? {
        read("\(directory)/.env").map { EnvFile($0, shell: environment) }
    }

    private func interpolation(_ dotEnv: EnvFile?) -> Interpolation {
        let own = (dotEnv?.variables ?? []).map { ($0.name, $0.value) }
        let variables = Dictionary(own, uniquingKeysWith: { $1 })
        return Interpolation(variables: variables.merging(environment) { $1 })
    }
}

/// What the services of one file share.
struct ComposeScope {
    let file: ComposeFile
    let root: Node
    let interpolation: Interpolation
    /// The instance's name of each service that comes along.
    var names: [String: String] = [:]
    var remarks: [Diagnostic] = []

    init(_ file: ComposeFile, _ root: Node, interpolation: Interpolation) {
        self.file = file
        self.root = root
        self.interpolation = interpolation
    }

    /// Gives each service a name that an instance can have.
    mutating func name(_ services: [Node.Pair]) {
        for service in services {
            let (key, place) = (service.key.text, service.key.location(in: file.path))
            guard let name = DNSLabel.nearest(to: key) else {
                remarks.append(Diagnostic(place, "'\(key)' makes no name; left out"))
                continue
            }
            guard !names.values.contains(name) else {
                remarks.append(
                    Diagnostic(place, "'\(key)' and another service would be '\(name)'; left out"))
                continue
            }
            if name != key {
                remarks.append(Diagnostic(place, "'\(key)' is named '\(name)'", instance: name))
            }
            names[key] = name
        }
    }

    /// What stands beside the services and says something that no spec does.
    mutating func remarkOnTheRest() {
        for volume in root["volumes"]?.mapping ?? [] {
            for entry in volume.value.mapping ?? []
            where !["name", "external"].contains(entry.key.text) {
                remarks.append(
                    Diagnostic(
                        entry.key.location(in: file.path),
                        "volumes.\(volume.key.text).\(entry.key.text): not carried over; a volume "
                            + "that is there is used as it is"))
            }
        }
        for network in root["networks"]?.mapping ?? []
        where externalNetwork(network.key.text) == nil {
            remarks.append(
                Diagnostic(
                    network.key.location(in: file.path),
                    "networks.\(network.key.text): not carried over; the instances of a swarm "
                        + "share one network of its own"))
        }
        let known: Set = ["services", "version", "name", "volumes", "secrets", "networks"]
        for pair in root.mapping ?? []
        where !known.contains(pair.key.text) && !pair.key.text.hasPrefix("x-") {
            remarks.append(
                Diagnostic(
                    pair.key.location(in: file.path),
                    "\(pair.key.text): not carried over\(Self.advice[pair.key.text] ?? "")"))
        }
    }

    private static let advice = [
        "configs": ": put the file into the image, or mount it with specific.mounts",
        "include": ": import the other files too",
    ]

    /// The name that the Engine knows a network by which is not the project's own; nil for others.
    func externalNetwork(_ name: String) -> String? {
        externalName(of: name, root["networks"]?[name])
    }

    /// The name that the Engine knows a volume by.
    func volume(_ name: String) -> String {
        let entry = root["volumes"]?[name]
        return externalName(of: name, entry) ?? entry?["name"]?.scalar.map { written($0.text) }
            ?? "\(project)_\(name)"
    }

    /// What something is called outside that is not the project's own: the name beside `external`,
    /// or inside of it, as files of version 2 have it, or its own. Nil where it is the project's.
    private func externalName(of name: String, _ entry: Node?) -> String? {
        guard let entry, let external = entry["external"], external.scalar?.kind != .bool(false)
        else { return nil }
        let own = entry["name"]?.scalar?.text ?? external["name"]?.scalar?.text
        return own.map(written) ?? name
    }

    /// A text with its variables put in.
    private func written(_ text: String) -> String { interpolation.apply(text).text }

    /// What Compose puts before the names of the project's volumes.
    private var project: String {
        let folder = file.directory.split(separator: "/").last.map(String.init) ?? "default"
        let own = root["name"]?.scalar.map { written($0.text) }
        let candidates = [
            file.project, interpolation.variables["COMPOSE_PROJECT_NAME"], own, folder,
        ]
        let names = candidates.compactMap(\.self).map { name in
            name.lowercased().filter {
                $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-")
            }.drop { $0 == "_" || $0 == "-" }
        }
        return names.first { !$0.isEmpty }.map(String.init) ?? "default"
    }

    /// A path as Compose takes it, as an absolute one.
    func absolute(_ path: String) -> String {
        if path.hasPrefix("~") {
            return (interpolation.variables["HOME"] ?? "") + path.dropFirst()
        }
        let joined = path.hasPrefix("/") ? path : "\(file.directory)/\(path)"
        var parts: [Substring] = []
        for part in joined.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

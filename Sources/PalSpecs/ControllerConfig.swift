public import PalModel

/// The controller's configuration: `pal.yaml`.
public struct ControllerConfig: Sendable, Hashable {
    /// One entry of `providers`.
    public struct ProviderEntry: Sendable, Hashable {
        /// The provider's type, such as `docker`.
        public var type: String
        /// The name that specs use; the type where the file gives none.
        public var name: String
        /// The region; nil for the provider's own.
        public var region: String?
        /// The provider's own settings.
        public var specific: [String: Value]

        /// Makes one of its parts.
        public init(
            type: String, name: String, region: String? = nil, specific: [String: Value] = [:]
        ) {
            self.type = type
            self.name = name
            self.region = region
            self.specific = specific
        }
    }

    /// The ownership name; nil for one made from the specs directory.
    public var swarm: String?
    /// The specs directory, relative to the file's own directory.
    public var specs: String?
    /// The state directory.
    public var state: String?
    /// The configured providers; nil for docker and process.
    public var providers: [ProviderEntry]?
    /// `prune.count`: so many deletions at once are let through; nil for 5.
    public var pruneCount: Int?
    /// `prune.percent`: so many percent at once are let through, 0 to 100; nil for 25.
    public var prunePercent: Int?
    /// How often everything is listed though nothing was heard; nil for 60 s.
    public var resync: TimeSpan?
    /// Instances that are worked on at once, 1 to 1000; nil for 64.
    public var maximumParallel: Int?

    /// An empty file's: everything is left to the defaults.
    public init() {}

    private static let providerShape = Shape.object([
        .init("type", .text(.dnsLabel), required: true, "The provider's type."),
        .init("name", .text(.dnsLabel), "The name that specs use; the type where none is given."),
        .init("region", .text(.nonEmpty), "The region."),
        .init("specific", .map(key: .nonEmpty, .anything), "The provider's own settings."),
    ])

    /// The keys of the file.
    public static let shape = Shape.object([
        .init("swarm", .text(.dnsLabel), "The ownership name of everything that is made."),
        .init("specs", .text(.nonEmpty), "The specs directory."),
        .init("state", .text(.nonEmpty), "The state directory."),
        .init("providers", .list(providerShape), "The providers; docker and process without it."),
        .init(
            "prune",
            .object([
                .init(
                    "count", .integer(0...1_000_000), "So many deletions at once are let through."),
                .init("percent", .integer(0...100), "So many percent at once are let through."),
            ]), "The prune budget: both must be exceeded before deletions wait for 'pal approve'."),
        .init("resync", .span, "How often everything is listed though nothing was heard; 60s."),
        .init("parallel", .integer(1...1000), "Instances that are worked on at once; 64."),
    ])

    /// Reads the file's bytes.
    /// - Throws: Every problem with its place.
    public init(bytes: [UInt8], file: String) throws(Unparsable) {
        let documents = try SpecText.documents(in: bytes, file: file)
        guard let node = documents.first else { return }
        guard documents.count == 1 else {
            throw Unparsable(
                documents[1].location(in: file), "one document is expected, not several")
        }
        let value = node.value
        let problems = Self.shape.problems(of: value)
        guard problems.isEmpty else {
            throw Unparsable(
                problems.map {
                    Diagnostic(
                        node.location(of: $0.path, isKey: $0.isAboutKey, in: file), $0.message)
                })
        }
        read(value)
        try checkNames(node, file)
    }

    private mutating func read(_ value: Value) {
        swarm = value["swarm"].flatMap { String($0) }
        specs = value["specs"].flatMap { String($0) }
        state = value["state"].flatMap { String($0) }
        pruneCount = value["prune.count"].flatMap { Int($0) }
        prunePercent = value["prune.percent"].flatMap { Int($0) }
        resync = value["resync"].flatMap { TimeSpan($0) }
        maximumParallel = value["parallel"].flatMap { Int($0) }
        guard case .list(let entries) = value["providers"] else { return }
        providers = entries.map { entry in
            let type = entry["type"].flatMap { String($0) } ?? ""
            var specific: [String: Value] = [:]
            if case .map(let settings) = entry["specific"] { specific = settings }
            return ProviderEntry(
                type: type, name: entry["name"].flatMap { String($0) } ?? type,
                region: entry["region"].flatMap { String($0) }, specific: specific)
        }
    }

    private func checkNames(_ node: Node, _ file: String) throws(Unparsable) {
        var seen: Set<String> = []
        for (index, entry) in (providers ?? []).enumerated() where !seen.insert(entry.name).inserted
        {
            throw Unparsable(
                node.location(of: [.key("providers"), .index(index)], isKey: false, in: file),
                "two providers are named '\(entry.name)'; give one another name")
        }
    }
}

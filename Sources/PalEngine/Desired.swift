public import PalModel

/// What the specs declare, as one complete reading of the directory.
public struct Desired: Sendable {
    /// The directory's real path: what "declared from here" means in the ledger.
    public var specsPath: String
    /// Whether the directory could be read.
    public var source: SourceState
    /// Every good declaration by name, the last good one where the file has since been broken.
    public var declarations: Declarations
    /// The specs with `replicas`, by the name in the file, and how many each asks for.
    public var groups: [String: Int] = [:]
    /// Names that nothing is done to, with the reasons: declared twice, or only in a broken form.
    public var frozen: [String: [Diagnostic]]
    /// Every problem in the files, sorted.
    public var problems: [Diagnostic]
    /// Why nothing may be pruned now; nil where the reading is whole.
    public var pruneBlock: String?
    /// Counts the source's readings; 0 where it does not count.
    public var reading = 0
    /// Every name of which this reading may say something else than the source's reading before
    /// it; nil where all must be compared.
    public var changed: Set<String>?

    /// Makes one of its parts.
    public init(
        specsPath: String, source: SourceState = .available,
        declarations: Declarations = [:], frozen: [String: [Diagnostic]] = [:],
        problems: [Diagnostic] = [], pruneBlock: String? = nil
    ) {
        self.specsPath = specsPath
        self.source = source
        self.declarations = declarations
        self.frozen = frozen
        self.problems = problems
        self.pruneBlock = pruneBlock
    }
}

/// Whether the specs directory is there.
public enum SourceState: Sendable, Hashable, Codable {
    case available
    /// Missing, not a directory, not readable: the sentence says which, and what to do.
    case unavailable(String)
}

/// One instance as it is declared.
///
/// An object that never changes: files, the engine and its keys hold the same one.
public final class Declaration: Sendable, Hashable {
    /// What is declared; the last good version where `staleBecause` is set.
    public let config: Shared<InstanceConfig>
    /// Where in the specs it stands.
    public let location: SourceLocation
    /// What is wrong with the file since; then `config` is the last good version.
    public var staleBecause: Diagnostic? { stale?.value }
    private let stale: Shared<Diagnostic>?

    /// Makes one of its parts.
    public convenience init(
        config: InstanceConfig, location: SourceLocation, staleBecause: Diagnostic? = nil
    ) {
        self.init(Shared(config), location, staleBecause.map { Shared($0) })
    }

    private init(
        _ config: Shared<InstanceConfig>, _ location: SourceLocation, _ stale: Shared<Diagnostic>?
    ) {
        self.config = config
        self.location = location
        self.stale = stale
    }

    /// The same, as the last good version of something that is broken now.
    public func stale(because problem: Diagnostic) -> Declaration {
        Declaration(config, location, Shared(problem))
    }

    /// Equal where all of it is; at once where both are the same object.
    public static func == (a: Declaration, b: Declaration) -> Bool {
        a === b
            || (a.config == b.config && a.location == b.location
                && a.stale == b.stale)
    }

    /// Hashes what it says.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(config)
        hasher.combine(location)
    }
}

/// Where declarations come from. The engine needs no more of files than this.
public protocol SpecSource: Sendable {
    /// Reads everything anew, as far as it changed.
    func read() async -> Desired
    /// Calls the handler whenever something may have changed, until the task is cancelled.
    func watch(_ changed: @Sendable () async -> Void) async
}

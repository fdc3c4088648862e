import PalModel
/// Something that must never be seen in a run: it looks at every entry of the trace, and at the
/// platforms as they are at that moment.
protocol Checker {
    /// What is promised, in a few words.
    static var promise: String { get }
    /// Takes an entry in.
    /// - Returns: What was broken by it, to which name; nil where nothing was.
    mutating func see(_ entry: Entry, _ scene: Scene) -> Breach?
}

/// A promise that was broken.
struct Breach: Sendable {
    /// The instance that is concerned, or what else.
    var name: String
    /// What was seen.
    var what: String

    init(_ name: String, _ what: String) {
        self.name = name
        self.what = what
    }
}

/// What checkers see beside the trace.
struct Scene: Sendable {
    let platforms: [SimulatedPlatform]
    let swarm: String
    let lineage: Confined<Lineage>

    /// The platform that a provider's name means.
    func platform(_ name: String) -> SimulatedPlatform? {
        platforms.first { $0.kind.name == name }
    }

    /// What pal made that still stands, whatever its name.
    func objects(of name: String) -> [PlatformObject] {
        platforms.flatMap(\.objects).filter {
            $0.belongs(to: swarm) && $0.name == name
        }
    }
}

/// A broken promise with its time, for people.
public struct Finding: Sendable, CustomStringConvertible {
    /// The checker's own words for what is promised.
    public var promise: String
    /// Virtual time, in milliseconds since the run began.
    public var at: Int64
    /// The instance that is concerned, or what else.
    public var name: String
    /// What was seen.
    public var what: String

    /// One line.
    public var description: String {
        "\(promise): at \(at) ms, \(name): \(what)"
    }
}

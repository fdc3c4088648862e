public import PalModel

/// An object that somebody else made, and that a spec's `adopt` hands over to pal.
///
/// It carries no marks of pal's, and platforms do not let anybody add them: so it is told to the
/// provider with each list, and counts as marked. What carries the marks of any swarm is not
/// adopted.
public struct Adoption: Sendable, Hashable {
    /// The platform's id of the object, or another name of it that the platform understands.
    public var object: String
    /// pal's id of the instance that it counts as.
    public var id: String
    /// The hash that it counts as bearing.
    public var specHash: SpecHash
    /// What is declared of it: the platform does not know where its editor is.
    public var config: InstanceConfig

    /// What was made before pal is older than any generation of pal's.
    public static let generation = 0

    /// Makes one of its parts.
    public init(object: String, id: String, specHash: SpecHash, config: InstanceConfig) {
        self.object = object
        self.id = id
        self.specHash = specHash
        self.config = config
    }

    /// The marks that the object counts as bearing, in a provider's own swarm.
    public func ownership(in swarm: String) -> Ownership {
        Ownership(
            swarm: swarm, name: config.name, id: id, generation: Self.generation,
            specHash: specHash)
    }
}

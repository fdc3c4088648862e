internal import PalModel
internal import PalProvider

/// What a plan rests on: the specs, and what the providers have.
///
/// A plan that somebody looked at is carried out only while both are the same. What changes by
/// itself, such as what an instance uses, is in neither.
public struct PlanDigest: Sendable, Hashable, Codable {
    /// Of everything that is declared.
    public var specs: String
    /// Of every object of the swarm.
    public var observed: String

    init(_ world: World) {
        var specs = Digest()
        var observed = Digest()
        for (name, key) in world.keys.sorted(by: { $0.key < $1.key }) {
            if let declaration = key.declaration {
                specs.add(name)
                specs.add(declaration.config.value)
            }
            for problem in key.frozen { specs.add(problem.description) }
            for object in key.observed {
                let compared = world.providers[object.provider]?.capabilities.comparedFields
                Self.add(object, compared ?? [], to: &observed)
            }
        }
        self.specs = specs.text
        self.observed = observed.text
    }

    private static func add(_ object: Observed, _ compared: FieldSet, to digest: inout Digest) {
        let instance = object.instance.value
        digest.add(object.provider)
        digest.add(instance.providerInstanceId)
        digest.add(instance.ownership.name)
        digest.add(String(instance.ownership.generation))
        digest.add(instance.ownership.specHash.text)
        digest.add(instance.status.rawValue)
        digest.add(instance.config, compared)
    }

    /// What moved since; nil where nothing did.
    func movedSince(_ now: PlanDigest) -> String? {
        switch (specs == now.specs, observed == now.observed) {
        case (true, true): nil
        case (false, true): "the specs"
        case (true, false): "the instances"
        case (false, false): "the specs and the instances"
        }
    }
}

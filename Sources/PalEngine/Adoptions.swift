internal import FoundationEssentials
public import PalModel
public import PalProvider

/// An object of somebody else's that pal was told to take over.
public struct AdoptedObject: Sendable, Hashable, Codable {
    /// What the spec calls it.
    public var declared: String
    /// The platform's id of it.
    public var providerInstanceId: String
    /// The provider that has it.
    public var provider: String
    /// The hash of what was declared when it was taken over.
    public var specHash: SpecHash
    /// Whether an object of pal's own has taken its place.
    public var isOver = false
}

extension InstanceRecord {
    /// The adoption that a list must be told of so that the object is in it; nil where there is
    /// none any more.
    ///
    /// - Parameter config: What is declared of the instance; nil where it is not any more.
    public func standingAdoption(_ config: InstanceConfig?) -> Adoption? {
        guard let adopted, !adopted.isOver else { return nil }
        return Adoption(
            object: adopted.providerInstanceId, id: id, specHash: adopted.specHash,
            config: config ?? applied?.value ?? InstanceConfig(name: name))
    }
}

extension World {
    /// The objects of others that a list of a provider must hold too: first those that have been
    /// taken over, then those that are to be. Of two that turn out to mean one object, the provider
    /// takes the first; so every list is told of all.
    func adoptions(at provider: String) -> [Adoption] {
        guard !index.adopting.isEmpty,
            providers[provider]?.capabilities.features.contains(.adoption) == true
        else { return [] }
        let adopting = index.adopting.sorted().compactMap { keys[$0] }
        let standing = adopting.filter { $0.record?.adopted?.isOver == false }
        let new = adopting.filter { $0.record?.adopted?.isOver != false }
        return (standing + new).compactMap { adoption(of: $0, at: provider) }
    }

    private func adoption(of key: Key, at provider: String) -> Adoption? {
        let config = key.declaration?.config.value
        if let record = key.record, let adopted = record.adopted {
            if !adopted.isOver {
                return adopted.provider == provider ? record.value.standingAdoption(config) : nil
            }
            guard config?.adopt != adopted.declared else { return nil }
        }
        guard let config, let object = config.adopt, key.home == provider,
            let state = providers[provider],
            let hash = key.wantedHash(at: state)
        else { return nil }
        var digest = Digest()
        digest.add(object)
        digest.add(config.name)
        // Without a record the id must be the same at the next look too.
        let id = key.record?.id ?? config.id ?? String(digest.text.prefix(16))
        return Adoption(object: object, id: id, specHash: hash, config: config)
    }
}

extension InstanceRecord {
    /// Takes note of an adopted object that was seen, and of one that was followed by pal's own.
    mutating func noteAdoption(_ objects: [Shared<VSCodeInstance>], declared: String?) {
        if let object = objects.first(where: { $0.value.isAdopted == true })?.value {
            // Beside an object of pal's own nothing is taken over; the planner says so.
            guard adopted?.providerInstanceId != object.providerInstanceId, objects.count == 1
            else { return }
            adopted = AdoptedObject(
                declared: declared ?? object.providerInstanceId,
                providerInstanceId: object.providerInstanceId, provider: object.providerName,
                specHash: object.ownership.specHash)
        } else if !objects.isEmpty, adopted != nil {
            adopted?.isOver = true
        }
    }
}

extension Planner {
    /// A spec that takes something over makes nothing: what it names must be there once.
    static func nothingToAdopt(_ input: PlanInput, _ config: InstanceConfig) -> InstancePlan? {
        guard let object = config.adopt, input.record?.adopted?.declared != object else {
            return nil
        }
        return blocked(
            input, "NothingToAdopt",
            "\(place(input))adopt: '\(input.provider)' has no '\(object)' that could be taken "
                + "over: it is not there, another spec has it, or it belongs to a swarm; correct "
                + "it, or remove it to make a new instance")
    }

    /// What pal has made already takes nothing over.
    static func adoptsBesideItsOwn(_ input: PlanInput, _ config: InstanceConfig) -> InstancePlan? {
        guard let object = input.observed.first(where: { $0.value.isAdopted == true })?.value,
            input.record?.adopted?.providerInstanceId != object.providerInstanceId
        else { return nil }
        let all = input.observed + input.elsewhere.map(\.instance)
        guard let own = all.first(where: { $0.value.isAdopted != true })?.value else { return nil }
        return blocked(
            input, "AdoptsBesideItsOwn",
            "\(place(input))adopt: '\(input.name)' stands already as "
                + "\(own.providerInstanceId.prefix(12)) at '\(own.providerName)', so nothing else "
                + "can be taken over under "
                + "this name; remove adopt, or give the other one a spec of its own")
    }
}

import PalEditors
import PalModel
import PalProvider

/// Containers that somebody else made: their labels cannot be changed, so the marks that they count
/// as bearing are put on what was read of them.
extension DockerProvider {
    /// The containers that a list was told to adopt, as far as they stand and are nobody's.
    ///
    /// One inspection each, every time: the event stream tells of the swarm's own containers only.
    func adopted(_ filter: InstanceFilter) async throws(ProviderFailure) -> [VSCodeInstance] {
        let results = await bounded(filter.adopting, atOnce: Self.inspections) { adoption in
            await Result<VSCodeInstance?, ProviderFailure>.catching {
                () throws(ProviderFailure) in
                try await adopted(adoption)
            }
        }
        var instances: [VSCodeInstance] = []
        // A container has a name, an id, and short forms of that.
        var taken: Set<String> = []
        for result in results {
            guard let instance = try result.get(),
                taken.insert(instance.providerInstanceId).inserted, filter.takes(instance.name)
            else { continue }
            instances.append(instance)
        }
        return instances
    }

    private func adopted(_ adoption: Adoption) async throws(ProviderFailure) -> VSCodeInstance? {
        guard let found = try await inspectAny(adoption.object),
            var detail = marked(found, adoption.ownership(in: settings.swarm))
        else { return nil }
        let profile = EditorProfile(for: adoption.config)
        detail.config.labels?[DockerLabel.editorPort] = profile.port.map { String($0) }
        detail.config.labels?[DockerLabel.probePath] = profile.readinessPath
        let facts = try await imageFacts([detail])
        return instance(detail, await readiness(of: detail, timeout: .seconds(1)), facts)
    }

    /// A container with marks that it does not carry; nil where it carries a swarm's, or the marks
    /// are not of this swarm.
    func marked(_ detail: ContainerDetail, _ ownership: Ownership) -> ContainerDetail? {
        guard detail.config.labels?[DockerLabel.swarm] == nil, ownership.swarm == settings.swarm
        else { return nil }
        var detail = detail
        detail.isAdopted = true
        detail.config.labels = (detail.config.labels ?? [:]).merging(ownership.labels) { $1 }
        return detail
    }
}

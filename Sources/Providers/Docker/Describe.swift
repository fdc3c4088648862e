import PalModel
public import PalProvider

extension DockerProvider: DescribingProvider {
    /// A list of the networks, and two calls for each container: itself, and its image, whose own
    /// settings are no settings of the container's.
    public func describeForeign() async throws(ProviderFailure) -> [ForeignInstance] {
        let answer = try await engine.send(
            EngineCall("GET", "/containers/json", query: [("all", "1")]))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the containers", changesSomething: false)
        }
        let ids = try answer.decoded(as: [ContainerSummary].self).filter {
            $0.labels?[DockerLabel.swarm] == nil
        }.map(\.id)
        let networks = try await networkNames()
        let defaults = EngineDefaults(try await raw("/info") ?? .null, isPodman: engine.isPodman)
        let results = await bounded(ids, atOnce: Self.inspections) { id in
            await Result<ForeignInstance?, ProviderFailure>.catching { () throws(ProviderFailure) in
                try await describe(id, defaults, networks)
            }
        }
        var found: [ForeignInstance] = []
        for result in results {
            if let one = try result.get() { found.append(one) }
        }
        return found.sorted { ($0.name, $0.providerInstanceId) < ($1.name, $1.providerInstanceId) }
    }

    private func describe(
        _ id: String, _ defaults: EngineDefaults, _ networks: [String: String]
    ) async throws(ProviderFailure) -> ForeignInstance? {
        guard let container = try await raw("/containers/\(id)/json") else { return nil }
        let image = container.text("Image").map { "/images/\($0.encodedPath)/json" }
        var usual: Value?
        if let image { usual = try await raw(image) }
        return ForeignContainer(
            container: container, image: usual ?? .null, defaults: defaults,
            policy: settings.policy, networkNames: networks
        ).instance
    }

    /// By their ids.
    private func networkNames() async throws(ProviderFailure) -> [String: String] {
        let answer = try await look(at: "/networks")
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the networks", changesSomething: false)
        }
        let pairs = try answer.decoded(as: [NetworkSummary].self).map { ($0.id, $0.name) }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private func raw(_ path: String) async throws(ProviderFailure) -> Value? {
        let answer = try await look(at: path)
        if answer.status == 404 { return nil }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "inspect \(path)", changesSomething: false)
        }
        return try answer.decoded(as: Value.self)
    }
}

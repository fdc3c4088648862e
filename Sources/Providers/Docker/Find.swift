import PalModel
import PalProvider

extension DockerProvider {
    /// The containers that carry the swarm's label and these.
    func summaries(labels: [String: String]) async throws(ProviderFailure) -> [ContainerSummary] {
        try await list(labels: labels).decoded(as: [ContainerSummary].self)
    }

    /// The Engine's answer with the containers that carry the swarm's label and these.
    func list(labels: [String: String]) async throws(ProviderFailure) -> EngineAnswer {
        var wanted = ["\(DockerLabel.swarm)=\(settings.swarm)"]
        wanted += labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let answer = try await engine.send(
            EngineCall(
                "GET", "/containers/json",
                query: [("all", "1"), EngineCall.filters(["label": wanted])]))
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "list the containers", changesSomething: false)
        }
        return answer
    }

    /// One container by its id, or nil. A name is not taken for an id.
    ///
    /// - Parameter mark: What the list showed, so that the answer may be kept for the next list.
    func inspect(
        _ id: String, mark: String? = nil
    ) async throws(ProviderFailure) -> ContainerDetail? {
        let ticket = cache.ticket()
        guard let detail = try await inspectAny(id), detail.id == id else { return nil }
        // Podman's lists say nothing of checks.
        let expected = engine.isPodman && detail.hasCheck ? nil : detail.expectedMark
        if let mark = mark ?? expected { cache.keep(detail, mark: mark, ticket) }
        return detail
    }

    /// Looks, and again where Podman fails: it does where what it looks at ends or goes meanwhile.
    func look(at path: String) async throws(ProviderFailure) -> EngineAnswer {
        let answer = try await engine.send(EngineCall("GET", path))
        guard engine.isPodman, answer.status == 500 else { return answer }
        try await pause(.milliseconds(50))
        return try await engine.send(EngineCall("GET", path))
    }

    /// One container by id or name, whoever owns it; nil where there is none.
    func inspectAny(_ idOrName: String) async throws(ProviderFailure) -> ContainerDetail? {
        let answer = try await look(at: "/containers/\(EngineCall.encoded(idOrName))/json")
        if answer.status == 404 { return nil }
        guard answer.isSuccess else {
            throw .unexpected(
                answer, doing: "inspect the container \(idOrName)", changesSomething: false)
        }
        return try answer.decoded(as: ContainerDetail.self)
    }

    /// The container that a reference means, if it is there and of this swarm.
    ///
    /// Without the platform's id it is the one that bears pal's id; of several the newest
    /// generation.
    func find(_ reference: InstanceReference) async throws(ProviderFailure) -> ContainerDetail? {
        let id: String
        if let exact = reference.providerInstanceId {
            id = exact
        } else {
            let newest = try await summaries(labels: ["pal.id": reference.id])
                .compactMap { summary in
                    Ownership(labels: summary.labels ?? [:]).map { ($0.generation, summary.id) }
                }
                .max { $0 < $1 }
            guard let newest else { return nil }
            id = newest.1
        }
        guard !id.isEmpty, let detail = try await inspect(id) else { return nil }
        if let adopted = reference.adopted { return marked(detail, adopted) }
        return detail.ownership(in: settings.swarm) != nil ? detail : nil
    }

    /// As `require`, by what is known of it where nothing has happened to it since that was
    /// learned: whether it still stands the call itself finds out. For calls that take nothing
    /// away.
    func requireKnown(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> ContainerDetail {
        if reference.adopted == nil, let id = reference.providerInstanceId,
            let known = cache.detail(id), known.ownership(in: settings.swarm) != nil
        {
            return known
        }
        return try await require(reference)
    }

    /// As `find`, for calls that need the container: what is not pal's is not touched.
    func require(_ reference: InstanceReference) async throws(ProviderFailure) -> ContainerDetail {
        if let detail = try await find(reference) { return detail }
        let what = reference.providerInstanceId.map { "container \($0)" } ?? "id \(reference.id)"
        throw .notFound(
            "swarm '\(settings.swarm)' has no instance with \(what) on '\(name)'; "
                + "it was removed, or belongs to somebody else")
    }
}

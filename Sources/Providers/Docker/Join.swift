import PalModel
import PalProvider

/// Further networks: an Engine before 25 makes a container in one at most, and takes it into the
/// others afterwards.
extension DockerProvider {
    /// Takes a container that was just made into its further networks, and takes it away again
    /// where the Engine refuses one.
    func join(_ id: String, _ request: CreateRequest) async throws(ProviderFailure) {
        for end in CreateBody.furtherEnds(request.config, isForPodman: engine.isPodman) {
            let body = ["Container": Value.string(id), "EndpointConfig": end.engineValue]
            let answer: EngineAnswer
            do throws(ProviderFailure) {
                answer = try await engine.send(
                    EngineCall(
                        "POST", "/networks/\(end.name)/connect",
                        body: .map(body.compactMapValues(\.self))))
            } catch {
                // With the answer lost it may be in it: the next start looks.
                if case .error = error { await discard(id) }
                throw error
            }
            guard !answer.isSuccess else { continue }
            await discard(id)
            throw refusal(answer, end, request.config)
        }
    }

    private func refusal(
        _ answer: EngineAnswer, _ end: NetworkEnd, _ config: InstanceConfig
    ) -> ProviderFailure {
        if EngineMessage.isAddressTaken(answer.message) {
            return addressTaken(config.name, answer.message)
        }
        if answer.status == 404 { return missingNetwork(end.name, config) }
        if [400, 403].contains(answer.status) {
            return .invalid(
                "Docker does not take '\(config.name)' into the network '\(end.name)': "
                    + "\(answer.message); correct specific.networks")
        }
        return .unexpected(
            answer, doing: "take '\(config.name)' into the network '\(end.name)'",
            changesSomething: true)
    }
}

extension ContainerDetail {
    /// The further networks that it is to be in and is not.
    var missingNetworks: [String] {
        let wanted = config.labels?[DockerLabel.networks]?.split(separator: " ") ?? []
        let there = networkSettings?.networks ?? [:]
        return wanted.map(String.init).filter { there[$0] == nil }
    }
}

import PalHTTP
import PalModel
import Synchronization

/// Remembers which runs of which containers have been seen ready: an editor that answered once is
/// not asked again before its container is started again.
final class ReadyRuns: Sendable {
    /// The start of the run that was ready, by container id.
    private let runs = Mutex<[String: String]>([:])

    func contains(_ detail: ContainerDetail) -> Bool {
        runs.withLock { $0[detail.id] == (detail.state.startedAt ?? "") }
    }

    func insert(_ detail: ContainerDetail) {
        runs.withLock { $0[detail.id] = detail.state.startedAt ?? "" }
    }

    func remove(_ id: String) {
        runs.withLock { $0[id] = nil }
    }

    /// Forgets the containers that are gone.
    func retain(_ ids: Set<String>) {
        runs.withLock { runs in runs = runs.filter { ids.contains($0.key) } }
    }
}

extension DockerProvider {
    /// Whether the editor in a container answers, and has its extensions.
    ///
    /// The Engine's own check decides where it has decided: healthy is ready, unhealthy is not.
    /// While it is starting, or where there is none, the editor is asked from outside, where its
    /// users come from. The question is asked only as long as the answer was never yes.
    ///
    /// - Parameter timeout: The longest time for asking.
    func readiness(of detail: ContainerDetail, timeout: Duration) async -> Readiness {
        let readiness = await editorReadiness(of: detail, timeout: timeout)
        return readiness.isReady ? await extensionReadiness(detail) : readiness
    }

    private func editorReadiness(
        of detail: ContainerDetail, timeout: Duration
    ) async -> Readiness {
        if detail.state.status == "restarting" {
            return .notReady(
                "it keeps ending and is restarted: \(detail.exit?.text ?? "no exit code")")
        }
        guard detail.isRunning else { return .unknown }
        switch detail.state.health?.status {
        case "healthy":
            ready.insert(detail)
            return .ready
        case "unhealthy":
            ready.remove(detail.id)
            let output = detail.lastCheckOutput.map { ": \($0)" } ?? ""
            return .notReady("its health check fails\(output)")
        default:
            if ready.contains(detail) { return .ready }
        }
        let readiness = await ask(detail, timeout: timeout)
        if readiness.isReady { ready.insert(detail) }
        return readiness
    }

    private func ask(_ detail: ContainerDetail, timeout: Duration) async -> Readiness {
        guard let path = detail.config.labels?[DockerLabel.probePath] else {
            guard detail.state.health?.status == "starting" else { return .ready }
            if engine.isPodman, await passesItsCheck(detail, timeout) { return .ready }
            return .notReady("its health check has not passed yet")
        }
        guard let editor = detail.editorPort,
            let port = detail.ports.first(where: { $0.inside == PortKey(editor) }),
            let outside = port.outside
        else { return .notReady("its editor's port is not published") }
        let url = "http://\(port.host(settings)):\(outside)\(path)"
        switch await engine.http.probe(url: url, timeout: timeout) {
        case .success(200): return .ready
        case .success(let status): return .notReady("\(url) answers with status \(status)")
        case .failure: return .notReady("\(url) does not answer yet")
        }
    }

    /// Has Podman run a container's own check, which it does by itself only where there is systemd.
    private func passesItsCheck(_ detail: ContainerDetail, _ timeout: Duration) async -> Bool {
        let call = EngineCall(
            "GET", "/libpod/containers/\(detail.id)/healthcheck", timeout: timeout)
        let answer = try? await engine.send(call)
        let result = try? answer?.decoded(as: ContainerDetail.Health.self)
        return answer?.isSuccess == true && result?.status == "healthy"
    }
}

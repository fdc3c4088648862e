public import PalModel
public import PalProvider

/// How an attempt to start a container ended, where the Engine answered.
enum StartOutcome: Sendable {
    case started
    /// A port on the host is in use; which one, where the Engine says.
    case portTaken(Int?)
    /// A network that it belongs to is gone: its name or id, as the Engine says it.
    case networkMissing(String)
    case failed(ProviderFailure)
}

extension DockerProvider {
    /// Starts it; one that is paused goes on.
    /// - Throws: An instance error `PortTaken` where a port was taken while it was down.
    public func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        let detail = try await require(reference)
        if detail.state.status == "paused" { return try await unpause(detail) }
        try await discardUnfinished(detail)
        switch try await start(detail.id, named: detail.plainName) {
        case .started: return
        case .portTaken(let port):
            let which = port.map { "port \($0)" } ?? "a port"
            throw .instance(
                .portTaken,
                "\(detail.plainName) cannot start: \(which) on the host is in use by something "
                    + "else; end that, or delete the instance so that pal makes it anew",
                isRetryable: true)
        case .networkMissing(let network):
            throw .instance(
                .wrongState,
                "\(detail.plainName) cannot start: its Docker network '\(network)' was removed; "
                    + "delete the instance so that pal makes it anew (its volume is kept)",
                isRetryable: false)
        case .failed(let failure): throw failure
        }
    }

    /// SIGTERM, and SIGKILL after 10 s, or what its spec says in their place; `force` kills at
    /// once. The Engine's own stop, so that the restart policy leaves it down.
    public func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) {
        let detail = try await requireKnown(reference)
        try refuseItself(detail.id)
        if detail.state.status == "paused" { try await unpause(detail) }
        if engine.isPodman { return try await stopAtPodman(detail, force: force) }
        if force {
            let answer = try await act("POST", detail.id, "/kill", timeout: .seconds(60))
            cache.forget(detail.id)
            if answer.isSuccess { return }
            // 409: it does not run. A stop also ends the waiting for the next restart.
            if answer.status != 409 { try throwUnlessGone(answer, "kill", detail) }
        }
        try await stop(detail, force: force)
    }

    private func stop(_ detail: ContainerDetail, force: Bool) async throws(ProviderFailure) {
        let seconds = force ? 0 : grace(of: detail)
        let answer = try await act(
            "POST", detail.id, "/stop", query: [("t", String(seconds))],
            timeout: .seconds(seconds + 80))
        cache.forget(detail.id)
        if answer.isSuccess || answer.status == 304 { return }
        try throwUnlessGone(answer, "stop", detail)
    }

    /// How long it may take to end, in seconds. Podman says 0 where nothing was said, and means it
    /// where it is not told. An hour is as good as for ever.
    private func grace(of detail: ContainerDetail) -> Int {
        let said = detail.config.stopTimeout
        if said == nil || engine.isPodman && said == 0 { return 10 }
        return said.map { (0...3600).contains($0) ? $0 : 3600 } ?? 10
    }

    /// Podman restarts whatever was not stopped while it ran, also what was killed, and what ended
    /// by itself while it was being stopped. So what it restarts is stopped until it stays down for
    /// a second. What ends all the time runs for some milliseconds each time, and one of many stops
    /// has to meet it then.
    private func stopAtPodman(
        _ detail: ContainerDetail, force: Bool
    ) async throws(ProviderFailure) {
        try await stop(detail, force: force)
        guard ["always", "unless-stopped"].contains(detail.hostConfig.restartPolicy?.name) else {
            return
        }
        let deadline = ContinuousClock.now + .seconds(30)
        var (started, isRestarted) = (String?.none, false)
        var quiet = ContinuousClock.now
        while ContinuousClock.now < deadline {
            guard let now = try await inspectAny(detail.id) else {
                throw .notFound("\(detail.plainName) was removed meanwhile")
            }
            if now.isRunning || (started != nil && now.state.startedAt != started) {
                isRestarted = true
                quiet = .now
            }
            started = now.state.startedAt
            if ContinuousClock.now - quiet > .seconds(1) { return }
            if isRestarted { try await stop(detail, force: true) }
            try await pause(.milliseconds(20))
        }
        throw .instance(
            .wrongState,
            "\(detail.plainName) ends and is started again by Podman so fast that no stop reaches "
                + "it; look at 'pal logs', mend its command, or set specific.restart: no",
            isRetryable: true)
    }

    /// Ends and deletes the container and its anonymous volumes; volumes with a name stay. After
    /// the swarm's last container the next list removes its network.
    public func deleteInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> Bool {
        networkOwed.set(true)
        if reference.adopted == nil, let id = reference.providerInstanceId,
            let known = handedOut.own(id)
        {
            return try await delete(id, named: known.metadata["container"] ?? known.name)
        }
        guard let detail = try await find(reference) else { return false }
        // What others put into a nameless volume is not pal's to throw away.
        return try await delete(
            detail.id, named: detail.plainName, withNamelessVolumes: reference.adopted == nil)
    }

    /// What a change of its limits leaves it of memory and swap together, where that is not just
    /// its memory. What somebody else made keeps as much swap as it has.
    private func swap(of detail: ContainerDetail, _ wanted: ResourceLimits) -> Int? {
        if let own = detail.config.labels?[DockerLabel.memorySwap].flatMap({ Int($0) }) {
            return own
        }
        guard detail.isAdopted, let both = detail.hostConfig.memorySwap, both != 0,
            let size = wanted.memoryMax
        else { return nil }
        return both < 0 ? -1 : max(both, size << 20)
    }

    /// Limits are changed while it runs.
    public func updateInstance(
        _ reference: InstanceReference, _ partial: PartialConfig
    ) async throws(ProviderFailure) -> VSCodeInstance {
        let detail = try await require(reference)
        let beyond = partial.changes.filter { classify($0) >= .replace }
        guard beyond.isEmpty else {
            throw .needsReplacement(beyond.map(\.text).joined(separator: "; "))
        }
        let wanted = partial.applied(to: InstanceConfig(name: detail.plainName))
        var body = CreateBody.limits(wanted.resources, swap: swap(of: detail, wanted.resources))
        if !body.isEmpty {
            if engine.isPodman { CreateBody.useQuota(&body) }
            // Podman resets a policy that is not named.
            let policy = detail.hostConfig.restartPolicy
            body["RestartPolicy"] = .map([
                "Name": .string(policy?.name ?? "unless-stopped"),
                "MaximumRetryCount": .int(policy?.retries ?? 0),
            ])
            let answer = try await act("POST", detail.id, "/update", body: .map(body))
            cache.forget(detail.id)
            if !answer.isSuccess { try await throwUpdate(answer, detail) }
        }
        let updatedOne = InstanceReference(
            id: reference.id, providerInstanceId: detail.id, adopted: reference.adopted)
        guard let updated = try await find(updatedOne),
            let instance = instance(
                updated, await readiness(of: updated, timeout: .seconds(3)),
                try await imageFacts([updated]))
        else { throw .notFound("\(detail.plainName) was removed while it was updated") }
        return instance
    }

    /// One call on a container that is known to be the swarm's own.
    func act(
        _ method: String, _ id: String, _ verb: String,
        query: [(name: String, value: String)] = [], body: Value? = nil,
        timeout: Duration = .seconds(60)
    ) async throws(ProviderFailure) -> EngineAnswer {
        try await engine.send(
            EngineCall(
                method, "/containers/\(id)\(verb)", query: query, body: body, timeout: timeout))
    }

    /// Starts a container of the swarm.
    func start(_ id: String, named name: String) async throws(ProviderFailure) -> StartOutcome {
        let answer = try await act("POST", id, "/start", timeout: .seconds(180))
        cache.forget(id)
        if answer.isSuccess || answer.status == 304 { return .started }
        let message = answer.message
        if let taken = EngineMessage.takenPort(message) { return .portTaken(taken.port) }
        if let gone = EngineMessage.missingNetwork(message) { return .networkMissing(gone) }
        if EngineMessage.isDiskFull(message) { return .failed(diskFull("start \(name)", message)) }
        if answer.status == 404 {
            return .failed(.notFound("\(name) was removed while it was started"))
        }
        if EngineMessage.isAddressTaken(message) {
            return .failed(addressTaken(name, message))
        }
        if EngineMessage.isGPUDriverMissing(message) {
            return .failed(
                .instance(
                    .platformFailure,
                    "\(name) cannot start: Docker has no driver for GPUs; install NVIDIA's "
                        + "container toolkit on its host, or remove specific.gpus", cause: message,
                    isRetryable: true))
        }
        if EngineMessage.isStartRefusal(answer) {
            return .failed(
                .instance(
                    .invalidConfig, "\(name) cannot start: \(message); correct its spec",
                    isRetryable: answer.status != 400))
        }
        return .failed(.unexpected(answer, doing: "start \(name)", changesSomething: true))
    }

    /// Deletes a container of the swarm, and returns when it is gone.
    func delete(
        _ id: String, named name: String, withNamelessVolumes: Bool = true
    ) async throws(ProviderFailure) -> Bool {
        try refuseItself(id)
        let answer = try await act(
            "DELETE", id, "", query: [("force", "1"), ("v", withNamelessVolumes ? "1" : "0")],
            timeout: .seconds(120))
        cache.forget(id)
        ready.remove(id)
        if answer.isSuccess || answer.status == 404 {
            members.remove(id)
            return answer.isSuccess
        }
        if EngineMessage.isRemovalUnderWay(answer.message) {
            if try await waitUntilGone(id) {
                members.remove(id)
                return true
            }
            throw .ambiguous(
                "the removal of \(name) is under way and takes long; if it never ends, start "
                    + "Docker anew")
        }
        throw .unexpected(answer, doing: "delete \(name)", changesSomething: true)
    }

    /// Waits, up to half a minute, for a removal that is under way.
    func waitUntilGone(_ idOrName: String) async throws(ProviderFailure) -> Bool {
        for _ in 0..<150 {
            guard try await inspectAny(idOrName) != nil else { return true }
            try await pause(.milliseconds(200))
        }
        return false
    }

    func pause(_ duration: Duration) async throws(ProviderFailure) {
        do {
            try await clock.sleep(for: duration)
        } catch {
            throw .connection(.cancelled, "the call to Docker was cancelled")
        }
    }

    private func unpause(_ detail: ContainerDetail) async throws(ProviderFailure) {
        let answer = try await act("POST", detail.id, "/unpause")
        cache.forget(detail.id)
        // 409: it was not paused any more.
        if answer.isSuccess || answer.status == 409 { return }
        try throwUnlessGone(answer, "continue", detail)
    }

    private func throwUnlessGone(
        _ answer: EngineAnswer, _ verb: String, _ detail: ContainerDetail
    ) throws(ProviderFailure) {
        if answer.status == 404 { throw .notFound("\(detail.plainName) was removed meanwhile") }
        throw .unexpected(answer, doing: "\(verb) \(detail.plainName)", changesSomething: true)
    }

    private func throwUpdate(
        _ answer: EngineAnswer, _ detail: ContainerDetail
    ) async throws(ProviderFailure) {
        // What Podman before 5.1 answers, where it was not known who this is.
        if answer.status == 404, try await inspectAny(detail.id) != nil {
            throw .needsReplacement(
                "the limits of \(detail.plainName) cannot be changed while it stands: this Engine "
                    + "has no call for that (Podman has one since 5.1)")
        }
        if answer.status == 400 {
            throw .invalid(
                "Docker refuses the limits of \(detail.plainName): \(answer.message); "
                    + "correct resources in its spec")
        }
        try throwUnlessGone(answer, "update", detail)
    }
}

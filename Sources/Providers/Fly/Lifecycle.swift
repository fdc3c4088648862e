public import PalModel
public import PalProvider

extension FlyProvider {
    /// Starts a machine that is stopped or suspended.
    ///
    /// Fly.io refuses that while it is still at something else: then pal waits for the end of that.
    public func startInstance(_ reference: InstanceReference) async throws(ProviderFailure) {
        var machine = try await require(reference)
        for attempt in 1...3 {
            if [.running, .starting].contains(machine.status) { return }
            let answer = try await api.send(
                MachinesCall(
                    .startMachine, "POST", machine: machine.id, "/start"
                ))
            if answer.isSuccess { return }
            guard answer.status == 412, attempt < 3 else {
                throw .unexpected(
                    answer, doing: "start \(machine.name)", changesSomething: true)
            }
            _ = try await wait(machine, for: "settled", atMost: .seconds(60))
            machine = try await require(reference)
        }
    }

    /// SIGTERM, and SIGKILL after 10 s; `force` kills at once. With `stopMode: suspend` the memory
    /// is kept, too, and the next start goes on from there.
    public func stopInstance(
        _ reference: InstanceReference, force: Bool
    ) async throws(ProviderFailure) {
        var machine = try await require(reference)
        if [.starting, .updating, .creating].contains(machine.status) {
            _ = try await wait(machine, for: "settled", atMost: .seconds(60))
            machine = try await require(reference)
        }
        if machine.status == .stopped { return }
        let suspends = !force && machine.metadata[FlyMark.stopMode] == "suspend"
        try await stop(machine, suspends: suspends, force: force)
    }

    private func stop(
        _ machine: Machine, suspends: Bool, force: Bool
    ) async throws(ProviderFailure) {
        let call =
            suspends
            ? MachinesCall(.suspendMachine, "POST", machine: machine.id, "/suspend")
            : MachinesCall(
                .stopMachine, "POST", machine: machine.id, "/stop",
                body: .map([
                    "signal": .string(force ? "SIGKILL" : "SIGTERM"),
                    "timeout": .string(force ? "1s" : "10s"),
                ]))
        let answer = try await api.send(call)
        if answer.status == 404 {
            throw .notFound("\(machine.name) was removed while it was stopped")
        }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "stop \(machine.name)", changesSomething: true)
        }
        let state = suspends ? "suspended" : "stopped"
        try await afterEffect("\(machine.name) was told to stop") { () throws(ProviderFailure) in
            guard try await wait(machine, for: state, atMost: .seconds(60)) else {
                throw .ambiguous("\(machine.name) was told to stop, and takes longer than a minute")
            }
        }
    }

    /// Ends and deletes the machine. Its volume stays. One that is suspended goes on first, and
    /// ends by itself: what was not written yet is in its memory.
    public func deleteInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> Bool {
        guard let machine = try await find(reference) else { return false }
        if machine.state == "suspended" { try await endSuspended(machine, reference) }
        let answer = try await api.send(
            MachinesCall(
                .deleteMachine, "DELETE", machine: machine.id, query: [("force", "true")]
            ))
        if answer.status == 404 {
            known.forget(machine.id)
            return false
        }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "delete \(machine.name)", changesSomething: true)
        }
        try await afterEffect("\(machine.name) was told to go") { () throws(ProviderFailure) in
            guard try await wait(machine, for: "destroyed", atMost: .seconds(120)) else {
                throw .ambiguous("the deletion of \(machine.name) is under way and takes long")
            }
        }
        known.forget(machine.id)
        return true
    }

    private func endSuspended(
        _ machine: Machine, _ reference: InstanceReference
    ) async throws(ProviderFailure) {
        try await startInstance(reference)
        guard try await wait(machine, for: "started", atMost: .seconds(60)) else {
            throw .instance(
                .busy,
                "\(machine.name) is suspended and does not go on, so that it could end and write "
                    + "what is in its memory; it is tried again", isRetryable: true)
        }
        try await stop(machine, suspends: false, force: false)
    }
}

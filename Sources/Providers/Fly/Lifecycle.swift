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
                ).of(settings.app))
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
        let call =
            suspends
            ? MachinesCall(.suspendMachine, "POST", machine: machine.id, "/suspend")
            : MachinesCall(
                .stopMachine, "POST", machine: machine.id, "/stop",
                body: .map([
                    "signal": .string(force ? "SIGKILL" : "SIGTERM"),
                    "timeout": .string(force ? "1s" : "10s"),
                ]))
        let answer = try await api.send(call.of(settings.app))
        if answer.status == 404 {
            throw .notFound("\(machine.name) was removed while it was stopped")
        }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "stop \(machine.name)", changesSomething: true)
        }
        let state = suspends ? "suspended" : "stopped"
        guard try await wait(machine, for: state, atMost: .seconds(60)) else {
            throw .ambiguous("\(machine.name) was told to stop, and takes longer than a minute")
        }
    }

    /// Ends and deletes the machine. Its volume stays.
    public func deleteInstance(
        _ reference: InstanceReference
    ) async throws(ProviderFailure) -> Bool {
        guard let machine = try await find(reference) else { return false }
        let answer = try await api.send(
            MachinesCall(
                .deleteMachine, "DELETE", machine: machine.id, query: [("force", "true")]
            ).of(settings.app))
        if answer.status == 404 {
            known.forget(machine.id)
            return false
        }
        guard answer.isSuccess else {
            throw .unexpected(answer, doing: "delete \(machine.name)", changesSomething: true)
        }
        guard try await wait(machine, for: "destroyed", atMost: .seconds(120)) else {
            throw .ambiguous("the deletion of \(machine.name) is under way and takes long")
        }
        known.forget(machine.id)
        return true
    }
}

public import PalModel
public import PalProvider

extension FlyProvider {
    /// Runs a command through the Machines API, which gives what it wrote when it has ended.
    /// - Throws: A configuration error for another user: Fly.io has no such choice. An instance
    ///   error `WrongState` where the machine does not run.
    public func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult {
        if let user = command.user {
            throw .invalid(
                "a command at Fly.io runs as root, not as '\(user)'; leave the user out, or run "
                    + "'su \(user) -c …'")
        }
        let machine = try await require(reference)
        guard machine.status == .running else {
            throw .instance(
                .wrongState, "\(machine.name) does not run (\(machine.state)); start it first",
                isRetryable: false)
        }
        var arguments = command.arguments
        if !command.environment.isEmpty {
            let variables = command.environment.sorted { $0.key < $1.key }
            arguments = ["env"] + variables.map { "\($0.key)=\($0.value)" } + arguments
        }
        if let directory = command.workingDirectory {
            arguments =
                ["sh", "-c", #"cd "$1" && shift && exec "$@""#, "sh", directory] + arguments
        }
        return try await run(machine, arguments, timeout: command.timeout)
    }

    /// Runs a command in a machine that runs.
    func run(
        _ machine: Machine, _ arguments: [String], timeout: Duration?
    ) async throws(ProviderFailure) -> CommandResult {
        var body: [String: Value] = ["command": .list(arguments.map { .string($0) })]
        if let timeout { body["timeout"] = .int(max(1, Int(timeout.components.seconds))) }
        var call = MachinesCall(
            .exec, "POST", machine: machine.id, "/exec", body: .map(body))
        call.timeout = timeout.map { $0 + .seconds(15) }
        let answer = try await api.send(call)
        guard answer.isSuccess else {
            throw .unexpected(
                answer, doing: "run a command in \(machine.name)", changesSomething: true)
        }
        let result = try answer.decoded()
        func bytes(_ key: String) -> [UInt8] {
            Array((result[key].flatMap { String($0) } ?? "").utf8)
        }
        // Nothing where it is 0.
        let code = result["exit_code"].flatMap { Int($0) } ?? 0
        let signal = result["exit_signal"].flatMap { Int($0) } ?? 0
        return CommandResult(
            exitCode: signal > 0 ? 128 + signal : code, standardOutput: bytes("stdout"),
            standardError: bytes("stderr"))
    }
}

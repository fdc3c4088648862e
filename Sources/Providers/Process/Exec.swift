import Glibc
import PalFiles
public import PalModel
public import PalProvider
import Subprocess
import SystemPackage

extension ProcessProvider {
    /// The most that each stream of a command may write, in bytes.
    static let outputLimit = 16 << 20

    /// Runs a program beside the instance's own: same user, environment, working directory and
    /// control group. It ends with the instance at the latest.
    ///
    /// A program that is not there is exit code 127, as in a shell.
    /// - Throws: `WrongState` where the instance does not run, `TimedOut`, and `OutputTooLarge`
    ///   beyond 16 MiB on one stream; the program and all that it started are ended then.
    public func executeCommand(
        _ reference: InstanceReference, _ command: Command
    ) async throws(ProviderFailure) -> CommandResult {
        try await execution(reference).run(command)
    }

    /// Commands beside the run of an instance, which must be there.
    func execution(_ reference: InstanceReference) throws(ProviderFailure) -> Execution {
        let entry = try records.get(reference)
        let name = entry.record.ownership.name
        guard try RunState.read(entry.files).status == .running else {
            throw .instance(
                .wrongState, "'\(name)' does not run; start it first: pal start \(name)")
        }
        let launch: LaunchFile
        do { launch = try JSONFile.read(LaunchFile.self, at: entry.files.launch) } catch {
            throw .file(error)
        }
        return Execution(launch: launch, name: name, clock: clock)
    }
}

/// One command beside a run.
struct Execution: Sendable {
    let launch: LaunchFile
    let name: String
    let clock: any Clock<Duration>

    /// By this variable everything that the command starts is found when it has to be ended.
    static let marker = "PAL_EXEC"
    /// Long enough to count as no limit.
    private static let forever = Duration.seconds(1 << 30)

    func run(_ command: Command) async throws(ProviderFailure) -> CommandResult {
        let id = Creation.random()
        let place = try place(command, id)
        guard let path = place.program else {
            let message = Array("pal: \(place.name): command not found\n".utf8)
            return CommandResult(exitCode: 127, standardOutput: [], standardError: message)
        }
        let configuration = Configuration(
            executable: .path(FilePath(path)),
            arguments: Arguments(
                executablePathOverride: place.name,
                remainingValues: Array(command.arguments.dropFirst())),
            environment: .custom(
                place.environment.reduce(into: [:]) { result, entry in
                    if let key = Environment.Key(rawValue: entry.key) { result[key] = entry.value }
                }),
            workingDirectory: FilePath(place.directory))
        return try await race(configuration, id, command.timeout)
    }

    /// With what and where a command runs.
    struct Place: Sendable {
        /// As the caller named it.
        var name: String
        /// Its path; nil where there is none.
        var program: String?
        var environment: [String: String]
        var directory: String
    }

    /// - Throws: Where there is no command, its directory is missing, or it shall run as somebody
    ///   else than pal.
    func place(_ command: Command, _ id: String) throws(ProviderFailure) -> Place {
        guard let name = command.arguments.first else {
            throw .configuration("no command to run in '\(self.name)'")
        }
        try OwnUser.check(command.user, self.name)
        var environment = launch.environment.merging(command.environment) { _, own in own }
        environment[Self.marker] = id
        let directory = directory(command)
        guard Directories.isDirectory(directory) else {
            throw .instance(.wrongState, "there is no directory \(directory) for the command")
        }
        let program = ProgramSearch.find(
            name, path: environment["PATH"] ?? "", directory: directory)
        return Place(
            name: name, program: program, environment: environment, directory: directory)
    }

    /// Relative to the instance's own.
    private func directory(_ command: Command) -> String {
        guard let own = command.workingDirectory else { return launch.directory }
        return own.hasPrefix("/") ? own : RealPath.join(launch.directory, own)
    }

    private enum Outcome: Sendable {
        case ended(CommandResult)
        case failed(ProviderFailure)
        /// The time is over or the task was cancelled, and all of the command was ended.
        case cut
    }

    /// The command against its limit of time. Whoever waits for the command's output waits for all
    /// that it started, so that is what has to be ended.
    private func race(
        _ configuration: Configuration, _ id: String, _ timeout: Duration?
    ) async throws(ProviderFailure) -> CommandResult {
        let outcome = await withTaskGroup(of: Outcome.self) { group in
            group.addTask { await perform(configuration, id) }
            group.addTask {
                try? await clock.sleep(for: timeout ?? Self.forever)
                return .cut
            }
            let first = await group.next() ?? .cut
            if case .cut = first { await end(id) } else if Task.isCancelled { await end(id) }
            group.cancelAll()
            return first
        }
        switch outcome {
        case .ended(let result): return result
        case .failed(let failure): throw failure
        case .cut:
            throw .instance(
                .timedOut,
                "the command in '\(name)' took longer than "
                    + "\(timeout.map { "\($0)" } ?? "its caller waited"); it was ended")
        }
    }

    func end(_ id: String) async {
        await runOffPool { Leftovers.end(variable: Self.marker, id) }
    }

    private func perform(_ configuration: Configuration, _ id: String) async -> Outcome {
        let limit = ProcessProvider.outputLimit
        do {
            let result = try await Subprocess.run(
                configuration, input: .none, output: .bytes(limit: limit),
                error: .bytes(limit: limit)
            ) { execution in
                // At once, but not before its first instructions; what it allocates then is small.
                try? launch.cgroup?.join(execution.processIdentifier.value)
            }
            let code: Int =
                switch result.terminationStatus {
                case .exited(let code): Int(code)
                case .signaled(let signal): 128 + Int(signal)
                }
            return .ended(
                CommandResult(
                    exitCode: code, standardOutput: result.standardOutput,
                    standardError: result.standardError))
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            await end(id)
            return .failed(
                .instance(
                    .outputTooLarge,
                    "the command in '\(name)' wrote more than \(limit >> 20) MiB; have it write to "
                        + "a file"))
        } catch {
            return .failed(.machine("cannot run the command in '\(name)'", cause: "\(error)"))
        }
    }
}

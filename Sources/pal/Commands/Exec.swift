import ArgumentParser
import Foundation
import Glibc
import PalModel
import PalProvider

/// `pal exec`.
struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command inside an instance; its exit code is the command's own.",
        discussion: """
            With -i the command reads this standard input, with -t it gets a terminal; without
            either its output is printed when it has ended.

              pal exec alice -- git status
              pal exec -it alice -- bash
              echo hi | pal exec -i alice -- cat
              pal exec alice --workdir /tmp --env DEBUG=1 -- make test
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "The instance.") var name: String
    @Flag(name: [.customShort("i"), .long], help: "Pass the standard input on.")
    var interactive = false
    @Flag(name: [.customShort("t"), .long], help: "Give the command a terminal.")
    var tty = false
    @Option(name: [.customShort("w"), .long], help: "Where to run it.") var workdir: String?
    @Option(name: .shortAndLong, help: "The user inside to run it as.") var user: String?
    @Option(
        name: [.customShort("e"), .long],
        help: ArgumentHelp("A variable for the command; repeatable.", valueName: "key=value"))
    var env: [String] = []
    @Option(help: ArgumentHelp("The longest time that it may take.", valueName: "time"))
    var timeout: Span?
    @Argument(parsing: .postTerminator, help: "The command and its arguments, after '--'.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("give the command after '--'") }
        // Not quoted: it may be a value without its key.
        guard env.allSatisfy({ $0.firstIndex(of: "=") ?? $0.startIndex > $0.startIndex }) else {
            throw ValidationError("--env takes key=value")
        }
    }

    func run() async throws {
        if tty, interactive, !RawTerminal.isInput {
            throw CommandFailure("the standard input is no terminal; leave out -t")
        }
        let target = try await Target(name, world)
        do throws(ProviderFailure) {
            if interactive || tty {
                try await attend(target)
            } else {
                try await collect(target)
            }
        } catch {
            throw CommandFailure("\(name): \(error)")
        }
    }

    private var variables: [String: String] {
        var variables: [String: String] = [:]
        if tty, let kind = ProcessInfo.processInfo.environment["TERM"] { variables["TERM"] = kind }
        for pair in env {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        return variables
    }

    private var request: Command {
        Command(
            command, environment: variables, workingDirectory: workdir, user: user,
            timeout: timeout?.value.duration)
    }

    private func collect(_ target: Target) async throws(ProviderFailure) {
        let result = try await target.provider.executeCommand(target.instance.reference, request)
        Terminal.write(result.standardOutput, to: 1)
        Terminal.write(result.standardError, to: 2)
        Terminal.exit(Int32(truncatingIfNeeded: result.exitCode))
    }

    private func attend(_ target: Target) async throws(ProviderFailure) {
        guard let provider = target.provider as? any InteractiveProvider else {
            throw .error(
                ProviderError(
                    .configuration, .invalidConfig,
                    "provider '\(target.provider.name)' has no interactive sessions; leave out -i "
                        + "and -t", isRetryable: false))
        }
        let session = try await provider.openSession(
            target.instance.reference,
            SessionRequest(
                request, terminal: tty ? RawTerminal.size : nil, takesInput: interactive))
        let run = SessionRun(
            session, takesInput: interactive, timeout: timeout?.value.duration)
        if tty, interactive, !RawTerminal.enter() {
            Terminal.complain("pal: the terminal cannot be made raw; keys go through line by line")
        }
        let ending = await run.run()
        RawTerminal.restore()
        switch ending {
        case .exited(let code): Terminal.exit(Int32(truncatingIfNeeded: code))
        case .signalled(let number): Terminal.exit(128 + number)
        case .unread: Terminal.exit(128 + SIGPIPE)
        case .failed(let failure): throw failure
        case .timedOut:
            throw .error(
                ProviderError(
                    .instance, .timedOut,
                    "the command took longer than \(timeout?.value.text ?? "allowed")",
                    isRetryable: false))
        }
    }
}

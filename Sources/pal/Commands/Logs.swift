import ArgumentParser
import Foundation
import PalModel
import PalProvider

/// `pal logs`.
struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what an instance writes.",
        discussion: """
              pal logs alice
              pal logs alice --lines 100 --pattern 'error|warn'
              pal logs alice --since 10m --follow
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "The instance.") var name: String
    @Option(name: [.customShort("n"), .long], help: "Only so many lines from the end.")
    var lines: Int?
    @Option(help: ArgumentHelp("Only lines that match.", valueName: "regex")) var pattern: String?
    @Option(help: ArgumentHelp("Only lines this new: 10m, 2h.", valueName: "time"))
    var since: Span?
    @Flag(name: .shortAndLong, help: "Go on with new lines.") var follow = false
    @Flag(help: "Put the time before each line.") var timestamps = false

    func validate() throws {
        if let lines, lines < 0 { throw ValidationError("--lines cannot be negative") }
    }

    func run() async throws {
        let target = try await Target(name, world)
        let options = LogOptions(
            lines: lines,
            since: since.map { Date().addingTimeInterval(-Double($0.value.milliseconds) / 1000) },
            pattern: pattern)
        do throws(ProviderFailure) {
            if follow, let provider = target.provider as? any LogFollowingProvider {
                try await provider.followInstanceLogs(target.instance.reference, options) {
                    show($0)
                }
            } else {
                let lines = try await target.provider.getInstanceLogs(
                    target.instance.reference, options)
                for line in lines { show(line) }
            }
        } catch {
            throw CommandFailure("\(name): \(error)")
        }
    }

    private func show(_ line: LogLine) {
        let time = timestamps ? (line.at.map { $0.formatted(.iso8601) + "  " } ?? "") : ""
        Terminal.write(time + line.text + "\n", to: line.stream == .stdout ? 1 : 2)
    }
}

/// `pal exec`.
struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command inside an instance; its exit code is the command's own.",
        discussion: "  pal exec alice -- git status\n  pal exec alice --workdir /tmp -- ls -l")
    @OptionGroup var world: WorldOptions
    @Argument(help: "The instance.") var name: String
    @Option(name: [.customShort("w"), .long], help: "Where to run it.") var workdir: String?
    @Option(help: ArgumentHelp("The longest time that it may take.", valueName: "time"))
    var timeout: Span?
    @Argument(parsing: .postTerminator, help: "The command and its arguments, after '--'.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("give the command after '--'") }
    }

    func run() async throws {
        let target = try await Target(name, world)
        let result: CommandResult
        do throws(ProviderFailure) {
            result = try await target.provider.executeCommand(
                target.instance.reference,
                Command(
                    command, workingDirectory: workdir, timeout: timeout?.value.duration))
        } catch {
            throw CommandFailure("\(name): \(error)")
        }
        Terminal.write(result.standardOutput, to: 1)
        Terminal.write(result.standardError, to: 2)
        Terminal.exit(Int32(truncatingIfNeeded: result.exitCode))
    }
}

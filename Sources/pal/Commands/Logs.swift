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

            --follow goes on over restarts and replacements, until Ctrl-C.
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
                let pursuit = LogPursuit(provider, name: name, options: options)
                try await pursuit.run(from: target.instance) {
                    tell($0)
                } _: {
                    show($0)
                }
            } else if let provider = target.provider as? any LogFollowingProvider {
                try await provider.readInstanceLogs(target.instance.reference, options) {
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

    /// Not in a pipe: there only the instance's own lines belong.
    private func tell(_ notice: LogPursuit.Notice) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let text =
            switch notice {
            case .stopped: "has stopped; waiting until it runs again"
            case .restarted: "runs again"
            case .replaced: "was replaced"
            case .missing: "is gone; waiting until it is made again"
            case .unreachable(let why): "cannot be reached; waiting: \(why)"
            }
        Terminal.complain("pal: \(name) \(text)")
    }

    private func show(_ line: LogLine) {
        let time = timestamps ? (line.at.map { $0.formatted(.iso8601) + "  " } ?? "") : ""
        Terminal.write(time + line.text + "\n", to: line.stream == .stdout ? 1 : 2)
    }
}

import ArgumentParser

/// The command line.
@main
struct Pal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pal",
        abstract: "Keeps a swarm of remote VS Code instances as a directory of files declares it.",
        discussion: """
            Write a file, and an instance runs; change it, and it changes; remove it, and it goes.

              echo 'name: alice' > specs/alice.yaml
              pal plan              what would change, and why
              pal apply             make it so once, and wait until it is ready
              pal run               keep it so, for ever
              pal status            what is true, and what is not

            Every command finds its world the same way: --config FILE, else --specs DIR, else
            ./pal.yaml, else ./specs.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "The swarm",
                subcommands: [
                    Run.self, Plan.self, Apply.self, Approve.self, Validate.self, Status.self,
                    Events.self,
                ]),
            CommandGroup(
                name: "One instance",
                subcommands: [
                    Open.self, Why.self, Logs.self, Exec.self, Cp.self, Start.self, Stop.self,
                    Restart.self,
                    Retry.self,
                ]),
            CommandGroup(
                name: "The tool",
                subcommands: [Import.self, Providers.self, Schema.self, Completion.self]),
        ])

    /// Ends with one sentence on the standard error and never with a trace.
    static func main() async {
        if let code = Supervise.runIfAsked() { Terminal.exit(code) }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Terminal.exit(0)
        } catch let failure as CommandFailure {
            Terminal.complain(failure.message)
            Terminal.exit(1)
        } catch {
            exit(withError: error)
        }
    }
}

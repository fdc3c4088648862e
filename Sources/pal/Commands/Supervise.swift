import ProcessProvider

/// `pal supervise DIR`: what the process provider starts beside each instance. Not for people, and
/// so not in the help; it must start fast and stay small, and so goes past the argument parser.
enum Supervise {
    static func runIfAsked() -> Int32? {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, arguments[1] == "supervise" else { return nil }
        return Supervisor.run(directory: arguments[2])
    }
}

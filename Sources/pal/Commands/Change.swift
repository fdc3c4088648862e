import ArgumentParser
import Foundation
import PalEngine
import PalModel

/// Start, stop and restart: one request each.
struct ChangeOptions: ParsableArguments {
    @Argument(help: "The instances.") var names: [String]
    @Option(help: ArgumentHelp("The longest wait.", valueName: "time")) var timeout = Span("5m")
}

/// A span of time on the command line.
struct Span: ExpressibleByArgument {
    let value: TimeSpan
    init?(argument: String) {
        guard let span = TimeSpan(argument) else { return nil }
        value = span
    }
    init(_ text: String) { value = TimeSpan(text) ?? .seconds(0) }
    var defaultValueDescription: String { value.text }
}

extension WorldOptions {
    /// Has something done to these instances, or to all where none is named, and waits for what
    /// came of it.
    func ask(
        _ verb: ControlRequest.Verb, _ names: [String], within limit: Span,
        holdFor: TimeSpan? = nil
    ) async throws -> ControlReply {
        let environment = try environment()
        let client = try ControlClient(environment, logLevel: logLevel)
        let request = ControlRequest(
            verb: verb, names: names, holdFor: holdFor, by: ControlClient.person)
        let reply = try await client.ask(
            request, only: names.isEmpty ? nil : Set(names), limit: limit.value.duration,
            purpose: "pal \(verb.rawValue)")
        guard let reply else {
            throw CommandFailure(
                "not done within \(limit.value.text); 'pal status' says how it stands")
        }
        return reply
    }

    /// Has a change made to instances and prints what came of it.
    func change(
        _ verb: ControlRequest.Verb, _ options: ChangeOptions, holdFor: TimeSpan? = nil,
        done: (String) -> String
    ) async throws {
        let reply = try await ask(
            verb, options.names, within: options.timeout, holdFor: holdFor)
        for message in reply.messages { Terminal.complain(message) }
        guard reply.isDone else { Terminal.exit(1) }
        for name in options.names { Terminal.say(done(name)) }
    }
}

/// `pal start`.
struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start instances that were stopped with 'pal stop'.",
        discussion: "Ends the hold and waits until the editor answers.\n\n  pal start alice")
    @OptionGroup var world: WorldOptions
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await world.change(.start, options) { "\($0): running" }
    }
}

/// `pal stop`.
struct Stop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop instances, and keep them stopped.",
        discussion: """
            Records a hold that 'pal run' respects, until 'pal start', the end of --for, or another
            'state:' in the file.

              pal stop alice
              pal stop alice --for 2h
            """)
    @OptionGroup var world: WorldOptions
    @OptionGroup var options: ChangeOptions
    @Option(name: .customLong("for"), help: ArgumentHelp("How long.", valueName: "time"))
    var duration: Span?

    func run() async throws {
        try await world.change(.stop, options, holdFor: duration?.value) { name in
            "\(name): stopped"
                + (duration.map { " for \($0.value.text)" } ?? "; 'pal start \(name)' ends it")
        }
    }
}

/// `pal restart`.
struct Restart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Restart instances.",
        discussion: "Waits until the editor answers again.\n\n  pal restart alice bob")
    @OptionGroup var world: WorldOptions
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await world.change(.restart, options) { "\($0): restarted" }
    }
}

/// `pal retry`.
struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try again what failed, at once.",
        discussion: """
            For what is Stalled or waits for its next attempt: when what was in the way is mended
            and the spec need not change. Without a name: everything that is not as declared.

              pal retry
              pal retry alice
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "The instances.") var names: [String] = []
    @Option(help: ArgumentHelp("The longest wait.", valueName: "time")) var timeout = Span("5m")

    func run() async throws {
        let reply = try await world.ask(.retry, names, within: timeout)
        for message in reply.messages { Terminal.complain(message) }
        guard reply.isDone else { Terminal.exit(1) }
        for name in names { Terminal.say("\(name): as declared") }
        if names.isEmpty { Terminal.say("everything is as declared") }
    }
}

/// `pal approve`.
struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let go on what waits for consent.",
        discussion: """
            Without a name: the deletions that were over the prune budget. With names: the deletion
            of these orphans, taking over these instances from another controller, or the
            interruption of these editors ('disruption: approve'). Consent is to exactly what
            'pal status' says would be done; when that changes, it is asked for again.

              pal approve
              pal approve old-alice
            """)
    @OptionGroup var world: WorldOptions
    @Argument(help: "The instances that wait for it.") var names: [String] = []
    @Option(help: ArgumentHelp("The longest wait.", valueName: "time")) var timeout = Span("5m")

    func run() async throws {
        let reply = try await world.ask(.approve, names, within: timeout)
        for message in reply.messages { Terminal.say(message) }
        if !reply.isDone { Terminal.exit(1) }
    }
}

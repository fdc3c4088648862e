import ArgumentParser
import Foundation
import PalEngine
import PalModel
import PalProvider
import PalSpecs

/// `pal validate`.
struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the specs: file:line:column and a message for every problem.",
        discussion:
            "Contacts nobody. Exit code 0: all good. 1: something is wrong.\n\n  pal validate")
    @OptionGroup var world: WorldOptions
    @Argument(help: "The specs directory.") var directory: String?
    @Option(name: .shortAndLong, help: "table, json or yaml.") var output = OutputFormat.table

    func run() async throws {
        let environment = try world.environment(directory)
        let composition = Composition(environment, logLevel: world.logLevel)
        let desired = await composition.source.read()
        var problems = desired.problems + desired.dependencyProblems
        let check = SpecCheck(providers: try composition.providers())
        problems += check.problems(of: desired.declarations.values)
        if case .unavailable(let why) = desired.source { throw CommandFailure(why) }
        switch output {
        case .table, .wide:
            for problem in problems.sorted() { Terminal.say(problem.description) }
            if problems.isEmpty {
                Terminal.say("\(desired.declarations.count) instances declared, no problem found.")
            }
        case .json, .yaml: try Encoded.show(["problems": problems.sorted()], output)
        }
        if !problems.isEmpty { Terminal.exit(1) }
    }
}

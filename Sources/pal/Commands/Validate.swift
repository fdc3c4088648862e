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
        let providers = try composition.providers()
        for (_, declaration) in desired.declarations.sorted(by: { $0.key < $1.key }) {
            problems += check(declaration, providers)
        }
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

    private func check(_ declaration: Declaration, _ providers: [any Provider]) -> [Diagnostic] {
        var input = PlanInput(
            name: declaration.config.name, specsPath: "", now: Date(timeIntervalSince1970: 0))
        input.declaration = declaration
        input.provider = declaration.config.provider ?? ProviderFactory.defaultType.rawValue
        input.rules = providers.first { $0.name == input.provider }.map { RuleBook($0) }
        input.providerNames = providers.map(\.name)
        return Planner.plan(input).conditions.filter { $0.kind == .blocked }.map {
            let prefix = "\(declaration.location): "
            let message =
                $0.message.hasPrefix(prefix)
                ? String($0.message.dropFirst(prefix.count)) : $0.message
            return Diagnostic(declaration.location, message, instance: input.name)
        }
    }
}

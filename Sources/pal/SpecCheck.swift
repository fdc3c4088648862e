import Foundation
import PalEngine
import PalModel
import PalProvider
import PalSpecs

/// What would be refused of specs before anybody is asked: what `pal validate` shows, and what an
/// import says of what it wrote.
struct SpecCheck {
    let providers: [any Provider]

    /// The problems that a declaration's provider has with it.
    func problems(of declaration: Declaration) -> [Diagnostic] {
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

    /// The problems of one file's text: those of its reader, and those of the providers.
    func problems(ofText text: String, file: String) -> [Diagnostic] {
        let contents = SpecFileContents(bytes: Array(text.utf8), file: file)
        return contents.allProblems + contents.declarations.flatMap(problems(of:))
    }
}

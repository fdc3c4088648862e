import Foundation
import PalEngine
import PalModel
import PalProvider
import PalSpecs

/// What would be refused of specs before anybody is asked: what `pal validate` shows, and what an
/// import says of what it wrote.
struct SpecCheck {
    let providers: [any Provider]

    /// The problems that the declarations' providers have with them, in order. What is wrong with a
    /// document with `replicas` is said once, and not for each of them.
    func problems(of declarations: some Sequence<Declaration>) -> [Diagnostic] {
        Set(declarations.flatMap(problems(of:))).sorted()
    }

    private func problems(of declaration: Declaration) -> [Diagnostic] {
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
            return Diagnostic(
                declaration.location, message, instance: declaration.config.groupName)
        }
    }

    /// The problems of one file's text: those of its reader, and those of the providers.
    func problems(ofText text: String, file: String) -> [Diagnostic] {
        let contents = SpecFileContents(bytes: Array(text.utf8), file: file)
        return contents.allProblems + problems(of: contents.declarations)
    }
}

extension InstanceConfig {
    /// The name that the spec's author wrote: for one of several `replicas` that of their group.
    fileprivate var groupName: String {
        replicas == nil ? name : Replica.group(of: name) ?? name
    }
}

import ArgumentParser
import Foundation
import PalEngine
import PalLedger
import PalModel

/// `pal plan`.
struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what would change, and why. Changes nothing.",
        discussion: """
            Exit code 0: nothing would change. 2: something would. 1: something is wrong.

              pal plan
              pal plan -o json | jq '.plans[] | select(.action != "none")'
              pal plan -o json > plan.json && pal apply --plan plan.json
            """)
    @OptionGroup var world: WorldOptions
    @Option(name: .shortAndLong, help: "table, json or yaml.") var output = OutputFormat.table

    func run() async throws {
        let environment = try world.environment()
        let composition = Composition(environment, logLevel: world.logLevel)
        let preview = try await Preview.make(
            source: composition.source, providers: try composition.providers(),
            ledger: try SQLiteLedger.openReadOnly(directory: environment.state),
            clock: SystemClock(), policy: environment.policy)
        switch output {
        case .table, .wide: show(preview)
        case .json, .yaml: try Encoded.show(Document(preview), output)
        }
        Terminal.exit(code(preview))
    }

    private func code(_ preview: Preview) -> Int32 {
        let isWrong =
            !preview.desired.problems.isEmpty || !preview.providerProblems.isEmpty
            || preview.desired.source != .available || preview.plans.contains(where: \.isBlocked)
            || preview.plans.contains { $0.conditions.contains { $0.reason == "PruneBlocked" } }
        if isWrong { return 1 }
        let isChange = preview.plans.contains { plan in
            !plan.steps.isEmpty || plan.conditions.contains { $0.kind == .awaitingApproval }
        }
        return isChange || preview.parked != nil ? 2 : 0
    }

    private func show(_ preview: Preview) {
        for problem in preview.desired.problems { Terminal.complain(problem.description) }
        if case .unavailable(let why) = preview.desired.source { Terminal.complain(why) }
        for (name, why) in preview.providerProblems.sorted(by: { $0.key < $1.key }) {
            Terminal.complain("provider '\(name)': \(why)")
        }
        for plan in preview.plans { show(plan) }
        Terminal.say(summary(preview))
    }

    private func show(_ plan: InstancePlan) {
        if plan.action != .none {
            let detail = plan.action == .update ? plan.change.map { " (\($0.rawValue))" } ?? "" : ""
            Terminal.say(
                Terminal.coloured("\(sign(plan.action)) \(plan.name)", colour(plan.action))
                    + "  \(plan.action.rawValue)\(detail) on \(plan.provider)")
            for cause in plan.causes { Terminal.say("    because \(cause.message)") }
            if plan.steps.contains(where: { $0.verb == .deleteStorage }) {
                Terminal.say("    and its persistent storage is deleted, with all that is in it")
            }
        } else if !plan.conditions.isEmpty {
            Terminal.say(Terminal.coloured("! \(plan.name)", .yellow))
        }
        for condition in plan.conditions {
            Terminal.say("    \(condition.kind.rawValue): \(condition.message)")
        }
    }

    private func sign(_ action: InstancePlan.Action) -> String {
        switch action {
        case .create: "+"
        case .delete: "-"
        case .replace: "±"
        default: "~"
        }
    }

    private func colour(_ action: InstancePlan.Action) -> Terminal.Colour {
        switch action {
        case .create: .green
        case .delete, .replace: .red
        default: .yellow
        }
    }

    private func summary(_ preview: Preview) -> String {
        let counts = Dictionary(grouping: preview.plans.filter { $0.action != .none }, by: \.action)
            .mapValues(\.count)
        guard !counts.isEmpty else {
            let blocked = preview.plans.filter(\.isBlocked).count
            return blocked > 0
                ? "Nothing can be changed: \(blocked) blocked." : "Nothing to change."
        }
        let parts = InstancePlan.Action.allCases.compactMap { action in
            counts[action].map { "\($0) to \(action.rawValue)" }
        }
        return "Plan: \(parts.joined(separator: ", "))."
    }

    /// The JSON form.
    private struct Document: Encodable {
        var plans: [InstancePlan]
        var problems: [Diagnostic]
        var providerProblems: [String: String]
        var parked: ParkedPlan?
        var pruneBlock: String?
        var digest: PlanDigest

        init(_ preview: Preview) {
            plans = preview.plans
            problems = preview.desired.problems
            providerProblems = preview.providerProblems
            parked = preview.parked
            pruneBlock = preview.desired.pruneBlock
            digest = preview.digest
        }
    }
}

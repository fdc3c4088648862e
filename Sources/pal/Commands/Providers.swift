import ArgumentParser
import Foundation
import PalEngine
import PalModel
import PalProvider

/// `pal providers`.
struct Providers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the configured providers: whether they answer, and what they can do.",
        discussion: """
              pal providers
              pal providers list --markdown   the table of the docs, of every type
              pal providers verify docker --image codercom/code-server:latest
            """,
        subcommands: [List.self, Verify.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Show the configured providers.")
        @OptionGroup var world: WorldOptions
        @Option(name: .shortAndLong, help: "table, wide, json or yaml.")
        var output = OutputFormat.table
        @Flag(help: "Print what every type of provider can do as Markdown; none is contacted.")
        var markdown = false

        func run() async throws {
            let environment = try world.environment()
            let composition = Composition(environment, logLevel: world.logLevel)
            if markdown {
                let table = try composition.supportTable()
                return Terminal.write(table.markdown, to: 1)
            }
            var rows: [Row] = []
            for provider in try composition.providers() { rows.append(await Row(provider)) }
            guard output == .table || output == .wide else {
                try Encoded.show(["providers": rows], output)
                return
            }
            var table = Table(["NAME", "TYPE", "REGION", "ANSWERS", "FEATURES"])
            for row in rows {
                table.add([
                    row.name, row.type.rawValue, row.region, row.problem ?? "yes",
                    row.capabilities.features.map(\.rawValue).sorted().joined(separator: ", "),
                ])
            }
            table.show()
            if output == .wide { for row in rows { row.showFields() } }
        }
    }

    /// One provider in the list.
    struct Row: Encodable {
        var name: String
        var type: ProviderType
        var region: String
        var problem: String?
        var capabilities: Capabilities

        init(_ provider: any Provider) async {
            name = provider.name
            type = provider.type
            region = provider.region
            do {
                try await provider.initialize()
            } catch {
                problem = error.description
            }
            capabilities = provider.getCapabilities()
            await provider.shutdown()
        }

        func showFields() {
            Terminal.say("\n\(name):")
            for field in FieldTable.all where field.role == .platform {
                switch capabilities.support(for: field.path) {
                case .honoured(let change): Terminal.say("  \(field.path): \(change.rawValue)")
                case .fixed(let why): Terminal.say("  \(field.path): its own only: \(why)")
                case .notEnforced(let why): Terminal.say("  \(field.path): not enforced: \(why)")
                case .unsupported(let why): Terminal.say("  \(field.path): no: \(why)")
                }
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the conformance suite against a provider.",
            discussion: """
                Makes and deletes instances in a swarm of its own, named pal-verify-…; nothing \
                else is
                touched. The image or command must serve HTTP on $PORT.

                  pal providers verify docker --image codercom/code-server:latest
                  pal providers verify process -- sh -c 'exec python3 -m http.server $PORT'
                """)
        @OptionGroup var world: WorldOptions
        @Argument(help: "The provider's name.") var name: String
        @Option(help: "The image of the instances.") var image: String?
        @Option(help: "The editor's port inside.") var port = 8080
        @Option(help: "The path that answers 200 when ready.") var healthPath = "/"
        @Option(help: "Where storage is mounted in the image.") var home = "/home/coder"
        @Argument(parsing: .postTerminator, help: "The command of the instances, after '--'.")
        var command: [String] = []

        func run() async throws {
            let environment = try world.environment()
            var verifying = environment
            verifying.swarm = "pal-verify-\(String(UInt32.random(in: .min ... .max), radix: 16))"
            verifying.data = NSTemporaryDirectory() + "/" + verifying.swarm
            defer { try? FileManager.default.removeItem(atPath: verifying.data) }
            let composition = Composition(verifying, logLevel: world.logLevel)
            let provider = try composition.provider(named: name)
            var template = InstanceConfig(name: "verify")
            template.provider = name
            template.image = image
            template.editor = .custom
            template.command = command.isEmpty ? nil : command
            template.network.port = port
            template.health.path = healthPath
            if image != nil { template.env = ["HOME": home] }
            let suite = ConformanceSuite(
                provider: provider, swarm: verifying.swarm, template: template)
            let results = await suite.run { result in
                let mark = result.problem == nil ? "ok  " : "FAIL"
                Terminal.say("\(mark)  \(result.check)\(result.problem.map { ": \($0)" } ?? "")")
            }
            await provider.shutdown()
            let failures = results.filter { $0.problem != nil }.count
            Terminal.say("\(results.count - failures) of \(results.count) checks passed")
            if failures > 0 { Terminal.exit(1) }
        }
    }
}

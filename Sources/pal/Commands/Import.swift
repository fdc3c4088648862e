import ArgumentParser
import Foundation
import PalFiles
import PalImport
import PalModel
import PalProvider
import PalSpecs

/// `pal import`.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn what is there already into specs.",
        discussion: """
            Writes a file for each instance into the specs directory, and says of everything that \
            does not come along, line by line, that it does not. What is there is not changed, and \
            no file is written over.

              pal import docker              containers of the Engine, to be taken over
              pal import compose FILE        the services of a Compose file
              pal import legacy DIR          vscode-instances/*.json of the tool before pal
            """,
        subcommands: [Docker.self, Compose.self, Legacy.self])

    /// Where specs go.
    struct Destination: ParsableArguments {
        @OptionGroup var world: WorldOptions
        @Flag(help: "Print the specs, and write nothing.") var print = false

        func composition() throws -> Composition {
            Composition(try world.environment(), logLevel: world.logLevel)
        }

        func write(_ imported: Imported) throws {
            let composition = try composition()
            var check: SpecCheck?
            do {
                check = SpecCheck(providers: try composition.providers())
            } catch {
                // What is imported is none the worse for that.
                Terminal.complain("what is imported is not checked, because: \(error)")
            }
            let writer = SpecFilesWriter(
                environment: composition.environment, prints: print, check: check)
            try writer.write(imported)
        }
    }

    struct Docker: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Containers that are not pal's, each with 'adopt': the next plan changes none.",
            discussion: """
                Without names: every container that runs. A container is taken over as it is, and \
                made anew only when a change of its spec takes that.

                  pal import docker
                  pal import docker my-editor --print
                """)
        @OptionGroup var destination: Destination
        @Argument(help: "Names or ids of containers.") var names: [String] = []
        @Option(help: "The provider's name.") var provider = "docker"

        func run() async throws {
            let composition = try destination.composition()
            guard
                let provider = try composition.provider(named: provider)
                    as? any DescribingProvider
            else { throw CommandFailure("'\(provider)' cannot describe what others made") }
            let found: [ForeignInstance]
            do throws(ProviderFailure) {
                try await provider.initialize()
                found = try await provider.describeForeign()
            } catch {
                throw CommandFailure("\(error)")
            }
            await provider.shutdown()
            let name = self.provider == "docker" ? nil : self.provider
            var imported = Imported()
            for foreign in try wanted(found) {
                let one = ForeignImport.spec(of: foreign, provider: name)
                imported.specs += one.specs
                imported.remarks += one.remarks
            }
            try destination.write(imported)
        }

        private func wanted(_ found: [ForeignInstance]) throws -> [ForeignInstance] {
            guard !names.isEmpty else { return found.filter(\.isRunning) }
            return try names.map { name in
                let matches = found.filter {
                    $0.name == name || name.count >= 4 && $0.providerInstanceId.hasPrefix(name)
                }
                guard let first = matches.first, matches.count == 1 else {
                    let hint =
                        Suggestion.nearest(to: name, among: found.map(\.name))
                        .map { "; did you mean '\($0)'?" } ?? ""
                    throw CommandFailure(
                        "no container of nobody's is named '\(name)'\(hint)")
                }
                return first
            }
        }
    }

    struct Compose: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The services of a Compose file.",
            discussion: """
                Without names: every service. Variables are taken from the environment and from \
                .env beside the file, as Compose does.

                  pal import compose compose.yaml
                  pal import compose compose.yaml editor --print
                """)
        @OptionGroup var destination: Destination
        @Argument(help: "The Compose file.") var file: String
        @Argument(help: "Names of services.") var names: [String] = []
        @Option(help: "The project's name, which is in the names of its volumes.")
        var project: String?

        func run() async throws {
            let environment = try destination.world.environment()
            guard let bytes = FileManager.default.contents(atPath: file) else {
                throw CommandFailure("cannot read \(file)")
            }
            let directory = URL(filePath: file).deletingLastPathComponent().standardizedFileURL.path
            let compose = ComposeFile(
                path: file, directory: directory, project: project,
                environment: environment.variables
            ) { path in
                FileManager.default.contents(atPath: path).map {
                    String(decoding: $0, as: UTF8.self)
                }
            }
            do {
                let imported = try compose.specs(from: Array(bytes), only: names)
                try destination.write(imported)
            } catch let failure as ImportFailure {
                throw CommandFailure(failure.description)
            }
        }
    }

    struct Legacy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "State files of the tool before pal.",
            discussion: """
                DEFAULT_PASSWORD, DEFAULT_EXTENSIONS, DEFAULT_CPU_LIMIT and \
                DEFAULT_MEMORY_LIMIT of the environment fill in what a file does not say.

                  pal import legacy vscode-instances
                """)
        @OptionGroup var destination: Destination
        @Argument(help: "The directory with the state files, or one of them.") var directory: String

        func run() async throws {
            let environment = try destination.world.environment()
            var imported = Imported()
            for path in try files() {
                guard let bytes = FileManager.default.contents(atPath: path) else {
                    throw CommandFailure("cannot read \(path)")
                }
                do {
                    let one = try LegacyState.spec(
                        from: Array(bytes), path: path, environment: environment.variables)
                    imported.specs += one.specs
                    imported.remarks += one.remarks
                } catch {
                    // One broken file must not keep the others.
                    Terminal.complain(error.description)
                }
            }
            try destination.write(imported)
        }

        private func files() throws -> [String] {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory)
            else {
                throw CommandFailure("\(directory): there is no such directory")
            }
            guard isDirectory.boolValue else { return [directory] }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
                .filter { $0.hasSuffix(".json") }.sorted()
            guard !names.isEmpty else {
                throw CommandFailure("\(directory): there are no .json files in it")
            }
            return names.map { "\(directory)/\($0)" }
        }
    }
}

/// Puts imported specs into the specs directory, and what must not stand in them into files of
/// their own.
struct SpecFilesWriter {
    let environment: Environment
    let prints: Bool
    let check: SpecCheck?

    func write(_ imported: Imported) throws {
        for remark in imported.remarks { Terminal.complain(remark.description) }
        guard !imported.specs.isEmpty else {
            throw CommandFailure("there is nothing to import")
        }
        let texts = imported.specs.map { ($0.config.name, SpecYAML.text(of: referring($0))) }
        if prints {
            Terminal.write(texts.map(\.1).joined(separator: "---\n"), to: 1)
            for (name, text) in texts { complain(of: text, in: path(of: name)) }
            for spec in imported.specs {
                for variable in spec.hidden.keys.sorted() {
                    Terminal.complain(
                        "\(spec.config.name): \(secretPath(spec, variable)) is not written with "
                            + "--print; put the value of \(variable) there")
                }
            }
            return
        }
        try refuseToOverwrite(imported.specs)
        for spec in imported.specs { try hide(spec) }
        try FileManager.default.createDirectory(
            atPath: environment.specs, withIntermediateDirectories: true)
        for (name, text) in texts {
            try AtomicFile.write(Array(text.utf8), to: path(of: name), mode: 0o644)
            Terminal.say("wrote \(path(of: name))")
            complain(of: text, in: path(of: name))
        }
        Terminal.say("'pal plan' shows what they would change.")
    }

    /// Says what would be refused of a spec, so that nobody has to try.
    private func complain(of text: String, in path: String) {
        for problem in check?.problems(ofText: text, file: path) ?? [] {
            Terminal.complain("\(problem); pal refuses this spec until that is mended")
        }
    }

    private func path(of name: String) -> String { "\(environment.specs)/\(name).yaml" }

    private func refuseToOverwrite(_ specs: [ImportedSpec]) throws {
        let names = specs.map(\.config.name)
        let duplicates = Dictionary(grouping: names, by: \.self).filter { $1.count > 1 }.keys
        if let name = duplicates.min() {
            throw CommandFailure("two of them are named '\(name)'; import them one by one")
        }
        // The secrets of an earlier import may be those of an instance that lives.
        let secrets = specs.flatMap { spec in
            spec.hidden.keys.sorted().map { secretPath(spec, $0) }
        }
        let there = (names.map(path(of:)) + secrets).filter {
            FileManager.default.fileExists(atPath: $0)
        }
        guard there.isEmpty else {
            throw CommandFailure(
                "nothing is written, because these are there already: "
                    + there.joined(separator: ", ") + "; move them, or use --print")
        }
    }

    private func secretPath(_ spec: ImportedSpec, _ variable: String) -> String {
        "\(environment.data)/imported/\(spec.config.name)/\(variable)"
    }

    private func referring(_ spec: ImportedSpec) -> InstanceConfig {
        var spec = spec
        for variable in spec.hidden.keys.sorted() {
            spec.refer(variable, toFile: secretPath(spec, variable))
        }
        return spec.config
    }

    private func hide(_ spec: ImportedSpec) throws {
        for (variable, value) in spec.hidden {
            let path = secretPath(spec, variable)
            try FileManager.default.createDirectory(
                atPath: URL(filePath: path).deletingLastPathComponent().path,
                withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try AtomicFile.write(Array(value.utf8), to: path)
        }
    }
}

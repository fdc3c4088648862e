import DockerProvider
import FlyProvider
import Foundation
import Logging
import PalEngine
import PalLedger
import PalModel
import PalProvider
import PalSpecs
import ProcessProvider

/// The one place that puts the parts together.
struct Composition {
    let environment: Environment
    let logger: Logger

    init(_ environment: Environment, logLevel: Logger.Level) {
        self.environment = environment
        var logger = Logger(label: "pal") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        self.logger = logger
    }

    /// Every type of provider that there is. A new one is a line here and in Package.swift.
    var factory: ProviderFactory {
        var factory = ProviderFactory()
        factory.registerProvider(DockerProviderClass())
        factory.registerProvider(FlyProviderClass())
        factory.registerProvider(
            ProcessProviderClass(supervisorCommand: [executable, "supervise"]))
        return factory
    }

    /// This very program, for the process provider's supervisors.
    private var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
    }

    /// The configured providers; none is contacted.
    func providers() throws -> [any Provider] {
        try
            (environment.config.providers
            ?? ["docker", "process", "fly"].map { .init(type: $0, name: $0) }).map(provider)
    }

    /// One of every type that there is, as it is without any settings; none is contacted.
    func supportTable() throws -> SupportTable {
        let types = factory.getProviderTypes()
        return SupportTable(
            try types.map { try provider(.init(type: $0.rawValue, name: $0.rawValue)) },
            settings: types.map { factory.getProviderClass($0)?.settingKeys ?? [] })
    }

    private func provider(_ entry: ControllerConfig.ProviderEntry) throws -> any Provider {
        do throws(ProviderFailure) {
            return try factory.createProvider(
                ProviderSettings(
                    type: ProviderType(rawValue: entry.type), name: entry.name,
                    region: entry.region, swarm: environment.swarm,
                    dataDirectory: environment.data, specific: entry.specific,
                    environment: environment.variables),
                logger: logger)
        } catch {
            throw CommandFailure("provider '\(entry.name)': \(error)")
        }
    }

    /// One provider by its name.
    func provider(named name: String) throws -> any Provider {
        let all = try providers()
        guard let found = all.first(where: { $0.name == name }) else {
            let names = all.map(\.name)
            let hint =
                Suggestion.nearest(to: name, among: names).map { "; did you mean '\($0)'?" }
                ?? "; there are: \(names.joined(separator: ", "))"
            throw CommandFailure("no provider is named '\(name)'\(hint)")
        }
        return found
    }

    var source: SpecDirectory { SpecDirectory(path: environment.specs) }

    /// The engine over this world.
    func reconciler(_ ledger: SQLiteLedger) throws -> Reconciler {
        try Reconciler(
            .init(
                swarm: environment.swarm, source: source, providers: try providers(),
                ledger: ledger, logger: logger),
            policy: environment.policy)
    }
}

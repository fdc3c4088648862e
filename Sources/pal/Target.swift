import Logging
import PalEngine
import PalLedger
import PalModel
import PalProvider
import PalSpecs

/// One instance as a command that goes straight to the provider needs it.
struct Target {
    let provider: any Provider
    let instance: VSCodeInstance

    /// Finds an instance by its name: the ledger says where, the provider says what.
    init(_ name: String, _ world: WorldOptions) async throws {
        let environment = try world.environment()
        let composition = Composition(environment, logLevel: world.logLevel)
        let ledger = try SQLiteLedger.openReadOnly(directory: environment.state)
        let records = try ledger?.records() ?? []
        let record = records.first { $0.name == name }
        let adopting = record?.standingAdoption(nil).map { [$0] } ?? []
        var home = record?.provider
        if home == nil {
            home = await composition.source.read().declarations[name].map {
                $0.config.provider ?? ProviderFactory.defaultType.rawValue
            }
        }
        guard let home else {
            let hint =
                Suggestion.nearest(to: name, among: records.map(\.name))
                .map { "; did you mean '\($0)'?" } ?? "; 'pal status' lists them all"
            throw CommandFailure("no instance is named '\(name)'\(hint)")
        }
        provider = try composition.provider(named: home)
        do throws(ProviderFailure) {
            try await provider.initialize()
            let found = try await provider.listInstances(
                InstanceFilter(names: [name], adopting: adopting))
            guard let instance = found.first else {
                throw .error(
                    ProviderError(
                        .instance, .notFound,
                        "'\(name)' does not exist on '\(home)' yet; 'pal apply' makes it",
                        isRetryable: false))
            }
            self.instance = instance
        } catch {
            throw CommandFailure("\(error)")
        }
    }
}
